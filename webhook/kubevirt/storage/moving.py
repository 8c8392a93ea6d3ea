"""
The facts about volume migration: KubeVirt copies the volumes of a running VM to other claims.

Source: ``ValidateVolumes`` of ``pkg/virt-controller/watch/volume-migration/volume-migration.go``, v1.3.1 to v1.9.0.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from webhook.facts.migration import ClaimFacts, MigrationFacts
from webhook.facts.storage import FixedVolume, VolumeMigrationFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Release, Releases, only, since
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.path import FieldPath
from webhook.objects.quantity import parse_quantity
from webhook.objects.vmi import Devices, Volume

VOLUME_MIGRATION: Final[Releases] = since(Release(1, 3))
COUNTS_VOLUMES: Final = Release(1, 7)
"""
From this release on, the sizes of the claims extend the time allowed. Earlier releases multiply them by 10^9, so in effect there
is no limit (``GetTotalSizeMigratedVolumes``, v1.3.1 to v1.6.6, and v1.7.0; corrected in v1.7.4).
"""
_NO_HOTPLUGGED: Final[Releases] = only(Release(1, 3))
_NO_DEVICES: Final = Devices()


def volume_migration_facts(
    facts: MigrationFacts, world: World, reasons: Mapping[tuple[str, ...], Releases]
) -> VolumeMigrationFacts | None:
    """
    The facts, or None if the VM does not use volume migration. ``reasons`` are the reasons of condition StorageLiveMigratable.
    """
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


class MovedVolume(msgspec.Struct, frozen=True):
    """A claim that KubeVirt copies in a volume migration."""

    volume: str
    claim: str
    path: FieldPath
    size: int | None
    """The requested size in bytes, or None if it is not known."""


def moved_volumes(facts: MigrationFacts) -> tuple[MovedVolume, ...]:
    """
    The claims that a volume migration can copy, or no claim for a VM with another strategy.

    KubeVirt copies the volumes whose claim changes, and refuses an update that leaves out a ReadWriteOnce claim.
    """
    if facts.volumes_strategy is None or not facts.releases & VOLUME_MIGRATION:
        return ()
    return tuple(MovedVolume(claim.volume, claim.claim, claim.path, _size(claim)) for claim in facts.claims)


def _size(claim: ClaimFacts) -> int | None:
    quantity = parse_quantity(claim.requested) if claim.requested is not None else None
    return quantity.value if quantity is not None and quantity.nano >= 0 else None


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
