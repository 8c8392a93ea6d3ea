"""The audit of the chart on a real API server: its pods run as processes, with the rights of their accounts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.charts import template
from tests.deploy.granted import rights_of, rights_of_account
from tests.deploy.helming import Helm
from tests.deploy.kubelet import Kubelet, kubelet
from tests.deploy.manifests import CRDS, NAMESPACE, REPORT_CRDS, Manifest
from tests.deploy.tenants import MACHINES, TENANT, make_world
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

OLD_CRDS = tuple(path for path in REPORT_CRDS if "wgpolicyk8s" in path.name)
NEW_CRDS = tuple(path for path in REPORT_CRDS if "openreports" in path.name)
VALUES: dict[str, Any] = {"enabled": True, "writesPerSecond": 1000}
ACCOUNT = "migratable-audit"
VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"
KUBEVIRTS = "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
MERGE = "application/merge-patch+json"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": [f"system:serviceaccounts:{NAMESPACE}"]},
        {"level": "None"},
    ],
}


@dataclass
class Installed:
    """A cluster with the chart, and the requests of the chart's accounts."""

    plane: ControlPlane
    helm: Helm
    kubelet: Kubelet
    log: Path
    seen: int = 0

    @property
    def client(self) -> Client:
        return self.plane.client

    def audit(self) -> str:
        """Runs the pod of the CronJob, which must succeed. Returns the end of its output."""
        status, said = self.kubelet.run_job("migratable-audit")
        assert status == 0, said
        return said

    def asked(self, account: str) -> list[dict[str, Any]]:
        """The requests of an account since the last upgrade, from the audit log of the API server."""
        user = f"system:serviceaccount:{NAMESPACE}:{account}"
        events = [json.loads(line) for line in self.log.read_text().splitlines()[self.seen :]]
        return [event for event in events if event["user"]["username"] == user]

    def used(self, account: str) -> set[str]:
        """The rights that requests used. Every account may read which kinds the API server serves."""
        rights = {right for event in self.asked(account) for right in rights_of(event)}
        return {right for right in rights if not right.startswith("get /api")}

    def upgrade(self, **audit: Any) -> None:
        """Upgrades the release to these values of the audit."""
        self.helm.upgrade({"audit": VALUES | audit})
        self.seen = len(self.log.read_text().splitlines())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A cluster with VMs that cannot be migrated, and a KubeVirt CR with an invalid setting."""
    folder = tmp_path_factory.mktemp("audit")
    log, policy = folder / "audit.log", folder / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT_POLICY))
    plane = ControlPlane(crds=(*CRDS, *OLD_CRDS))
    plane.apiserver_flags = [
        # as on OpenShift: an owner reference may be set only by an account that may delete the object
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={log}",
        "--audit-log-mode=blocking",
    ]
    with plane:
        make_world(plane.client)
        kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}}
        settings = {"migrations": {"parallelMigrationsPerCluster": -1}}
        plane.client.create(KUBEVIRTS, kubevirt | {"spec": {"configuration": settings}})
        for vm in MACHINES[:2]:
            plane.client.create(VMS, vm)
        helm = Helm(plane.client, folder / "helm")
        helm.install({"audit": VALUES})
        # the webhook has no pod here, and the tests create VMs that it would deny
        plane.client.kubectl("delete", "validatingwebhookconfiguration", "migratable-validate")
        with kubelet(plane, folder, NAMESPACE) as node:
            yield Installed(plane, helm, node, log)


def set_devices(client: Client, devices: int, limit: int) -> None:
    """Gives each VM this number of host devices and nothing else, and the KubeVirt CR this limit of migrations."""
    probes = [{"name": f"probe{number}", "deviceName": "example.com/probe"} for number in range(devices)]
    interfaces = [{"name": "default", "masquerade": {}}]
    machine = {
        "domain": {"devices": {"hostDevices": probes, "interfaces": interfaces}},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": None,
    }
    for vm in client.api("GET", VMS).document["items"]:
        changed(client, f"{VMS}/{vm['metadata']['name']}", {"template": {"spec": machine}})
    migrations = {"parallelMigrationsPerCluster": limit}
    configuration = {"migrations": migrations, "vmRolloutStrategy": "Stage"}
    changed(client, f"{KUBEVIRTS}/kubevirt", {"configuration": configuration})


def changed(client: Client, path: str, spec: Manifest) -> None:
    assert client.api("PATCH", path, {"spec": spec}, content_type=MERGE).status == 200


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
    assert refused(installed) == []


def test_without_reports_no_request_writes(installed: Installed) -> None:
    """
    The account could not, and the command does not try.
    """
    installed.upgrade(reports="none")

    installed.audit()

    assert {event["verb"] for event in installed.asked(ACCOUNT)} == {"list"}
    assert refused(installed) == []


def test_an_account_without_cluster_roles_audits_its_namespaces(installed: Installed) -> None:
    """
    Every request that is granted is about the audited namespace. The run succeeds, and names the kinds that are unknown.
    """
    installed.upgrade(namespaces=[TENANT], clusterFacts=False)

    said = installed.audit()

    answered = [event for event in installed.asked(ACCOUNT) if event["responseStatus"]["code"] < 300]
    spaces = {event["objectRef"].get("namespace", "") for event in answered if "resource" in event.get("objectRef", {})}
    assert spaces == {TENANT}
    assert {event["verb"] for event in refused(installed)} == {"list"}
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
    asked = len(installed.asked(ACCOUNT))
    merged = node.run_job("migratable-audit-merge")

    assert statuses == [0, 0, 0]
    assert merged[0] == 0, merged[1]
    assert json.loads(file.read_text()) == whole
    assert {judged["kind"] for judged in whole["objects"]} > {"VirtualMachine", "KubeVirt"}
    assert len(installed.asked(ACCOUNT)) == asked


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
    assert {event["verb"] for event in installed.asked(ACCOUNT)} == {"get", "list"}


def served_reports(client: Client) -> list[str]:
    groups = [group["name"] for group in client.api("GET", "/apis").document["groups"]]
    return [group for group in groups if group in ("openreports.io", "wgpolicyk8s.io")]


def refused(installed: Installed) -> list[dict[str, Any]]:
    """The requests of the account that the API server refused."""
    return [event for event in installed.asked(ACCOUNT) if event["responseStatus"]["code"] == 403]
