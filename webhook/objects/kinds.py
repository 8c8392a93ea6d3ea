"""The kinds that are read, and their names in the API."""

import msgspec

from webhook.objects import disruption, hyper_converged, instancetype, kubevirt, nad, quotas, storage, vm, vmi
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import PatchedCopy


class Kind(msgspec.Struct, frozen=True):
    """A kind: its names in the API, the served versions (newest first), and its class."""

    group: str
    kind: str
    plural: str
    versions: tuple[str, ...]
    namespaced: bool
    reads: type[Kubernetes]
    judged: bool = False
    """Whether rules judge objects of this kind. Objects of other kinds are only looked up."""


KUBEVIRT_GROUP = "kubevirt.io"
POOL_GROUP = "pool.kubevirt.io"
INSTANCETYPE_GROUP = "instancetype.kubevirt.io"
CDI_GROUP = "cdi.kubevirt.io"
_CORE = ("v1", "v1alpha3")
_SNAPSHOT = ("v1beta1", "v1alpha1")
_INSTANCETYPE = ("v1beta1", "v1alpha2", "v1alpha1")

KINDS: tuple[Kind, ...] = (
    Kind(KUBEVIRT_GROUP, "VirtualMachine", "virtualmachines", _CORE, True, vm.VirtualMachine, judged=True),
    Kind(
        KUBEVIRT_GROUP,
        "VirtualMachineInstance",
        "virtualmachineinstances",
        _CORE,
        True,
        vmi.VirtualMachineInstance,
        judged=True,
    ),
    Kind(
        KUBEVIRT_GROUP,
        "VirtualMachineInstanceReplicaSet",
        "virtualmachineinstancereplicasets",
        _CORE,
        True,
        vm.VirtualMachineInstanceReplicaSet,
        judged=True,
    ),
    Kind(
        POOL_GROUP,
        "VirtualMachinePool",
        "virtualmachinepools",
        ("v1beta1", "v1alpha1"),
        True,
        vm.VirtualMachinePool,
        judged=True,
    ),
    Kind(KUBEVIRT_GROUP, "KubeVirt", "kubevirts", _CORE, True, kubevirt.KubeVirt, judged=True),
    Kind(
        "k8s.cni.cncf.io",
        "NetworkAttachmentDefinition",
        "network-attachment-definitions",
        ("v1",),
        True,
        nad.NetworkAttachmentDefinition,
        judged=True,
    ),
    Kind(
        "migrations.kubevirt.io",
        "MigrationPolicy",
        "migrationpolicies",
        ("v1alpha1",),
        False,
        kubevirt.MigrationPolicy,
        judged=True,
    ),
    Kind(
        hyper_converged.HYPER_CONVERGED_GROUP,
        "HyperConverged",
        "hyperconvergeds",
        ("v1", "v1beta1"),
        True,
        hyper_converged.HyperConverged,
        judged=True,
    ),
    Kind("", "PersistentVolumeClaim", "persistentvolumeclaims", ("v1",), True, storage.PersistentVolumeClaim),
    Kind("", "PersistentVolume", "persistentvolumes", ("v1",), False, storage.PersistentVolume),
    Kind(CDI_GROUP, "DataVolume", "datavolumes", ("v1beta1",), True, storage.DataVolume),
    Kind(CDI_GROUP, "DataSource", "datasources", ("v1beta1",), True, storage.DataSource),
    Kind(CDI_GROUP, "StorageProfile", "storageprofiles", ("v1beta1",), False, storage.StorageProfile),
    Kind("storage.k8s.io", "StorageClass", "storageclasses", ("v1",), False, storage.StorageClass),
    Kind(
        INSTANCETYPE_GROUP,
        "VirtualMachineInstancetype",
        "virtualmachineinstancetypes",
        _INSTANCETYPE,
        True,
        instancetype.VirtualMachineInstancetype,
    ),
    Kind(
        INSTANCETYPE_GROUP,
        "VirtualMachineClusterInstancetype",
        "virtualmachineclusterinstancetypes",
        _INSTANCETYPE,
        False,
        instancetype.VirtualMachineClusterInstancetype,
    ),
    Kind(
        INSTANCETYPE_GROUP,
        "VirtualMachinePreference",
        "virtualmachinepreferences",
        _INSTANCETYPE,
        True,
        instancetype.VirtualMachinePreference,
    ),
    Kind(
        INSTANCETYPE_GROUP,
        "VirtualMachineClusterPreference",
        "virtualmachineclusterpreferences",
        _INSTANCETYPE,
        False,
        instancetype.VirtualMachineClusterPreference,
    ),
    Kind("apps", "ControllerRevision", "controllerrevisions", ("v1",), True, instancetype.ControllerRevision),
    Kind("policy", "PodDisruptionBudget", "poddisruptionbudgets", ("v1",), True, disruption.PodDisruptionBudget),
    Kind("", "ResourceQuota", "resourcequotas", ("v1",), True, quotas.ResourceQuota),
    Kind("", "Node", "nodes", ("v1",), False, nad.Node),
    Kind("", "Namespace", "namespaces", ("v1",), False, nad.Namespace),
    Kind("networking.k8s.io", "ServiceCIDR", "servicecidrs", ("v1", "v1beta1"), False, nad.ServiceCIDR),
)

PATCHED_COPIES: tuple[Kind, ...] = (
    Kind("clone.kubevirt.io", "VirtualMachineClone", "virtualmachineclones", _SNAPSHOT, True, PatchedCopy),
    Kind("snapshot.kubevirt.io", "VirtualMachineRestore", "virtualmachinerestores", _SNAPSHOT, True, PatchedCopy),
)
"""Kinds from which virt-controller creates a VM with patches that a user writes. Only the patches are judged."""

BY_GROUP_KIND: dict[tuple[str, str], Kind] = {(kind.group, kind.kind): kind for kind in KINDS}
PATCHED_COPY_BY_GROUP_KIND: dict[tuple[str, str], Kind] = {(kind.group, kind.kind): kind for kind in PATCHED_COPIES}
BY_CLASS: dict[type[Kubernetes], Kind] = {kind.reads: kind for kind in KINDS}


def group_of(api_version: str) -> str:
    """Returns the group of an ``apiVersion``, for example ``kubevirt.io`` for ``kubevirt.io/v1``, and '' (core) for ``v1``."""
    return api_version.rpartition("/")[0]


def find_kind(api_version: str, kind: str) -> Kind | None:
    """Returns the kind of an object in any served version, or None for a kind that is not read."""
    return BY_GROUP_KIND.get((group_of(api_version), kind))
