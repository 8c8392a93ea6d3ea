"""
The LiveMigratable condition that virt-handler would write, and the migration method.

Source: ``pkg/virt-handler/vm.go`` calculateLiveMigrationCondition and checkVolumesForMigration, v1.0.1 to v1.9.0.
"""

from collections.abc import Collection, Sequence
from functools import cache

import msgspec

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Absent
from webhook.kubevirt.releases import Behaviour, Reason, Release, Releases, only, since
from webhook.objects.vmi import Disk

_FILESYSTEMS_EXEMPT: Releases = since(Release(1, 5))
_MIGRATED_BLOCKS: Releases = since(Release(1, 4))
_STATE_FIRST: Releases = only(Release(1, 3))
_HOST_MODEL_DIFFERS = (
    "only some of the nodes that run VMs report their host CPU model, and the VM has no TSC frequency, so the reason "
    "depends on the node"
)


NOT_MIGRATABLE = "NotMigratable"
"""The reason of a condition StorageLiveMigratable that is False."""


class StorageVerdict(msgspec.Struct, frozen=True):
    """
    The condition StorageLiveMigratable: whether KubeVirt may move the VM to other claims. Volumes do not affect this condition.

    If the condition is False, its reason is ``NotMigratable``, and its message lists all reasons.
    """

    live_migratable: bool | None
    reasons: tuple[Reason, ...] = ()
    """The reasons in the message, in KubeVirt's order."""
    possible: tuple[Reason, ...] = ()
    """The reasons that cannot be decided because a fact is missing."""


class Verdict(msgspec.Struct, frozen=True):
    """KubeVirt's own verdict for one release. ``live_migratable`` is None if the verdict is unproven."""

    live_migratable: bool | None
    reason: Reason | None
    """
    The first reason in this release's order. None if the condition is True or unproven, or if an unproven reason comes earlier
    in that order (``possible``).
    """
    release: Release
    migration_method: str
    """``BlockMigration`` if the migration copies disks, otherwise ``LiveMigration`` (``status.migrationMethod``)."""
    unproven: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    possible: tuple[Reason, ...] = ()
    """If the condition is False and ``reason`` is None, these are the possible reasons. KubeVirt sets the first that applies."""
    storage: StorageVerdict | None = None
    """The condition StorageLiveMigratable, or None if the release has no such condition (1.3 and earlier)."""


class Evidence(msgspec.Struct, frozen=True):
    """The results of the rules in one release."""

    refusing: Collection[Reason]
    """The reasons that apply."""
    undecided: Collection[Reason]
    """The reasons that cannot be decided because a fact is missing."""
    host_model_differs: bool
    """Whether the VM's CPU model is host-model, and only some of the nodes report their CPU model."""
    unproven: tuple[str, ...]
    assumptions: tuple[str, ...]


def decide(behaviour: Behaviour, evidence: Evidence, method: str, storage: StorageVerdict | None = None) -> Verdict:
    """
    The verdict of one release. If several reasons apply, the first one in that release's order counts.

    If only some nodes report a host model, the reason depends on the node that runs the VM: the host model or the TSC
    frequency. The verdict is then unproven.
    """
    release, assumptions, unproven = behaviour.release, evidence.assumptions, evidence.unproven
    earlier: list[Reason] = []
    for reason in behaviour.order if evidence.refusing or evidence.undecided else ():
        if reason in evidence.refusing:
            if reason is Reason.NO_TSC and evidence.host_model_differs:
                return Verdict(None, None, release, method, (*unproven, _HOST_MODEL_DIFFERS), assumptions, (), storage)
            if earlier:
                return Verdict(False, None, release, method, unproven, assumptions, (*earlier, reason), storage)
            return Verdict(False, reason, release, method, unproven, assumptions, (), storage)
        if reason in evidence.undecided:
            earlier.append(reason)
    return Verdict(None if unproven else True, None, release, method, unproven, assumptions, (), storage)


_STORAGE_ORDER: tuple[tuple[Reason, Releases], ...] = (
    (Reason.INTERFACE, since(Release(1, 4))),
    (Reason.CPU_MODE, since(Release(1, 4))),
    (Reason.VIRTIOFS, only(Release(1, 4))),
    (Reason.HOST_DEVICE, since(Release(1, 4))),
    (Reason.SEV, since(Release(1, 4))),
    (Reason.TDX, since(Release(1, 7))),
    (Reason.PERSISTENT_RESERVATION, since(Release(1, 4))),
    (Reason.NO_TSC, since(Release(1, 4))),
    (Reason.HYPERV_PASSTHROUGH, since(Release(1, 4))),
)
"""
The reasons of StorageLiveMigratable in KubeVirt's order, each with its releases.

Source: ``pkg/virt-handler/vm.go`` calculateLiveStorageMigrationCondition, v1.4.1 to v1.9.0.
"""


_STORAGE_MIGRATABLE = StorageVerdict(True)


def decide_storage(behaviour: Behaviour, evidence: Evidence, facts: MigrationFacts) -> StorageVerdict | None:
    """The condition StorageLiveMigratable of one release. Releases before 1.4 do not have it."""
    order, is_reserved = _storage_order(behaviour.release), _reserves(facts)
    if not order:
        return None
    if not (evidence.refusing or evidence.undecided or is_reserved):
        return _STORAGE_MIGRATABLE
    refusing = set(evidence.refusing)
    if is_reserved:
        refusing.add(Reason.PERSISTENT_RESERVATION)
    if Reason.SEV in refusing:
        refusing.discard(Reason.TDX)  # KubeVirt checks for TDX only if the VM does not use SEV
    reasons = tuple(reason for reason in order if reason in refusing)
    possible = tuple(reason for reason in order if reason in evidence.undecided and reason not in refusing)
    return StorageVerdict(False if reasons else None if possible else True, reasons, possible)


@cache
def _storage_order(release: Release) -> tuple[Reason, ...]:
    return tuple(reason for reason, releases in _STORAGE_ORDER if releases & only(release))


def _reserves(facts: MigrationFacts) -> bool:
    devices = facts.spec.domain.devices if facts.spec.domain is not None else None
    for disk in (devices.disks if devices is not None else None) or ():  # noqa: SIM110 - any() takes three times as long
        if disk.lun is not None and disk.lun.reservation:
            return True
    return False


def migration_method(facts: MigrationFacts, release: Releases) -> str:
    """The value of ``status.migrationMethod``. ``release`` must be a set of one release."""
    return "BlockMigration" if _blocks(facts, release) else "LiveMigration"


def _blocks(facts: MigrationFacts, release: Releases) -> bool:
    """
    Whether the migration copies any volume. The result is also True for a volume that cannot migrate, because KubeVirt's check
    ends there.
    """
    if release & _MIGRATED_BLOCKS and facts.migrated_volumes:
        return True
    if release & _STATE_FIRST and facts.state_claim is not None:
        modes = facts.state_claim.access_modes
        if isinstance(modes, frozenset) and "ReadWriteMany" not in modes:
            return True
    domain = facts.spec.domain
    devices = domain.devices if domain is not None else None
    disks = (devices.disks if devices is not None else None) or ()
    filesystems: set[str] = set()
    if devices is not None and devices.filesystems and release & _FILESYSTEMS_EXEMPT:
        filesystems = {filesystem.name for filesystem in devices.filesystems}
    offending: set[str] = set()
    for claim in facts.claims:
        modes = claim.access_modes
        if isinstance(modes, Absent) or (isinstance(modes, frozenset) and "ReadWriteMany" not in modes):
            offending.add(claim.volume)
    for volume in facts.spec.volumes or ():
        if volume.claim is not None:
            if volume.name in offending and volume.name not in facts.migrated_volumes:
                return True
        elif volume.host_disk is not None:
            if not volume.host_disk.shared:
                return True
        elif volume.name not in filesystems and not _is_on_read_only_cdrom(volume.name, disks):
            return True
    return False


def _is_on_read_only_cdrom(volume: str, disks: Sequence[Disk]) -> bool:
    for disk in disks:  # noqa: SIM110 - any() takes three times as long
        if disk.name == volume and disk.cdrom is not None and disk.cdrom.readonly is not False:
            return True
    return False
