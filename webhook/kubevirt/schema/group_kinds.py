"""
The kinds in the API groups of KubeVirt, CDI and Multus, as data with sources. Migratable does not read all of these kinds.

Other projects add kinds to these groups, so the lists are not complete.
"""

from collections.abc import Mapping
from functools import cache

from webhook.objects.kinds import KINDS

OTHERS: Mapping[str, tuple[str, ...]] = {
    # staging/src/kubevirt.io/api/core/v1/register.go, v1.3.1 and v1.9.0. Earlier projects with kinds in this group:
    # kubevirt/node-maintenance-operator (NodeMaintenance), kubevirt/kubevirt-ssp-operator (KubevirtCommonTemplatesBundle to
    # KubevirtTemplateValidator) and kubevirt/v2v-conversion-host (V2VVmware).
    "kubevirt.io": (
        "VirtualMachineInstanceMigration",
        "VirtualMachineInstancePreset",
        "NodeMaintenance",
        "KubevirtCommonTemplatesBundle",
        "KubevirtMetricsAggregation",
        "KubevirtNodeLabellerBundle",
        "KubevirtTemplateValidator",
        "V2VVmware",
    ),
    # CRDs of CDI v1.59.0 and v1.66.0
    "cdi.kubevirt.io": (
        "CDI",
        "CDIConfig",
        "DataImportCron",
        "ObjectTransfer",
        "VolumeCloneSource",
        "VolumeImportSource",
        "VolumeUploadSource",
    ),
    # CRDs of kubevirt/kubevirt-migration-controller and kubevirt/kubevirt-migration-operator, 2026-07
    "migrations.kubevirt.io": (
        "MigController",
        "MultiNamespaceVirtualMachineStorageMigration",
        "MultiNamespaceVirtualMachineStorageMigrationPlan",
        "VirtualMachineStorageMigration",
        "VirtualMachineStorageMigrationPlan",
    ),
    # CRDs of k8snetworkplumbingwg/multi-networkpolicy (v1beta1, v1beta2) and k8snetworkplumbingwg/ipamclaims (v1alpha1)
    "k8s.cni.cncf.io": ("IPAMClaim", "MultiNetworkPolicy"),
    # staging/src/kubevirt.io/api/*/register.go, v1.3.1 and v1.9.0
    "backup.kubevirt.io": ("VirtualMachineBackup", "VirtualMachineBackupTracker"),
    "clone.kubevirt.io": ("VirtualMachineClone",),
    "export.kubevirt.io": ("VirtualMachineExport",),
    "snapshot.kubevirt.io": ("VirtualMachineRestore", "VirtualMachineSnapshot", "VirtualMachineSnapshotContent"),
}
"""Kinds that Migratable does not read, by API group."""
GROUPS = frozenset(
    (
        *("kubevirt.io", "pool.kubevirt.io", "instancetype.kubevirt.io", "cdi.kubevirt.io", "migrations.kubevirt.io"),
        *(
            "hco.kubevirt.io",
            "k8s.cni.cncf.io",
            "backup.kubevirt.io",
            "clone.kubevirt.io",
            "export.kubevirt.io",
            "snapshot.kubevirt.io",
        ),
    )
)
"""The API groups in which a misspelt kind is reported."""


@cache
def kinds_of(group: str) -> frozenset[str]:
    """All known kinds of an API group."""
    return frozenset((*(kind.kind for kind in KINDS if kind.group == group), *OTHERS.get(group, ())))
