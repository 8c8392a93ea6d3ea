"""Reports of audits on a real API server, with 1,000 VMs in 50 namespaces."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.roles import of_audit
from tests.apiserver import crds
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.clusters.stored import Etcd
from tests.apiserver.controlplane import ControlPlane
from tests.surfaces.running import Ran, migratable

pytestmark = pytest.mark.apiserver

SHAPE: Final = Shape(1000, namespaces=50)
AUDITOR: Final = "auditor"
POLICY: Final = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
OWN: Final = Path(__file__).parent / "crds"
BOTH: Final = (*crds.OWN, *sorted(OWN.glob("*.yaml")))
WRITES: Final = {"create", "update", "patch", "delete", "deletecollection"}
MACHINES: Final = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines"
REPORTS: Final = "/apis/openreports.io/v1alpha1/reports"
MOST_BYTES: Final = 4 * 2**20 // 2000
"""4 MiB for 2,000 VMs with findings."""


class Cluster:
    """A control plane, its audit log, and an account with the roles of the chart."""

    def __init__(self, plane: ControlPlane, log: Path) -> None:
        self.plane = plane
        self._log = log
        self._read = 0
        for role in of_audit():
            if role["kind"] == "ClusterRoleBinding":
                user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": AUDITOR}
                role = role | {"subjects": [user]}  # noqa: PLW2901 - the account of this test
            plane.client.create(f"/apis/rbac.authorization.k8s.io/v1/{role['kind'].lower()}s", role)

    def audit(self, *options: str) -> Ran:
        """Runs an audit as the account."""
        kubeconfig = self.plane.client.kubeconfig(AUDITOR, [])
        words = ("--kubeconfig", kubeconfig, "--writes-per-second", "5000", "-o", "concise", "--fail-on", "never")
        return migratable("audit", *words, *options)

    def requests(self) -> list[dict[str, Any]]:
        """The account's requests since the last call. The API server writes an event before it handles a request."""
        with self._log.open() as log:
            log.seek(self._read)
            events = [json.loads(line) for line in log]
            self._read = log.tell()
        return [
            event for event in events if event["user"]["username"] == AUDITOR and event["stage"] == "RequestReceived"
        ]

    def writes(self) -> list[str]:
        """The verbs of the account's writes since the last call."""
        return [request["verb"] for request in self.requests() if request["verb"] in WRITES]

    def reports(self, path: str = REPORTS) -> list[dict[str, Any]]:
        reply = self.plane.client.api("GET", path)
        assert reply.status == 200
        items: list[dict[str, Any]] = reply.document["items"]
        return items


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that serves both API groups, and whose first audit has written its reports."""
    folder = tmp_path_factory.mktemp("audit")
    (folder / "policy.yaml").write_text(json.dumps(POLICY))
    log = folder / "audit.log"
    flags = [f"--audit-policy-file={folder / 'policy.yaml'}", f"--audit-log-path={log}"]
    with ControlPlane(crds=BOTH, apiserver_flags=flags) as plane:
        load(plane, SHAPE)
        loaded = Cluster(plane, log)
        ran = loaded.audit("--reports", "auto")
        assert ran.status == 0, ran.err
        yield loaded


def failing(cluster: Cluster) -> set[str]:
    return {f"{one['scope']['namespace']}/{one['scope']['name']}" for one in cluster.reports()}


def bad() -> set[str]:
    return {f"{SHAPE.namespace(number)}/vm-{number:06}" for number in SHAPE.bad()}


def test_each_vm_with_findings_has_a_report_in_its_namespace(cluster: Cluster) -> None:
    """Both API groups are served, and only OpenReports has reports."""
    reports = cluster.reports()

    assert failing(cluster) >= bad()
    assert all(one["metadata"]["namespace"] == one["scope"]["namespace"] for one in reports)
    assert cluster.reports("/apis/wgpolicyk8s.io/v1alpha2/policyreports") == []
    assert all(result["result"] != "pass" for one in reports for result in one["results"])


def test_the_second_audit_writes_nothing(cluster: Cluster) -> None:
    """The audit log of the API server has no write of the account."""
    cluster.audit("--reports", "auto")
    cluster.requests()

    ran = cluster.audit("--reports", "auto")

    requests = cluster.requests()
    assert ran.status == 0
    assert "0 written, 0 deleted" in ran.err
    assert requests
    assert {request["verb"] for request in requests} <= {"list", "get"}


def test_an_owner_reference_lets_the_garbage_collector_delete_the_report(cluster: Cluster) -> None:
    """It names the stored object, and does not delay the deletion of the VM."""
    for report in cluster.reports()[:20]:
        (owner,) = report["metadata"]["ownerReferences"]
        scope = report["scope"]
        group_version, plural = scope["apiVersion"], f"{scope['kind'].lower()}s"
        path = f"/apis/{group_version}/namespaces/{scope['namespace']}/{plural}/{scope['name']}"
        stored = cluster.plane.client.api("GET", path).document
        identity = {"apiVersion": stored["apiVersion"], "kind": stored["kind"]}
        assert owner == identity | {key: stored["metadata"][key] for key in ("name", "uid")}


def test_a_mended_vm_loses_its_report(cluster: Cluster) -> None:
    """Other reports stay as they are."""
    number = next(number for number in SHAPE.bad() if SHAPE.variants[number].violates == "bridge")
    namespace, name = SHAPE.namespace(number), f"vm-{number:06}"
    assert f"{namespace}/{name}" in failing(cluster)
    before = len(cluster.reports())
    cluster.plane.client.api("DELETE", f"{MACHINES.format(namespace)}/{name}")
    cluster.plane.client.api("DELETE", f"{MACHINES.format(namespace)}/{name}".replace("machines", "machineinstances"))
    cluster.requests()

    ran = cluster.audit("--reports", "auto")

    assert ran.status == 0
    assert f"{namespace}/{name}" not in failing(cluster)
    assert cluster.writes() == ["delete"]
    assert len(cluster.reports()) == before - 1


def test_the_reports_of_2000_vms_take_at_most_4_mib_in_etcd(cluster: Cluster, record_property: Any) -> None:
    """Measured as etcd stores them, with managed fields."""
    with Etcd(cluster.plane.etcd_url) as etcd:
        stored = list(etcd.list("/registry/openreports.io/"))

    size = sum(len(key) + len(value) for key, value in stored)
    record_property("figure", f"a report takes {size / len(stored):.0f} bytes in etcd, {len(stored)} reports")
    assert size / len(stored) <= MOST_BYTES


def alarm(cluster: Cluster, action: str) -> None:
    """Raises or clears etcd's alarm NOSPACE, under which it refuses writes."""
    with Etcd(cluster.plane.etcd_url) as etcd:
        etcd._post("/v3/maintenance/alarm", {"action": action, "alarm": "NOSPACE"})


def test_a_full_etcd_is_told_and_the_next_audit_mends_the_reports(cluster: Cluster) -> None:
    """The audit ends with status 2 and without a traceback, after a few tries."""
    gone = cluster.reports()[:30]
    for report in gone:
        place = f"/apis/openreports.io/v1alpha1/namespaces/{report['metadata']['namespace']}/reports"
        cluster.plane.client.api("DELETE", f"{place}/{report['metadata']['name']}")
    expected = failing(cluster) | {f"{one['scope']['namespace']}/{one['scope']['name']}" for one in gone}
    alarm(cluster, "ACTIVATE")
    try:
        full = cluster.audit("--reports", "auto")
    finally:
        alarm(cluster, "DEACTIVATE")

    mended = cluster.audit("--reports", "auto")

    assert full.status == 2
    assert "error: 3 reports not written or deleted: etcd is full." in full.err
    assert "error: 27 reports not tried after 3 failures in a row" in full.err
    assert (mended.status, failing(cluster)) == (0, expected)
    assert "30 written" in mended.err


def test_reports_move_to_the_other_api_group(cluster: Cluster) -> None:
    """Both groups never have a report about the same object, also after ``--reports`` changes."""
    before = failing(cluster)

    there = cluster.audit("--reports", "policyreports")
    moved = {
        f"{one['scope']['namespace']}/{one['scope']['name']}"
        for one in cluster.reports("/apis/wgpolicyk8s.io/v1alpha2/policyreports")
    }
    left = cluster.reports()
    back = cluster.audit("--reports", "auto")

    assert (there.status, back.status) == (0, 0)
    assert (moved, left) == (before, [])
    assert failing(cluster) == before
    assert cluster.reports("/apis/wgpolicyk8s.io/v1alpha2/policyreports") == []
