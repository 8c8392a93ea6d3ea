"""A watch of a real cluster with 1,000 VMs in 50 namespaces keeps its reports current."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape, machine_name
from tests.apiserver.controlplane import ControlPlane
from tests.audit.test_reports_in_cluster import BOTH
from tests.audit.watching.processes import MACHINES, Watching, about, is_current, reports, watching
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

SHAPE = Shape(1000, namespaces=50)
CLAIMS = "/api/v1/namespaces/{}/persistentvolumeclaims"


class Here:
    """A cluster, and a process that watches it."""

    def __init__(self, plane: ControlPlane, process: Watching) -> None:
        self.plane = plane
        self.process = process

    def place(self, violates: str, at: int = 0) -> tuple[str, str]:
        """The namespace and name of a VM that violates a check."""
        bad = [number for number in SHAPE.bad() if SHAPE.variants[number].violates == violates]
        number = [number for number in bad if SHAPE.variants[number].style == "plain"][at]
        return SHAPE.namespace(number), machine_name(number)

    def get(self, namespace: str, name: str, path: str = MACHINES) -> dict[str, Any]:
        return dict(self.plane.client.api("GET", f"{path.format(namespace)}/{name}").document)

    def replace(self, document: dict[str, Any], path: str = MACHINES) -> None:
        metadata = document["metadata"]
        target = f"{path.format(metadata['namespace'])}/{metadata['name']}"
        assert self.plane.client.api("PUT", target, document).status == 200

    def delete(self, namespace: str, name: str, path: str = MACHINES) -> None:
        assert self.plane.client.api("DELETE", f"{path.format(namespace)}/{name}").status == 200

    def rules(self, namespace: str, name: str) -> set[str]:
        """The rules in the report of a VM."""
        report = reports(self.plane).get(f"VirtualMachine {namespace}/{name}", {"results": []})
        return {result["rule"] for result in report["results"]}

    def has(self, namespace: str, name: str) -> bool:
        return bool(about(self.plane, f"VirtualMachine {namespace}/{name}"))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("watching")
    with ControlPlane(crds=BOTH) as plane:
        load(plane, SHAPE)
        options = ("--reports=auto", "--writes-per-second=2000")
        with watching(plane.client.kubeconfig(), folder, *options) as process:
            yield Here(plane, process.wait_written())


def test_the_reports_are_those_of_an_audit(here: Here) -> None:
    """
    One report for each VM with findings.
    """
    assert is_current(here.plane)
    assert len(reports(here.plane)) >= 200


def test_the_report_of_a_mended_vm_is_deleted(here: Here, record_property: Any) -> None:
    """
    The VM itself was changed. The goal is 5 seconds.
    """
    namespace, name = here.place("bridge")
    assert here.has(namespace, name)
    before = copy.deepcopy(here.get(namespace, name))
    mended = copy.deepcopy(before)
    (interface,) = mended["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][:1]
    del interface["bridge"]
    interface["masquerade"] = {}

    began = time.monotonic()
    here.replace(mended)

    wait_until(lambda: not here.has(namespace, name), PATIENCE_SECONDS, "the report to be deleted")
    record_property("figure", f"the report of a mended VM was deleted after {time.monotonic() - began:.1f} s")


def test_a_changed_claim_changes_the_report_of_its_vm(here: Here) -> None:
    """
    The claim is deleted and created with another access mode. The VM stays as it is.
    """
    namespace, name = here.place("claim", 1)
    assert "LM201" in here.rules(namespace, name)
    here.delete(namespace, name, CLAIMS)
    claim = here.get(namespace, name, CLAIMS)
    here.replace(
        claim | {"metadata": claim["metadata"] | {"finalizers": []}}, CLAIMS
    )  # as the PVC protection controller
    spec = claim["spec"] | {"accessModes": ["ReadWriteMany"]}
    mended = {"metadata": {"name": name, "namespace": namespace}, "spec": spec}

    here.plane.client.create(CLAIMS.format(namespace), mended)

    wait_until(lambda: "LM201" not in here.rules(namespace, name), PATIENCE_SECONDS, "the finding to be gone")
    assert is_current(here.plane)


def test_the_report_of_a_deleted_vm_names_it_as_owner_and_is_deleted(here: Here) -> None:
    """
    The garbage collector could delete the report too, so a watch that is down leaves none behind.
    """
    namespace, name = here.place("port")
    (owner,) = reports(here.plane)[f"VirtualMachine {namespace}/{name}"]["metadata"]["ownerReferences"]
    stored = here.get(namespace, name)
    here.delete(namespace, name)
    here.plane.client.api("DELETE", f"{MACHINES.format(namespace)}/{name}".replace("machines", "machineinstances"))

    wait_until(lambda: not here.has(namespace, name), PATIENCE_SECONDS, "the report to be deleted")
    assert owner["uid"] == stored["metadata"]["uid"]


def test_another_release_of_kubevirt_reaches_all_reports(here: Here) -> None:
    """
    KubeVirt 1.4 refuses VMs with filesystems, which 1.9 can migrate.
    """
    namespace, name = here.place("filesystems")
    (stored,) = here.plane.client.api("GET", "/apis/kubevirt.io/v1/kubevirts").document["items"]
    before = here.process.get("/metrics")[1]
    stored["status"] = {"observedKubeVirtVersion": "v1.4.0"}
    place = f"/apis/kubevirt.io/v1/namespaces/{stored['metadata']['namespace']}/kubevirts/{stored['metadata']['name']}"

    assert here.plane.client.api("PUT", f"{place}/status", stored).status == 200

    wait_until(
        lambda: vms(here.process.get("/metrics")[1]) != vms(before), PATIENCE_SECONDS, "the verdicts of KubeVirt 1.4"
    )
    wait_until(lambda: is_current(here.plane), PATIENCE_SECONDS, "the reports of a new audit")
    assert "LM203" in here.rules(namespace, name)


def vms(metrics: str) -> list[str]:
    return [line for line in metrics.splitlines() if line.startswith("migratable_vms{")]


def test_neither_logs_nor_metrics_name_a_vm(here: Here) -> None:
    """
    Names of namespaces are labels of metrics.
    """
    log = (here.process.folder / "err").read_text()
    metrics = here.process.get("/metrics")[1]

    assert "vm-0" not in log
    assert "tenant-" not in log
    assert "vm-0" not in metrics
    assert "tenant-" in metrics
