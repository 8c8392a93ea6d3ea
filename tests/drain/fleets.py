"""Makes clusters with running VMs, as plain objects: nodes with KubeVirt's labels, VMs, VMIs, launchers and claims."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from webhook.facts.fleet import Fleet
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod
from webhook.kubevirt.launcher.surroundings import Surroundings
from webhook.kubevirt.releases import Version
from webhook.manifests.fleet_files import read_fleet
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.storage import ClaimSpec, PersistentVolumeClaim

Object = dict[str, Any]
_BLOCK: Final = PersistentVolumeClaim(spec=ClaimSpec(volume_mode="Block"))
VERSION: Final = Version(1, 9, 0)
MODEL: Final = "Skylake-Server"
ALLOCATABLE: Final = {
    "cpu": "32",
    "memory": "128Gi",
    "pods": "250",
    "ephemeral-storage": "200G",
    "devices.kubevirt.io/kvm": "1k",
    "devices.kubevirt.io/tun": "1k",
    "devices.kubevirt.io/vhost-net": "1k",
}


def node(
    name: str, *, labels: dict[str, str] | None = None, allocatable: dict[str, str] | None = None, **spec: Any
) -> Object:
    """A node that runs VMs."""
    own = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubevirt.io/schedulable": "true",
        "kubevirt.io/cpumanager": "true",
        f"host-model-cpu.node.kubevirt.io/{MODEL}": "true",
        f"cpu-model.node.kubevirt.io/{MODEL}": "true",
        f"cpu-model-migration.node.kubevirt.io/{MODEL}": "true",
        "cpu-vendor.node.kubevirt.io/Intel": "true",
        "cpu-feature.node.kubevirt.io/aes": "true",
        "machine-type.node.kubevirt.io/q35": "true",
        "machine-type.node.kubevirt.io/pc-q35-rhel9.6.0": "true",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": own | (labels or {})},
        "spec": spec,
        "status": {
            "allocatable": ALLOCATABLE | (allocatable or {}),
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def kubevirt(**configuration: Any) -> Object:
    """The KubeVirt CR."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration},
        "status": {"observedKubeVirtVersion": f"v{VERSION}"},
    }


def vmi(
    name: str,
    on: str,
    *,
    namespace: str = "lab",
    memory: str = "4Gi",
    strategy: str | None = "LiveMigrate",
    migratable: bool = True,
    why: tuple[str, str] = ("DisksNotLiveMigratable", "cannot migrate VMI: PVC data is not shared"),
    labels: dict[str, str] | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """A running VMI."""
    condition = {"type": "LiveMigratable", "status": "True" if migratable else "False"}
    if not migratable:
        condition |= {"reason": why[0], "message": why[1]}
    domain = {
        "cpu": {"cores": 2, "sockets": 1, "threads": 1, "model": "host-model"},
        "memory": {"guest": memory},
        "machine": {"type": "q35"},
        "devices": {"interfaces": [{"name": "default", "masquerade": {}}]},
        "resources": {},
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": labels or {},
            "annotations": {"kubevirt.io/latest-observed-api-version": "v1"},
        },
        "spec": {
            "architecture": "amd64",
            "domain": domain | spec.pop("domain", {}),
            "networks": [{"name": "default", "pod": {}}],
            **({"evictionStrategy": strategy} if strategy is not None else {}),
            **spec,
        },
        "status": {
            "phase": "Running",
            "nodeName": on,
            "conditions": [condition],
            "selinuxContext": "none",
            "machine": {"type": "pc-q35-rhel9.6.0"},
            **(status or {}),
        },
    }


def vm(running: Object, **spec: Any) -> Object:
    """The VirtualMachine of a VMI, which then names it as its owner."""
    meta = running["metadata"]
    running["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "name": meta["name"],
            "uid": "vm",
            "controller": True,
        }
    ]
    template = {"metadata": {"labels": meta["labels"]}, "spec": running["spec"]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"runStrategy": "Always", "template": template} | spec,
    }


def launcher(running: Object, **spec: Any) -> Object:
    """The pod in which a VMI runs."""
    around = Surroundings(
        VERSION,
        namespace_labels={},
        quota_resources=frozenset(),
        claims=dict.fromkeys(_claims_of(running), _BLOCK),
        networks={},
    )
    started = msgspec.convert(running | {"status": {"phase": "Scheduling"}}, LauncherVMI)
    rendered = launcher_pod(started, around)
    assert isinstance(rendered, Rendered), rendered
    pod = msgspec.to_builtins(rendered.pod())
    meta = running["metadata"]
    pod["metadata"] = {
        "name": f"virt-launcher-{meta['name']}-abcde",
        "namespace": meta["namespace"],
        "labels": dict(rendered.labels),
        "annotations": {"kubevirt.io/domain": meta["name"]},
        "ownerReferences": [
            {
                "apiVersion": "kubevirt.io/v1",
                "kind": "VirtualMachineInstance",
                "name": meta["name"],
                "uid": meta["uid"],
                "controller": True,
            }
        ],
    }
    pod["spec"] |= {"nodeName": running["status"]["nodeName"]} | spec
    pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return json.loads(json.dumps(_without_nulls(pod)))


def running(*machines: Object) -> Iterator[Object]:
    """VMIs with their launchers."""
    for machine in machines:
        yield machine
        yield launcher(machine)


def owned(*machines: Object, **spec: Any) -> Iterator[Object]:
    """VMIs with their VMs and launchers."""
    for machine in machines:
        yield vm(machine, **spec)
        yield from running(machine)


def as_fleet(objects: Iterable[Object]) -> Fleet:
    """The objects as read from a file."""
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}).encode()
    read = read_fleet([("fleet.json", content)])
    assert read.problems == []
    return read.fleet()


def _claims_of(running: Object) -> Iterator[str]:
    for volume in running["spec"].get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
