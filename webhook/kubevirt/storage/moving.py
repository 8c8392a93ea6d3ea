"""
The facts about volume migration: KubeVirt copies the volumes of a running VM to other claims.

Source: ``ValidateVolumes`` of ``pkg/virt-controller/watch/volume-migration/volume-migration.go``, v1.3.1 to v1.9.0.
"""

from collections.abc import Iterator
from typing import Final

from webhook.facts.migration import MigrationFacts
from webhook.facts.storage import FixedVolume, VolumeMigrationFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Release, Releases, only, since
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.vmi import Devices, Volume

VOLUME_MIGRATION: Final[Releases] = since(Release(1, 3))
_NO_HOTPLUGGED: Final[Releases] = only(Release(1, 3))
_NO_DEVICES: Final = Devices()


def volume_migration_facts(
    facts: MigrationFacts, world: World, reasons: tuple[str, ...]
) -> VolumeMigrationFacts | None:
    """The facts, or None if the VM has another strategy. ``reasons`` are those of StorageLiveMigratable."""
    if facts.volumes_strategy is None or not facts.releases & VOLUME_MIGRATION:
        return None
    kubevirts = world.every(KubeVirt)
    strategy = None if isinstance(kubevirts, Unknown) or not kubevirts else kubevirts[0].spec.workload_update_strategy
    return VolumeMigrationFacts(
        facts.volumes_strategy,
        facts.releases & VOLUME_MIGRATION,
        facts.configuration,
        tuple((strategy.workload_update_methods if strategy is not None else None) or ()),
        tuple(_fixed(facts)),
        reasons,
    )


def _fixed(facts: MigrationFacts) -> Iterator[FixedVolume]:
    devices = (facts.spec.domain.devices if facts.spec.domain is not None else None) or _NO_DEVICES
    disks = {disk.name: (index, disk) for index, disk in enumerate(devices.disks or ())}
    filesystems = {filesystem.name: index for index, filesystem in enumerate(devices.filesystems or ())}
    for index, volume in enumerate(facts.spec.volumes or ()):
        if volume.claim is None:
            continue
        if volume.name in filesystems:
            path = facts.at("domain", "devices", "filesystems", filesystems[volume.name])
            yield FixedVolume(volume.name, path, "it is mounted as a filesystem", VOLUME_MIGRATION)
            continue
        at, disk = disks.get(volume.name, (0, None))
        if disk is not None and disk.shareable:
            path = facts.at("domain", "devices", "disks", at, "shareable")
            yield FixedVolume(volume.name, path, "its disk is shareable", VOLUME_MIGRATION)
        elif disk is not None and disk.lun is not None:
            path = facts.at("domain", "devices", "disks", at, "lun")
            yield FixedVolume(volume.name, path, "its disk is a LUN", VOLUME_MIGRATION)
        elif _is_hotpluggable(volume):
            yield FixedVolume(volume.name, facts.at("volumes", index), "it is hotpluggable", _NO_HOTPLUGGED)


def _is_hotpluggable(volume: Volume) -> bool:
    return bool(
        (volume.persistent_volume_claim is not None and volume.persistent_volume_claim.hotpluggable)
        or (volume.data_volume is not None and volume.data_volume.hotpluggable)
    )
