"""
The data that a migration transfers, and the devices that prevent post-copy.

Sources, v1.9.0: ``setGuestMemory`` of ``pkg/defaults/defaults.go`` (up to 1.8 of ``pkg/virt-config`` and the VMI's
mutating webhook); ``getVMIMigrationDataSize`` of ``pkg/virt-launcher/virtwrap/manager.go``; ``getDiskTargetsForMigration``
of ``pkg/virt-launcher/virtwrap/live-migration-source.go``; ``HasVFIO`` of ``pkg/vmitrait/vmitrait.go``.
"""

from collections.abc import Iterator

import msgspec

from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Fact
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.subject import Subject
from webhook.objects.meta import Json, Quantity
from webhook.objects.path import FieldPath
from webhook.objects.quantity import parse_quantity
from webhook.objects.vmi import Domain, Memory, Resources

_NO_DOMAIN = Domain()
_NO_MEMORY = Memory()
_NO_RESOURCES = Resources()
_NOTHING = (0, "0")
"""Amounts that KubeVirt ignores in requests and limits."""


def guest_memory(subject: Subject, inherited: Inherited) -> Fact[Sourced[Quantity] | None]:
    """
    The guest's memory as written, with its path, or None if no field sets the memory.

    These fields have precedence in this order: the VM's ``memory.guest``, the instancetype's ``memory.guest``, requests,
    limits, the size of one huge page.
    """
    domain = subject.spec.domain or _NO_DOMAIN
    memory = domain.memory or _NO_MEMORY
    if memory.guest is not None:
        return Sourced((*subject.base, "domain", "memory", "guest"), memory.guest)
    theirs = inherited.instancetype.memory
    if theirs is not None and theirs.guest is not None:
        return Sourced((*subject.owner, "instancetype"), theirs.guest, inherited.origin)
    if inherited.unknown_instancetype is not None:
        return inherited.unknown_instancetype
    base, resources = (*subject.base, "domain"), domain.resources or _NO_RESOURCES
    for part, listed in (("requests", resources.requests), ("limits", resources.limits)):
        written = listed.get("memory") if listed else None
        if written is not None and written not in _NOTHING:
            return Sourced((*base, "resources", part, "memory"), written)
    page = memory.hugepages.page_size if memory.hugepages is not None else None
    return Sourced((*base, "memory", "hugepages", "pageSize"), page) if page is not None else None


def bytes_of(memory: Fact[Sourced[Quantity] | None]) -> Fact[Sourced[int] | None]:
    """The memory in bytes, or None if the API server refuses the value."""
    if not isinstance(memory, Sourced):
        return memory
    size = _bytes(memory.value)
    return Sourced(memory.path, size, memory.origin) if size is not None else None


def _bytes(written: Json) -> int | None:
    quantity = parse_quantity(written)
    return quantity.value if quantity is not None and quantity.nano >= 0 else None


class LocalDisk(msgspec.Struct, frozen=True):
    """A disk that KubeVirt copies with the memory."""

    volume: str
    path: FieldPath
    most: int | None
    """The maximum size in bytes, or None if the disk has no limit."""
    counts: bool
    """Whether the disk's size extends the timeout. KubeVirt does not measure the files of empty disks."""


def local_disks(facts: MigrationFacts) -> Iterator[LocalDisk]:
    """
    The disks that KubeVirt copies, in order: empty disks, and the writable overlays of container disks and claims.

    KubeVirt does not copy a CD-ROM. The disks that KubeVirt generates (such as cloud-init) are too small to matter.
    """
    devices = facts.spec.domain.devices if facts.spec.domain is not None else None
    drives = {disk.name for disk in (devices.disks if devices is not None else None) or () if disk.cdrom is not None}
    for index, volume in enumerate(facts.spec.volumes or ()):
        if volume.name in drives:
            continue
        path = facts.at("volumes", index)
        if volume.empty_disk is not None:
            yield LocalDisk(volume.name, path, _bytes(volume.empty_disk.capacity), counts=False)
        elif volume.container_disk is not None or volume.ephemeral is not None:
            yield LocalDisk(volume.name, path, None, counts=True)


def passed_through(facts: MigrationFacts) -> FieldPath | None:
    """
    The path of the first GPU, host device or SR-IOV interface. KubeVirt 1.9 never uses post-copy for a VM with such a device.
    """
    for held in (*(gpu.path for gpu in facts.gpus), *(device.path for device in facts.host_devices)):
        return held
    for index, interface in enumerate(facts.interfaces):
        if interface.sriov is not None:
            return facts.at("domain", "devices", "interfaces", index)
    return None
