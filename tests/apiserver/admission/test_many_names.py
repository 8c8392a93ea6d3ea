"""VMs that name hundreds of objects, with an API server that responds slowly: a late response never admits a VM."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.client import Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.faulty_proxy import FaultyProxy, faulty_proxy
from tests.apiserver.serving import Serving, install_hooks, serving
from tests.surfaces.admission.reviews import on_claim, vm
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.surfaces.admission.responses import certain_lead

pytestmark = pytest.mark.apiserver

ABSENT = 250
SLOW = 0.05
"""Seconds for each read: all names of such a VM would take 25."""
HANGING = 60.0
TIMEOUT = 5
"""Of the webhooks, seconds."""
DENIED, ADMITTED, NO_VERDICT = 422, 201, 500


@dataclass
class Slow:
    """A control plane whose webhook reads through a proxy, with a good and a bad claim in two namespaces."""

    plane: ControlPlane
    proxy: FaultyProxy
    server: Serving
    attacker: str
    neighbour: str

    def create(self, namespace: str, *claims: str) -> Reply:
        """The answer to a dry run of a VM with a volume on each of these claims."""
        volumes = [on_claim(name, f"v{number}") for number, name in enumerate(claims)]
        machine = vm("many", volumes=volumes)
        machine["metadata"]["namespace"] = namespace
        path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines?dryRun=All"
        return self.plane.client.api("POST", path, machine)

    @contextmanager
    def reads_taking(self, seconds: float) -> Iterator[None]:
        """Each live read takes so long within the block."""
        self.proxy.read_delay = seconds
        try:
            yield
        finally:
            self.proxy.read_delay = 0.0
            self.proxy.finish_reads()


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    """One for all tests here; its webhooks are in force under Fail."""
    folder: Path = tmp_path_factory.mktemp("many")
    with ControlPlane(crds=crds.OWN) as plane, faulty_proxy(plane, folder) as (proxy, kubeconfig):
        namespaces = [plane.client.create_namespace(tenant) for tenant in ("attacker", "neighbour")]
        for namespace in namespaces:
            for name, mode in (("single", "ReadWriteOnce"), ("shared", "ReadWriteMany")):
                spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
                path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
                plane.client.create(path, {"metadata": {"name": name}, "spec": spec})
        with serving(plane, folder / "serve", "--kubeconfig", str(kubeconfig)) as server:
            install_hooks(plane, server, timeout_seconds=TIMEOUT)
            running = Slow(plane, proxy, server, namespaces[0], namespaces[1])
            wait_until(
                lambda: running.create(namespaces[0], "single").status == DENIED,
                PATIENCE_SECONDS,
                "the claim to be seen",
            )
            yield running


def names(seed: int, claim: str) -> list[str]:
    """A claim at a random place among names that do not exist."""
    chosen = [f"absent-{number}" for number in range(ABSENT)]
    chosen.insert(random.Random(seed).randrange(ABSENT + 1), claim)
    return chosen


REFUSAL = f"{certain_lead('VirtualMachine')} Reason: "
NOT_SHARED = "PVC 'single' is ReadWriteOnce, not ReadWriteMany (RWX)"


def causes(reply: Reply) -> list[Any]:
    messages = [cause["message"].removeprefix(REFUSAL) for cause in reply.document["details"]["causes"]]
    return [message.partition(".")[0] for message in messages]


def test_a_claim_that_is_not_shared_is_denied_among_any_number_of_names(slow: Slow) -> None:
    """
    Each VM names 250 missing claims and, at a random place, one claim that is not shared, while reads are slow. Every
    VM is denied for this claim, and the VM of a neighbour is admitted meanwhile.
    """
    with slow.reads_taking(SLOW), ThreadPoolExecutor(12) as pool:
        attacks = [pool.submit(slow.create, slow.attacker, *names(seed, "single")) for seed in range(8)]
        neighbours = [pool.submit(slow.create, slow.neighbour, "shared") for _ in range(4)]
        denied, admitted = [attack.result() for attack in attacks], [neighbour.result() for neighbour in neighbours]

    assert [decision.status for decision in denied] == [DENIED] * 8
    assert [causes(decision) for decision in denied] == [[NOT_SHARED]] * 8
    assert [reply.status for reply in admitted] == [ADMITTED] * 4


def test_a_vm_whose_names_cannot_all_be_read_is_not_admitted(slow: Slow) -> None:
    """
    Without a bad claim the VM is admitted while reads are quick; while they are too slow for its names it gets no verdict,
    which `failurePolicy: Fail` refuses.
    """
    quick = slow.create(slow.attacker, *names(1, "shared"))
    with slow.reads_taking(SLOW):
        late = slow.create(slow.attacker, *names(1, "shared"))

    assert quick.status == ADMITTED
    assert late.status == NO_VERDICT
    assert "failed calling webhook" in late.document["message"]


def test_a_violation_in_fresh_facts_is_denied_while_reads_hang(slow: Slow) -> None:
    """
    While reads do not end, a claim that is not shared and that the watch has shown is denied. A shared claim gets no
    verdict.
    """
    with slow.reads_taking(HANGING), ThreadPoolExecutor(2) as pool:
        bad, good = pool.map(lambda name: slow.create(slow.attacker, name), ("single", "shared"))

    assert (bad.status, good.status) == (DENIED, NO_VERDICT)
    assert causes(bad) == [NOT_SHARED]
    assert slow.create(slow.attacker, "shared").status == ADMITTED
