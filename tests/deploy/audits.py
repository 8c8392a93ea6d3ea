"""A cluster with VMs that cannot be migrated, and the chart with its audit. Pods run as processes."""

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.accounts_log import AccountsLog
from tests.deploy.helming import Helm
from tests.deploy.kubelet import Kubelet, Pod, kubelet
from tests.deploy.manifests import NAMESPACE, Manifest
from tests.deploy.tenants import MACHINES, TENANT, make_world

VALUES: dict[str, Any] = {"enabled": True, "writesPerSecond": 1000}
VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"
KUBEVIRTS = "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
MERGE = "application/merge-patch+json"


@dataclass
class Installed:
    """A cluster with the chart, and the requests of the chart's accounts since the last upgrade."""

    plane: ControlPlane
    helm: Helm
    kubelet: Kubelet
    log: AccountsLog
    values: dict[str, Any] = field(default_factory=lambda: VALUES)

    @property
    def client(self) -> Client:
        return self.plane.client

    def audit(self) -> str:
        """Runs the pod of the CronJob, which must succeed. Returns the end of its output."""
        status, said = self.kubelet.run_job("migratable-audit")
        assert status == 0, said
        return said

    def used(self, account: str) -> set[str]:
        """The rights that requests used. Every account may read which kinds the API server serves."""
        return {right for right in self.log.used(account) if not right.startswith("get /api")}

    def upgrade(self, **audit: Any) -> None:
        """Upgrades the release to these values of the audit."""
        self.values = VALUES | audit
        self.helm.upgrade({"audit": self.values})
        self.log.skip()

    def metrics(self, pod: Pod) -> str:
        """The metrics of a pod of the watch."""
        with urllib.request.urlopen(f"http://127.0.0.1:{pod.ports['metrics']}/metrics", timeout=20) as answer:
            return str(answer.read().decode())


@contextmanager
def installing(folder: Path, crds: Sequence[Path]) -> Iterator[Installed]:
    """A cluster with two VMs that cannot be migrated, a KubeVirt CR with an invalid setting, and the chart."""
    log = AccountsLog(folder)
    plane = ControlPlane(crds=crds)
    plane.apiserver_flags = [
        # as on OpenShift: an owner reference may be set only by an account that may delete the object
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        *log.flags,
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
