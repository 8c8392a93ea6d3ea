"""``audit --watch`` of the chart on a real API server: its pod runs as a process, with the rights of its account."""

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.deploy.audits import Installed, installing, set_devices
from tests.deploy.charts import template
from tests.deploy.granted import rights_of_account
from tests.deploy.manifests import CRDS, DEPLOY, NAMESPACE, REPORT_CRDS, Manifest
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

WATCH = "migratable-audit-watch"
REPORTS = "/apis/openreports.io/v1alpha1/reports"
OLD_REPORTS = "/apis/wgpolicyk8s.io/v1alpha2/policyreports"
CLUSTER_REPORTS = "/apis/openreports.io/v1alpha1/clusterreports"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{WATCH}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A cluster with a node, which serves both kinds of reports, and the chart."""
    with installing(tmp_path_factory.mktemp("watch"), (*CRDS, *REPORT_CRDS)) as installed:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}}
        installed.client.create("/api/v1/nodes", node)
        set_devices(installed.client, 1, -1)
        yield installed


def reports(installed: Installed, path: str = REPORTS) -> dict[str, list[Manifest]]:
    """The results of all reports of a kind, by the name of the report."""
    items = installed.client.api("GET", path).document["items"]
    return {item["metadata"]["name"]: item["results"] for item in items}


def rules(installed: Installed) -> list[list[str]]:
    """The rules in the report of each VM."""
    return sorted(sorted(result["rule"] for result in results) for results in reports(installed).values())


def test_reports_can_be_deleted_by_their_label(installed: Installed) -> None:
    """
    By the commands of docs/install.md. No report of another program is deleted.
    """
    client = installed.client
    page = (DEPLOY.parent / "docs" / "install.md").read_text()
    commands = re.findall(r"^kubectl (delete \S*reports\S* .*managed-by=migratable)$", page, re.MULTILINE)
    foreign = {"apiVersion": "openreports.io/v1alpha1", "kind": "Report", "metadata": {"name": "foreign"}}
    client.create("/apis/openreports.io/v1alpha1/namespaces/default/reports", foreign)
    installed.upgrade(reports="openreports")
    installed.audit()
    kinds = (REPORTS, CLUSTER_REPORTS)
    before = [len(client.api("GET", path).document["items"]) for path in kinds]

    for command in commands:
        client.kubectl(*shlex.split(command))

    left = [item["metadata"]["name"] for path in kinds for item in client.api("GET", path).document["items"]]
    assert before == [3, 1]
    assert left == ["foreign"]
    client.kubectl("delete", "report", "foreign")


def test_granted_rights_equal_used_rights(installed: Installed) -> None:
    """
    Each right is used when reports are created, change and are deleted, and when nodes are rehearsed. No request is refused.
    """
    client = installed.client
    installed.upgrade(reports="policyreports")
    installed.audit()
    installed.upgrade(enabled=False, reports="openreports", watch={"enabled": True})
    assert len(reports(installed, OLD_REPORTS)) == 2

    pod = installed.kubelet.start(WATCH)
    wait_until(lambda: len(reports(installed)) == 2 and not reports(installed, OLD_REPORTS), 60, "the reports to move")
    before = rules(installed)
    set_devices(client, 2, -2)
    wait_until(lambda: rules(installed) != before, 30, "the reports to change")
    set_devices(client, 0, 5)
    wait_until(lambda: not reports(installed) and not reports(installed, CLUSTER_REPORTS), 30, "no reports")
    wait_until(lambda: "migratable_node_drain{" in installed.metrics(pod), 60, "the drain of the node to be rehearsed")

    granted = {
        right for rights in rights_of_account(template({"audit": installed.values}), WATCH).values() for right in rights
    }
    used = installed.used(WATCH)
    assert sorted(granted - used) == []
    assert sorted(used - granted) == []
    assert installed.log.refused(WATCH) == []
    assert client.api("GET", LEASE).document["spec"]["holderIdentity"]


def test_without_reports_no_request_writes(installed: Installed) -> None:
    """
    The watch still serves metrics. With 0 minutes between rehearsals of drains, it does not read pods.
    """
    installed.kubelet.stop_all()
    installed.upgrade(enabled=False, reports="none", watch={"enabled": True, "drainMinutes": 0})

    pod = installed.kubelet.start(WATCH)

    asked = installed.log.asked(WATCH)
    assert "migratable_vms{" in installed.metrics(pod)
    assert {event["verb"] for event in asked} == {"list", "watch"}
    assert "pods" not in {event["objectRef"]["resource"] for event in asked}
    assert installed.log.refused(WATCH) == []
