"""
Detects an update that ends a volume migration (``updateVolumesStrategy`` Migration) and returns a VM to its earlier claims.

In a volume migration, KubeVirt copies the volumes of a running VM to other claims. KubeVirt accepts the old claims again only
if all of them return (``pkg/virt-controller/watch/volume-migration/volume-migration.go`` VolumeMigrationCancel and
revertedToOldVolumes, ``pkg/virt-controller/watch/vm/vm.go`` syncVolumeMigration, v1.4.1 and v1.9.0).

``status.volumeUpdateState`` records the old claims. virt-controller writes this record for a running VM under the rollout
strategy LiveUpdate. virt-api refuses the strategy if its feature gates are off, which is possible only in 1.3 and 1.4. The
record therefore proves a volume migration in every release. No role that KubeVirt gives to users includes
``virtualmachines/status`` (``pkg/virt-operator/resource/generate/rbac/cluster.go``, v1.9.0). KubeVirt 1.3 writes no record.

This module does no I/O.
"""

from typing import Final

from webhook.objects.vm import MIGRATION, VirtualMachine

_UNDER_WAY: Final = "VolumesChange"
"""The VM's condition while KubeVirt copies volumes. Afterwards KubeVirt removes the condition and keeps the record."""
_FAILED: Final = "ManualRecoveryRequired"
"""The condition of a VM that stopped during the copy. The VM starts again only with the old claims."""


def restored_claims(old: VirtualMachine, new: VirtualMachine) -> frozenset[tuple[str, str]]:
    """
    A (volume, claim) pair for each volume that returns to the claim that it had before the volume migration.

    The result is empty unless a volume migration runs or has failed, and all volumes return in the same update, as KubeVirt
    requires.
    """
    status = old.status
    state = status.volume_update_state if status is not None else None
    migrating = state.volume_migration_state if state is not None else None
    if status is None or migrating is None or not migrating.migrated_volumes:
        return frozenset()
    true = {condition.type for condition in status.conditions or () if condition.status == "True"}
    if _FAILED not in true and not (_UNDER_WAY in true and new.spec.update_volumes_strategy == MIGRATION):
        return frozenset()
    sources = {
        (volume.volume_name, volume.source_pvc_info.claim_name if volume.source_pvc_info is not None else "")
        for volume in migrating.migrated_volumes
    }
    template = new.spec.template.spec if new.spec.template is not None else None
    mounted = {(volume.name, volume.claim) for volume in (template.volumes if template is not None else None) or ()}
    return frozenset(sources) if sources <= mounted else frozenset()
