"""A cluster with the webhooks, and objects for it."""

import json
import re
from typing import Any

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, kubectl_apply
from tests.waiting import wait_until

Manifest = dict[str, Any]
LAB_NAD = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "metadata": {"name": "migration-network", "namespace": "kubevirt"},
    "spec": {
        "config": '{"cniVersion": "0.3.1", "name": "migration-bridge", "type": "macvlan", "master": "eth1", '
        '"mode": "bridge", "ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}}'
    },
}


KUBEVIRT = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"network": "migration-network"}}},
}


class Guarded:
    """A control plane with the server in front of it, KubeVirt's namespace and CR, and one for tenants."""

    def __init__(self, plane: ControlPlane, server: Serving) -> None:
        self.plane = plane
        self.client = plane.client
        self.server = server
        self.tenant = plane.client.create_namespace("tenant")

    def apply(self, *documents: Manifest, flags: tuple[str, ...] = ()) -> Any:
        return kubectl_apply(self.plane, *documents, flags=flags)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        done = self.client.kubectl("get", kind, name, "-n", namespace or self.tenant, "-o", "json")
        document: Manifest = json.loads(done.stdout)
        return document

    def claim(self, name: str, mode: str) -> None:
        """A claim that the server has seen."""
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": self.tenant},
            "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
        }
        self.client.create(f"/api/v1/namespaces/{self.tenant}/persistentvolumeclaims", body)
        probe = vmi(f"see-{name}", self.tenant, volumes=[on_claim(name)])
        wait_until(
            lambda: "does not exist yet" not in self.apply(probe, flags=("--dry-run=server",)).stderr,
            30,
            f"claim {name} to be known",
        )


def spec(**changes: Any) -> Manifest:
    """The spec of a VMI that can be live-migrated, with some fields changed."""
    made: Manifest = {
        "domain": {
            "memory": {"guest": "64Mi"},
            "devices": {
                "interfaces": [{"name": "default", "masquerade": {}}],
                "disks": [],
                **changes.pop("devices", {}),
            },
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [],
    }
    return {**made, **changes}


def on_claim(name: str) -> Manifest:
    return {"name": "os", "persistentVolumeClaim": {"claimName": name}}


def vmi(name: str, namespace: str, *, version: str = "v1", **changes: Any) -> Manifest:
    return {
        "apiVersion": f"kubevirt.io/{version}",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec(**changes),
    }


def vm(name: str, namespace: str, *, version: str = "v1", **changes: Any) -> Manifest:
    return {
        "apiVersion": f"kubevirt.io/{version}",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"runStrategy": "Halted", "template": {"metadata": {}, "spec": spec(**changes)}},
    }


def denials(done: Any) -> dict[str, str]:
    """Messages by field, without the opening sentence: kubectl prints one cause behind the name, several as a list."""
    assert done.returncode == 1, done.stderr
    lead = r"(?:Migratable refuses .*? Reason: )?"
    said = re.findall(rf"^(?:\* |The .* is invalid: )([\w.\[\]]+): {lead}(.*)$", done.stderr, re.MULTILINE)
    assert said, done.stderr
    return dict(said)
