"""The audit of the chart on a real API server: its pods run as processes, with the rights of their accounts."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.client import Client
from tests.deploy.audits import VALUES, Installed, installing, set_devices
from tests.deploy.charts import template
from tests.deploy.granted import rights_of_account
from tests.deploy.manifests import CRDS, DEPLOY, REPORT_CRDS
from tests.deploy.tenants import TENANT
from tests.surfaces.running import migratable
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

OLD_CRDS = tuple(path for path in REPORT_CRDS if "wgpolicyk8s" in path.name)
NEW_CRDS = tuple(path for path in REPORT_CRDS if "openreports" in path.name)
ACCOUNT = "migratable-audit"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A cluster that serves PolicyReports, and the chart with the CronJob."""
    with installing(tmp_path_factory.mktemp("audit"), (*CRDS, *OLD_CRDS)) as installed:
        yield installed


def test_granted_rights_equal_used_rights(installed: Installed) -> None:
    """
    Each right is used when reports are created, change, are deleted, and move from one kind to the other. No request is refused.
    """
    client = installed.client
    for crds in ((), NEW_CRDS):
        for crd in crds:
            client.kubectl("apply", "-f", str(crd))
            client.kubectl("wait", "--for=condition=Established", "-f", str(crd))
        for devices, limit in ((1, -1), (2, -2), (0, 5), (1, -1)):
            set_devices(client, devices, limit)
            installed.audit()

    granted = rights_of_account(template({"audit": VALUES}), ACCOUNT)[""]
    used = installed.used(ACCOUNT)
    assert sorted(granted - used) == []
    assert sorted(used - granted) == []
    assert installed.log.refused(ACCOUNT) == []


def test_without_reports_no_request_writes(installed: Installed) -> None:
    """
    The account could not, and the command does not try.
    """
    installed.upgrade(reports="none")

    installed.audit()

    assert {event["verb"] for event in installed.log.asked(ACCOUNT)} == {"list"}
    assert installed.log.refused(ACCOUNT) == []


def test_an_account_without_cluster_roles_audits_its_namespaces(installed: Installed) -> None:
    """
    Every request that is granted is about the audited namespace. The run succeeds, and names the kinds that are unknown.
    """
    installed.upgrade(namespaces=[TENANT], clusterFacts=False)

    said = installed.audit()

    answered = [event for event in installed.log.asked(ACCOUNT) if event["responseStatus"]["code"] < 300]
    spaces = {event["objectRef"].get("namespace", "") for event in answered if "resource" in event.get("objectRef", {})}
    assert spaces == {TENANT}
    assert {event["verb"] for event in installed.log.refused(ACCOUNT)} == {"list"}
    assert "not read" in said
    assert "KubeVirt" in said


def test_the_merged_report_of_all_shards_is_the_report_of_one_audit(installed: Installed) -> None:
    """
    The pods of an Indexed Job write files to a volume, and the pod of the second CronJob merges them.
    """
    node = installed.kubelet
    claim = {"reportVolume": {"persistentVolumeClaim": {"claimName": "reports"}}}
    installed.upgrade(**claim)
    installed.audit()
    file = node.folder / "claims" / "reports" / "report.json"
    whole = json.loads(file.read_text())
    file.unlink()
    installed.upgrade(**claim, shards=3, mergeSchedule="47 * * * *")

    statuses = [node.run_job("migratable-audit", index=index)[0] for index in range(3)]
    asked = len(installed.log.asked(ACCOUNT))
    merged = node.run_job("migratable-audit-merge")

    assert statuses == [0, 0, 0]
    assert merged[0] == 0, merged[1]
    assert json.loads(file.read_text()) == whole
    assert {judged["kind"] for judged in whole["objects"]} > {"VirtualMachine", "KubeVirt"}
    assert len(installed.log.asked(ACCOUNT)) == asked


def test_logs_of_shards_can_be_merged(installed: Installed, tmp_path: Path) -> None:
    """
    By the command of docs/install.md. The log of a container also contains its notes.
    """
    page = (DEPLOY.parent / "docs" / "install.md").read_text()
    (script,) = re.findall(r"^    (sed -n .*) > shard-", page, re.MULTILINE)
    installed.upgrade(shards=2, format="json")
    files = []
    for index in range(2):
        installed.kubelet.run_job("migratable-audit", index=index)
        log = installed.kubelet.folder / "migratable-audit" / "log"
        files.append(tmp_path / f"shard-{index}.json")
        done = subprocess.run(["sh", "-c", script], input=log.read_bytes(), capture_output=True, check=True)
        files[-1].write_bytes(done.stdout)

    ran = migratable("audit", "--merge", *map(str, files), "-o", "json", "--fail-on", "never")

    assert b"note:" in log.read_bytes()
    assert ran.status == 0
    assert {judged["kind"] for judged in json.loads(ran.out)["objects"]} > {"VirtualMachine", "KubeVirt"}


def test_without_a_kind_of_reports_the_audit_succeeds(installed: Installed) -> None:
    """
    A note says why there are no reports. The API server needs some time until it no longer serves a deleted kind.
    """
    client = installed.client
    installed.upgrade()
    for crd in REPORT_CRDS:
        client.kubectl("delete", "--ignore-not-found", "-f", str(crd))
    wait_until(lambda: not served_reports(client), 60, "the kinds of reports to be gone")

    said = installed.audit()

    assert "note: no reports are written: the API server serves neither OpenReports nor PolicyReport" in said
    assert {event["verb"] for event in installed.log.asked(ACCOUNT)} == {"get", "list"}


def served_reports(client: Client) -> list[str]:
    groups = [group["name"] for group in client.api("GET", "/apis").document["groups"]]
    return [group for group in groups if group in ("openreports.io", "wgpolicyk8s.io")]
