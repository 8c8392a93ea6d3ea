"""Reports of audits on a real API server, with 1,000 VMs in 50 namespaces."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.roles import of_audit
from tests.apiserver import crds
from tests.apiserver.audit_log import AuditLog
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.clusters.stored import Etcd
from tests.apiserver.controlplane import ControlPlane
from tests.audit.reported import FAILS, audit_of, audited
from tests.report.reports import DRAIN
from tests.surfaces.running import Ran, migratable
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.report_writer import writer_for
from webhook.cluster.writes import ReportStore, Stored
from webhook.cluster.writing_client import connect_writer
from webhook.objects.report_kinds import OPENREPORTS
from webhook.report.report_objects import own_report

pytestmark = pytest.mark.apiserver

SHAPE: Final = Shape(1000, namespaces=50)
AUDITOR: Final = "auditor"
OWN: Final = Path(__file__).parent / "crds"
BOTH: Final = (*crds.OWN, *sorted(OWN.glob("*.yaml")))
WRITES: Final = {"create", "update", "patch", "delete", "deletecollection"}
MACHINES: Final = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines"
REPORTS: Final = "/apis/openreports.io/v1alpha1/reports"
MOST_BYTES: Final = 4 * 2**20 // 2000
"""4 MiB for 2,000 VMs with findings."""


class Cluster:
    """A control plane, its audit log, and an account with the roles of the chart."""

    def __init__(self, plane: ControlPlane, log: AuditLog) -> None:
        self.plane = plane
        self._log = log
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
        """The account's requests since the last call."""
        requests = self._log.requests(AUDITOR)
        self._log.skip()
        return requests

    def writes(self) -> list[str]:
        """The verbs of the account's writes since the last call."""
        return [request["verb"] for request in self.requests() if request["verb"] in WRITES]

    def reports(self, path: str = REPORTS) -> list[dict[str, Any]]:
        """The reports. The API server answers 429 while it prepares its cache of a kind."""

        def listed() -> Any:
            reply = self.plane.client.api("GET", path)
            assert reply.status in (200, 429)
            return reply if reply.status == 200 else None

        items: list[dict[str, Any]] = wait_until(listed, PATIENCE_SECONDS, "the list of reports").document["items"]
        return items


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that serves both API groups, and whose first audit has written its reports."""
    folder = tmp_path_factory.mktemp("audit")
    log = AuditLog(folder)
    with ControlPlane(crds=BOTH, apiserver_flags=log.flags) as plane:
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


def test_a_full_etcd_is_a_problem_and_the_next_audit_writes_the_reports(cluster: Cluster) -> None:
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


def store(cluster: Cluster) -> ReportStore:
    """A store whose pauses take no time."""
    writer = connect_writer(cluster.plane.client.kubeconfig(AUDITOR, []))
    return ReportStore(writer, per_second=1e6, clock=lambda: 0.0, wait=lambda _: False, chance=lambda: 0.0)


def test_a_namespace_that_is_being_deleted_or_is_gone_needs_no_report(cluster: Cluster) -> None:
    """The API server refuses new objects in it, and its VMs go with it."""
    client = cluster.plane.client
    namespace = client.create_namespace("going")
    client.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "a", "finalizers": ["a/b"]}})
    client.api("DELETE", f"/api/v1/namespaces/{namespace}")
    going = own_report(audited("web", FAILS, namespace=namespace), "strict")
    gone = own_report(audited("web", FAILS, namespace="gone"), "strict")

    outcomes = [
        store(cluster).apply(OPENREPORTS, one.namespace, one.name, one.document(OPENREPORTS)) for one in (going, gone)
    ]

    assert outcomes == [Stored(), Stored()]


def test_a_report_that_was_replaced_is_not_deleted(cluster: Cluster) -> None:
    """The deletion names the uid of the listed report."""
    writing = store(cluster)
    namespace = cluster.plane.client.create_namespace("replaced")
    wanted = own_report(audited("web", FAILS, namespace=namespace), "strict")
    document = wanted.document(OPENREPORTS)
    writing.apply(OPENREPORTS, namespace, wanted.name, document)
    (listed,) = writing.every(OPENREPORTS, [namespace], cluster=False)
    writing.delete(listed)
    writing.apply(OPENREPORTS, namespace, wanted.name, document)

    writing.delete(listed)

    (left,) = writing.every(OPENREPORTS, [namespace], cluster=False)
    assert left.uid != listed.uid
    writing.delete(left)
    assert writing.every(OPENREPORTS, [namespace], cluster=False) == []


def test_changes_during_an_outage_of_the_api_server_are_written_after_it(cluster: Cluster) -> None:
    """A watch keeps them, and tries again."""
    writer = writer_for(store(cluster), "auto")
    namespaces = tuple(cluster.plane.client.create_namespace("outage") for _ in range(5))
    writer.sync(audit_of(namespaces=namespaces))
    writer.update([audited("web", FAILS, namespace=namespace) for namespace in namespaces])

    with cluster.plane.stopped():
        during = writer.write()
    after = writer.write()

    assert (during.written, during.failed) == (0, 5)
    assert "no response from the API server (connection refused)" in during.problems[0]
    assert (after.written, after.failed, writer.pending) == (5, 0, 0)


def test_a_changed_report_replaces_all_fields_of_the_old_one(cluster: Cluster) -> None:
    """Server-side apply removes the results, counts and owners that the new report does not have."""
    writing = store(cluster)
    namespace = cluster.plane.client.create_namespace("changed")
    place = f"/apis/openreports.io/v1alpha1/namespaces/{namespace}/reports"
    for judged in (
        audited("web", FAILS, DRAIN, namespace=namespace),
        audited("web", DRAIN, namespace=namespace, uid="recreated"),
    ):
        wanted = own_report(judged, "strict").document(OPENREPORTS)
        writing.apply(OPENREPORTS, namespace, wanted["metadata"]["name"], wanted)  # type: ignore[index,call-overload,arg-type]

    (stored,) = cluster.reports(place)

    assert stored["summary"] == {"warn": 1}
    assert [result["rule"] for result in stored["results"]] == ["LM501"]
    assert [owner["uid"] for owner in stored["metadata"]["ownerReferences"]] == ["recreated"]


def test_reports_move_to_the_other_api_group(cluster: Cluster) -> None:
    """Both groups never have a report about the same object, also after ``--reports`` changes."""
    cluster.audit("--reports", "auto")  # without the reports of earlier tests
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
