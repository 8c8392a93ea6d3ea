"""The kinds from which a drain is rehearsed, in addition to the kinds that rules look up."""

from typing import Final

from webhook.objects import disruption, nad, running, storage
from webhook.objects.kinds import KINDS, KUBEVIRT_GROUP, Kind, group_of
from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod
from webhook.objects.vmi import VirtualMachineInstance

ESSENTIAL: Final[tuple[type[Kubernetes], ...]] = (nad.Node, Pod, running.RunningVMI)
"""The classes without which no outcome is known."""

_CORE = ("v1", "v1alpha3")
OWN: tuple[Kind, ...] = (
    Kind("", "Pod", "pods", ("v1",), True, Pod),
    Kind(KUBEVIRT_GROUP, "VirtualMachineInstance", "virtualmachineinstances", _CORE, True, running.RunningVMI),
    Kind(
        KUBEVIRT_GROUP,
        "VirtualMachineInstanceMigration",
        "virtualmachineinstancemigrations",
        _CORE,
        True,
        running.Migration,
    ),
)

FLEET_KINDS: tuple[Kind, ...] = (*OWN, *(kind for kind in KINDS if kind.reads is not VirtualMachineInstance))
"""All kinds that a rehearsal reads. A VMI is read with its status."""
FLEET_BY_CLASS: dict[type[Kubernetes], Kind] = {kind.reads: kind for kind in FLEET_KINDS}
_BY_GROUP_KIND = {(kind.group, kind.kind): kind for kind in FLEET_KINDS}

OPTIONAL: Final[tuple[type[Kubernetes], ...]] = (
    disruption.PodDisruptionBudget,
    running.Migration,
    storage.PersistentVolumeClaim,
    storage.PersistentVolume,
    nad.Namespace,
)
"""Classes of which a rehearsal assumes that there is no object, if none was provided."""


def find_fleet_kind(api_version: str, kind: str) -> Kind | None:
    """Returns the kind of an object in any served version, or None for a kind that a rehearsal does not read."""
    return _BY_GROUP_KIND.get((group_of(api_version), kind))
