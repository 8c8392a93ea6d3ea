"""No report is lost or wrong after a fault, and no fault causes a storm of lists."""

import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape, machine_name
from tests.apiserver.clusters.stored import Etcd
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.facts.test_watch_faults import compact
from tests.apiserver.faulty_proxy import faulty_proxy
from tests.audit.test_reports_in_cluster import BOTH
from tests.audit.watching.processes import LEASE, MACHINES, Watching, is_current, reports, watching
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.watching.cluster import WatchedCluster
from webhook.check.check import Settings
from webhook.cluster.watch import Pace

pytestmark = pytest.mark.apiserver

SHAPE = Shape(60, namespaces=3, failing=0.5)
LIST_SECONDS = 30.0
WRITES = "migratable_audit_report_writes_total"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{}"


class Faulty:
    """A cluster with faults, and the reports that it should have."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane = plane
        self.folder = folder
        self.began = time.monotonic()
        self._numbers = iter(SHAPE.bad())

    @contextmanager
    def watching(self, name: str = "a", *options: str) -> Iterator[Watching]:
        words = ("--reports=auto", "--writes-per-second=2000", f"--lease={LEASE}", *options)
        with watching(self.plane.client.kubeconfig(), self.folder / name, *words) as process:
            yield process

    def mend_one(self) -> Callable[[], bool]:
        """Deletes a VM with findings. What is returned says whether its report is gone."""
        while True:
            number = next(self._numbers)
            namespace, name = SHAPE.namespace(number), machine_name(number)
            if (
                f"VirtualMachine {namespace}/{name}" in reports(self.plane)
                and self.plane.client.api("DELETE", f"{MACHINES.format(namespace)}/{name}").status == 200
            ):
                break
        return lambda: f"VirtualMachine {namespace}/{name}" not in reports(self.plane)

    def holder(self) -> str:
        """The process that holds the Lease."""
        lease = self.plane.client.api("GET", LEASES.format(*LEASE.split("/")))
        return str(lease.document.get("spec", {}).get("holderIdentity", "")) if lease.status == 200 else ""

    def most_lists(self) -> int:
        """The number of lists of a kind that a process may have sent."""
        return 1 + math.ceil((time.monotonic() - self.began) / LIST_SECONDS)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(crds=BOTH) as running:
        load(running, SHAPE)
        yield running


@pytest.fixture
def faulty(plane: ControlPlane, tmp_path: Path) -> Faulty:
    return Faulty(plane, tmp_path)


def lists(process: Watching) -> dict[str, int]:
    """The number of complete lists of each kind."""
    found = re.findall(r'migratable_audit_cluster_lists_total\{kind="(\w+)"\} ([0-9.]+)', process.get("/metrics")[1])
    return {kind: int(float(number)) for kind, number in found}


def test_reports_follow_after_each_restart_of_the_api_server(faulty: Faulty) -> None:
    """
    Two restarts, and a change after each.
    """
    with faulty.watching() as process:
        process.wait_written()
        for _ in range(2):
            faulty.plane.restart()
            wait_until(faulty.mend_one(), PATIENCE_SECONDS, "the report of a deleted VM to be gone")

        assert is_current(faulty.plane)
        assert max(lists(process).values()) <= faulty.most_lists()
        assert process.stop() == 0


def test_changes_that_etcd_has_forgotten_reach_the_reports(faulty: Faulty) -> None:
    """
    HTTP 410: the process was stopped during the changes, and etcd was compacted. Each kind is listed once more at most.
    """
    with faulty.watching() as process:
        process.wait_written()
        process.popen.send_signal(signal.SIGSTOP)
        faulty.plane.restart()  # else the events would wait in the connection
        gone = [faulty.mend_one(), faulty.mend_one()]
        compact(faulty.plane)
        faulty.plane.restart()

        process.popen.send_signal(signal.SIGCONT)

        wait_until(lambda: all(one() for one in gone), PATIENCE_SECONDS, "the reports of deleted VMs to be gone")
        assert is_current(faulty.plane)
        assert 2 in lists(process).values()
        assert max(lists(process).values()) <= 2


def test_another_process_writes_after_the_leader_was_killed(faulty: Faulty) -> None:
    """
    It has judged all objects already, so it begins as soon as it leads.
    """
    with faulty.watching("a") as one, faulty.watching("b") as two:
        one.wait_ready()
        two.wait_ready()
        wait_until(lambda: leader(one, two) is not None, PATIENCE_SECONDS, "a leader")
        first = leader(one, two)
        assert first is not None
        first.popen.kill()
        first.popen.wait()

        gone = faulty.mend_one()

        wait_until(gone, PATIENCE_SECONDS, "the report of a deleted VM to be gone")
        second = two if first is one else one
        assert second.metric("migratable_audit_leader") == 1
        assert is_current(faulty.plane)


def test_a_leader_that_was_stopped_writes_nothing_when_it_continues(faulty: Faulty) -> None:
    """
    SIGSTOP for longer than the Lease lasts: another process leads then, and the first one notices before its next write.
    """
    with faulty.watching("a") as one:
        one.wait_written()
        with faulty.watching("b") as two:
            two.wait_ready()
            writes = one.metric(WRITES)
            one.popen.send_signal(signal.SIGSTOP)
            wait_until(lambda: two.metric("migratable_audit_leader") == 1, PATIENCE_SECONDS, "the other leader")
            gone = faulty.mend_one()
            wait_until(gone, PATIENCE_SECONDS, "the report of a deleted VM to be gone")

            one.popen.send_signal(signal.SIGCONT)

            wait_until(lambda: one.metric("migratable_audit_leader") == 0, PATIENCE_SECONDS, "the first to follow")
            wait_until(faulty.mend_one(), PATIENCE_SECONDS, "the report of another deleted VM to be gone")
            assert one.metric(WRITES) == writes
            assert two.metric("migratable_audit_leader") == 1


def test_a_process_that_ends_gives_the_lease_back(faulty: Faulty) -> None:
    """
    The next process need not wait until the Lease is over.
    """
    with faulty.watching() as process:
        process.wait_written()
        held = faulty.holder()

        assert process.stop() == 0
        assert held
        assert faulty.holder() == ""


def test_reports_that_a_full_etcd_refused_are_written_later(faulty: Faulty) -> None:
    """
    An instancetype is deleted, which etcd still accepts. The findings about its VMs have to wait.
    """
    with faulty.watching() as process:
        process.wait_written()
        (found,) = faulty.plane.client.api(
            "GET", "/apis/instancetype.kubevirt.io/v1beta1/virtualmachineclusterinstancetypes"
        ).document["items"][:1]
        place = f"/apis/instancetype.kubevirt.io/v1beta1/virtualmachineclusterinstancetypes/{found['metadata']['name']}"
        alarm(faulty.plane, "ACTIVATE")
        try:
            assert faulty.plane.client.api("DELETE", place).status == 200
            wait_until(
                lambda: (
                    any(line["message"] == "reports were not written" for line in process.log)
                    or process.metric("migratable_audit_leader") == 0
                ),
                PATIENCE_SECONDS,
                "a refused write",
            )
            was_current = is_current(faulty.plane)
        finally:
            alarm(faulty.plane, "DEACTIVATE")

        wait_until(lambda: is_current(faulty.plane), PATIENCE_SECONDS, "the refused reports")
        assert not was_current
        assert max(lists(process).values()) <= faulty.most_lists()


def test_a_half_open_watch_loses_no_change(plane: ControlPlane, tmp_path: Path) -> None:
    """
    The connection stays open without data. The watch notices, and goes on where it stopped.
    """
    stopping = threading.Event()
    with faulty_proxy(plane, tmp_path) as (proxy, kubeconfig), ExitStack() as stack:
        cluster = WatchedCluster(Settings, pace=Pace(silence_seconds=2.0))
        cluster.facts.start(kubeconfig)
        stack.callback(cluster.facts.stop)
        thread = threading.Thread(target=cluster.run, args=(stopping,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stopping.set)
        wait_until(lambda: cluster.auditor.complete, PATIENCE_SECONDS, "all judgements")
        proxy.silent = True
        namespace = plane.client.create_namespace("half")
        spec: dict[str, Any] = {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}}
        made = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "new"}, "spec": spec}
        plane.client.create(MACHINES.format(namespace), made)
        wait_until(lambda: any(one.problem for one in cluster.facts.statistics()), PATIENCE_SECONDS, "the silence")

        proxy.silent = False

        wait_until(
            lambda: any(one.report.namespace == namespace for one in cluster.auditor.results.every()),
            PATIENCE_SECONDS,
            "the VM that was created during the silence",
        )
        assert max(one.lists for one in cluster.facts.statistics()) == 1


def leader(*processes: Watching) -> Watching | None:
    return next((one for one in processes if one.metric("migratable_audit_leader") == 1), None)


def alarm(plane: ControlPlane, action: str) -> None:
    """Raises or clears etcd's alarm NOSPACE, under which it refuses writes."""
    with Etcd(plane.etcd_url) as etcd:
        etcd._post("/v3/maintenance/alarm", {"action": action, "alarm": "NOSPACE"})
