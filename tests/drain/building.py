"""Builders of the objects that a drain concerns."""

from typing import Any

import msgspec

from webhook.objects.pods import Pod
from webhook.objects.running import Migration, RunningVMI

NODE = "n1"
NAMESPACE = "tenant"


def vmi(
    name: str = "vm1", strategy: str | None = "LiveMigrate", migratable: str | None = "True", **status: Any
) -> RunningVMI:
    """A VMI on ``NODE``. ``migratable`` is the status of its condition LiveMigratable, or None without the condition."""
    conditions = [{"type": "LiveMigratable", "status": migratable}] if migratable is not None else []
    value = {
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"u-{name}"},
        "spec": {"evictionStrategy": strategy} if strategy is not None else {},
        "status": {"nodeName": NODE, "phase": "Running", "conditions": conditions, **status},
    }
    return msgspec.convert(value, RunningVMI)


def launcher(name: str = "vm1", node: str = NODE, phase: str = "Running", suffix: str = "abcde") -> Pod:
    """The launcher of the VMI ``name``."""
    value = {
        "metadata": {
            "name": f"virt-launcher-{name}-{suffix}",
            "namespace": NAMESPACE,
            "labels": {"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": f"u-{name}"},
            "annotations": {"kubevirt.io/domain": name},
            "ownerReferences": [
                {"kind": "VirtualMachineInstance", "name": name, "uid": f"u-{name}", "controller": True}
            ],
        },
        "spec": {"nodeName": node},
        "status": {"phase": phase},
    }
    return msgspec.convert(value, Pod)


def attachment(owner: Pod, node: str = NODE, name: str = "hp-volume-xyz12") -> Pod:
    """The pod that attaches hotplugged volumes for the launcher ``owner``."""
    value = {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"kubevirt.io": "hotplug-disk"},
            "ownerReferences": [{"kind": "Pod", "name": owner.name, "uid": "u-pod", "controller": True}],
        },
        "spec": {"nodeName": node},
        "status": {"phase": "Running"},
    }
    return msgspec.convert(value, Pod)


def migration(vmi_name: str = "vm1", phase: str = "Running", name: str = "m", **spec: Any) -> Migration:
    """A migration of the VMI ``vmi_name``."""
    value = {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"vmiName": vmi_name, **spec},
        "status": {"phase": phase},
    }
    return msgspec.convert(value, Migration)
