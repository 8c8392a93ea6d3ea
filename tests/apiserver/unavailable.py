"""A cluster whose webhooks do not respond, and the objects in it."""

import copy
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.standin import StandIn

Manifest = dict[str, Any]
KUBEVIRT = "kubevirt"


CONTROLLER = f"system:serviceaccount:{KUBEVIRT}:kubevirt-controller"


VIRT_API = f"system:serviceaccount:{KUBEVIRT}:kubevirt-apiserver"


HANDLER = f"system:serviceaccount:{KUBEVIRT}:kubevirt-handler"


OPERATOR = f"system:serviceaccount:{KUBEVIRT}:kubevirt-operator"


HYPER_CONVERGED = f"system:serviceaccount:{KUBEVIRT}:hyperconverged-cluster-operator"


COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"


NAMESPACES = "system:serviceaccount:kube-system:namespace-controller"


CDI = "system:serviceaccount:cdi:cdi-sa"


ACCOUNTS = (CONTROLLER, VIRT_API, HANDLER, OPERATOR, HYPER_CONVERGED, COLLECTOR, NAMESPACES, CDI)


KINDS = "vm/machine vmi/instance vmirs/set vmpool/pool net-attach-def/network"


TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "domain": {
            "memory": {"guest": "64Mi"},
            "devices": {"hostDevices": [{"name": "usb", "deviceName": "kubevirt.io/usb"}]},
        },
        "volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}],
    },
}
"""A VM that cannot be live-migrated. A webhook that responds denies it."""


RESTORED = "restore.kubevirt.io/lastRestoreUID"


HOT = {"name": "hot", "persistentVolumeClaim": {"claimName": "hot", "hotpluggable": True}}


SELECTED = {"matchLabels": {"app": "web"}}


def vm(name: str, **spec: Any) -> Manifest:
    start = {} if "running" in spec else {"runStrategy": "Halted"}
    return made("kubevirt.io/v1", "VirtualMachine", name, start | {"template": TEMPLATE} | spec)


def vmi(name: str, **metadata: Any) -> Manifest:
    manifest = made("kubevirt.io/v1", "VirtualMachineInstance", name, TEMPLATE["spec"])
    manifest["metadata"] |= metadata
    return manifest


def replica_set(name: str) -> Manifest:
    spec = {"replicas": 1, "selector": SELECTED, "template": TEMPLATE}
    return made("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", name, spec)


def pool(name: str) -> Manifest:
    machine = {"metadata": {"labels": {"app": "web"}}, "spec": {"runStrategy": "Halted", "template": TEMPLATE}}
    spec = {"replicas": 1, "selector": SELECTED, "virtualMachineTemplate": machine}
    return made("pool.kubevirt.io/v1beta1", "VirtualMachinePool", name, spec)


def nad(name: str) -> Manifest:
    return made("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", name, {"config": "{}"})


def migration(name: str) -> Manifest:
    return made("kubevirt.io/v1", "VirtualMachineInstanceMigration", name, {"vmiName": "instance"})


def claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    return made("v1", "PersistentVolumeClaim", name, spec)


def pod(name: str) -> Manifest:
    return made("v1", "Pod", name, {"containers": [{"name": "c", "image": "registry.example.org/c:1"}]})


def made(version: str, kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {"of": "script"}}}
    return copy.deepcopy(manifest | {"spec": spec})


@dataclass
class Dark:
    """A cluster whose webhooks lead to the stand-in, and a namespace that was filled before."""

    plane: ControlPlane
    standin: StandIn
    namespace: str

    def kubectl(self, *arguments: str, as_user: str = "", stdin: object = None) -> subprocess.CompletedProcess[str]:
        """Whatever its outcome."""
        return self.plane.client.kubectl(
            "-n",
            self.namespace,
            *([f"--as={as_user}"] if as_user else []),
            *arguments,
            stdin=None if stdin is None else json.dumps(stdin),
            check=False,
        )

    def assert_passes_unseen(self, *arguments: str, as_user: str = "", stdin: object = None) -> None:
        """Passes without a call of a webhook."""
        before = self.standin.reviews, self.standin.connections
        done = self.kubectl(*arguments, as_user=as_user, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        asked = self.standin.reviews, self.standin.connections
        assert asked == before, f"kubectl {' '.join(arguments)} asked a webhook"

    def assert_patches(self, objects: str, body: object, *flags: str, as_user: str = "") -> None:
        """``kubectl patch`` of some objects, each as ``kind/name``."""
        self.assert_passes_unseen(
            "patch", *objects.split(), "--type=merge", "-p", json.dumps(body), *flags, as_user=as_user
        )

    def assert_passes(self, *arguments: str, as_user: str = "", stdin: object = None) -> None:
        """Passes although a webhook with failurePolicy Ignore is called and does not answer."""
        done = self.kubectl(*arguments, as_user=as_user, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"


def fill(plane: ControlPlane, namespace: str) -> None:
    """Creates the objects that exist before the outage."""
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "machine", "uid": "1"}
    held, going = vm("held"), vm("going")
    for manifest in (held, going):
        manifest["metadata"]["finalizers"] = ["example.com/hold"]
    objects = [
        *(vm(name) for name in ("machine", "doomed", "doomed-too", "drifted", "plugged")),
        vm("old-style", running=False),
        *(held, going),
        *(replica_set(name) for name in ("set", "doomed")),
        *(pool(name) for name in ("pool", "doomed")),
        vmi("instance", ownerReferences=[owner]),
        vmi("doomed"),
        vmi("plugged"),
        *(nad(name) for name in ("network", "doomed")),
        *(migration(name) for name in ("moving", "doomed")),
        *(claim("os"), pod("pod")),
    ]
    client = plane.client
    client.kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(listed(objects)))
    client.kubectl("-n", namespace, "delete", "vm", "going", "--wait=false")
    volume = {
        "addVolumeOptions": {"name": "hot", "disk": {"name": "hot"}, "volumeSource": {"dataVolume": {"name": "x"}}}
    }
    status = json.dumps({"status": {"volumeRequests": [volume]}})
    client.kubectl("-n", namespace, "patch", "vm", "machine", "--subresource=status", "--type=merge", "-p", status)


def listed(objects: Sequence[Manifest]) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}
