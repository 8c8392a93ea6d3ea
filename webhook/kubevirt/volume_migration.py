"""
Volume migrations (``updateVolumesStrategy: Migration``): when a VM returns to the claims that are being replaced.

KubeVirt copies the volumes of a running VM to other claims and takes the old ones back only where all of them return
(``pkg/virt-controller/watch/volume-migration/volume-migration.go`` VolumeMigrationCancel and revertedToOldVolumes,
``pkg/virt-controller/watch/vm/vm.go`` syncVolumeMigration, v1.4.1 and v1.9.0).

``status.volumeUpdateState`` records the old claims. virt-controller writes it for a running VM under the rollout strategy
LiveUpdate, and virt-api refuses the strategy where its feature gates are off (1.3 and 1.4; generally available from 1.5 on). So
the record says that KubeVirt migrates, whatever the release. No role that KubeVirt gives to users includes
``virtualmachines/status`` (``pkg/virt-operator/resource/generate/rbac/cluster.go``, v1.9.0). KubeVirt 1.3 writes no record.

This module does no I/O.
"""

from typing import Final

from webhook.objects.vm import VirtualMachine

MIGRATION: Final = "Migration"
_UNDER_WAY: Final = "VolumesChange"
"""The VM's condition while volumes are copied; afterwards it is removed, and the record stays."""
_FAILED: Final = "ManualRecoveryRequired"
"""The VM stopped while volumes were copied: it starts again only with the old claims."""


def restored_claims(old: VirtualMachine, new: VirtualMachine) -> frozenset[tuple[str, str]]:
    """
    Volume and claim for each volume that returns to the claim which a volume migration is replacing.

    Empty unless all of them return at once, as KubeVirt demands it, and a migration is under way or has failed.
    """
    status = old.status
    state = status.volume_update_state if status is not None else None
    migrating = state.volume_migration_state if state is not None else None
    if status is None or migrating is None or not migrating.migrated_volumes:
        return frozenset()
    true = {each.type for each in status.conditions or () if each.status == "True"}
    if _FAILED not in true and not (_UNDER_WAY in true and new.spec.update_volumes_strategy == MIGRATION):
        return frozenset()
    sources = {
        (each.volume_name, each.source_pvc_info.claim_name if each.source_pvc_info is not None else "")
        for each in migrating.migrated_volumes
    }
    template = new.spec.template.spec if new.spec.template is not None else None
    mounted = {(each.name, each.claim) for each in (template.volumes if template is not None else None) or ()}
    return frozenset(sources) if sources <= mounted else frozenset()
