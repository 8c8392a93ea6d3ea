"""The kinds from which a drain is rehearsed, in addition to the kinds that rules look up."""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.objects import csi, nad, quotas, running, storage, volumes
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kinds import KINDS, KUBEVIRT_GROUP, PATCHED_COPIES, Kind, group_of
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.launcher_configuration import LauncherKubeVirt
from webhook.objects.launcher_vmi import LauncherVM, LauncherVMI
from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance

ESSENTIAL: Final[tuple[type[Kubernetes], ...]] = (nad.Node, Pod, running.RunningVMI)
"""The classes without which no outcome is known."""

_CORE = ("v1", "v1alpha3")
_STORAGE = "storage.k8s.io"
_OWN: tuple[Kind, ...] = (
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
    Kind("", "LimitRange", "limitranges", ("v1",), True, quotas.LimitRange),
    Kind("scheduling.k8s.io", "PriorityClass", "priorityclasses", ("v1",), False, quotas.PriorityClass),
    Kind(_STORAGE, "CSINode", "csinodes", ("v1",), False, csi.CSINode),
    Kind(_STORAGE, "CSIDriver", "csidrivers", ("v1",), False, csi.CSIDriver),
    Kind(_STORAGE, "CSIStorageCapacity", "csistoragecapacities", ("v1",), True, csi.CSIStorageCapacity),
    Kind(_STORAGE, "VolumeAttachment", "volumeattachments", ("v1",), False, csi.VolumeAttachment),
)

FLEET_KINDS: tuple[Kind, ...] = (*_OWN, *(kind for kind in KINDS if kind.reads is not VirtualMachineInstance))
"""All kinds that a rehearsal reads. A VMI is read with its status."""
DRAIN_KINDS: tuple[Kind, ...] = tuple(kind for kind in FLEET_KINDS if kind.reads is not ControllerRevision)
"""The kinds that are listed for the drain of a node. A ControllerRevision can contain a whole pod template."""
VIEWS: Mapping[type[Kubernetes], tuple[type[Kubernetes], ...]] = {
    running.RunningVMI: (LauncherVMI,),
    VirtualMachine: (LauncherVM,),
    KubeVirt: (LauncherKubeVirt,),
    storage.PersistentVolumeClaim: (volumes.VolumeClaim,),
    storage.PersistentVolume: (volumes.ClusterVolume,),
    storage.StorageClass: (volumes.BindingClass,),
}
"""More classes into which objects are read, with the fields that scheduling needs."""
FLEET_BY_CLASS: dict[type[Kubernetes], Kind] = {kind.reads: kind for kind in FLEET_KINDS}
_BY_GROUP_KIND = {(kind.group, kind.kind): kind for kind in FLEET_KINDS}


def classes_of(kind: Kind) -> tuple[type[Kubernetes], ...]:
    """The classes into which an object of the kind is read. The class of the kind is first."""
    return (kind.reads, *VIEWS.get(kind.reads, ()))


def prepare_decoding() -> None:
    """
    Lets msgspec prepare all classes of objects. Call this before threads start.

    msgspec 0.22 can end the process with SIGSEGV if two threads decode into one class for the first time.
    """
    for kind in (*FLEET_KINDS, *KINDS, *PATCHED_COPIES):
        for reads in classes_of(kind):
            msgspec.json.Decoder(reads)


def find_fleet_kind(api_version: str, kind: str) -> Kind | None:
    """Returns the kind of an object in any served version, or None for a kind that a rehearsal does not read."""
    return _BY_GROUP_KIND.get((group_of(api_version), kind))
