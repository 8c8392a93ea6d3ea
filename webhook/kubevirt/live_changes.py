"""
Changes to a running VirtualMachine that wait for a restart if the VM cannot be live-migrated.

Sources: ``pkg/virt-controller/watch/vm/vm.go`` (addRestartRequiredIfNeeded, handleCPUChangeRequest,
handleMemoryHotplugRequest, validLiveUpdateVolumes), ``pkg/network/vmliveupdate/restart.go`` and
``pkg/virt-controller/watch/workload-updater/workload-updater.go`` (doesRequireMigration), v1.4.1 to v1.9.0; v1.3.1
``pkg/virt-controller/watch/vm.go``.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from webhook.facts.live_change import LiveChange
from webhook.kubevirt.releases import KNOWN, NONE, Release, Releases, since
from webhook.kubevirt.settings.live_update import GATE, GATE_NEEDED, LIVE_UPDATE, LIVE_UPDATE_BY_DEFAULT
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Quantity
from webhook.objects.path import FieldPath
from webhook.objects.quantity import parse_quantity
from webhook.objects.vm import MIGRATION, Matcher, VirtualMachine, VirtualMachineSpec
from webhook.objects.vmi import CPU, Interface, Network, VMISpec, Volume

_SPEC: Final[FieldPath] = ("spec", "template", "spec")
_UNPLUGGED: Final = "absent"
_CLUSTER: Final = "cluster"
_PROCESSOR_FIELDS: Final = tuple(
    (field, name)
    for field, name in zip(CPU.__struct_fields__, CPU.__struct_encode_fields__, strict=True)
    if field != "sockets"
)
"""The fields of ``domain.cpu`` that KubeVirt never changes in a running VM, in Python and in manifests."""
_IN_ANY_STRATEGY: Final = since(Release(1, 4))
"""In these releases, KubeVirt adds an interface without a restart, regardless of vmRolloutStrategy."""
_NETWORK_NAMES: Final = since(Release(1, 9))


def live_update_in(configuration: Configuration) -> Releases:
    """The releases in which KubeVirt applies changes to a running VM under this configuration."""
    if not configuration.vm_rollout_strategy:
        return LIVE_UPDATE_BY_DEFAULT
    if configuration.vm_rollout_strategy != LIVE_UPDATE:
        return NONE
    developer = configuration.developer_configuration
    gates = (developer.feature_gates if developer is not None else None) or ()
    return KNOWN if GATE in gates else KNOWN & ~GATE_NEEDED


def live_changes(old: VirtualMachine, new: VirtualMachine, live_update: Releases) -> Iterator[LiveChange]:
    """
    The changes that wait for a restart: those that need a live migration, and those that KubeVirt never applies to a running
    VM. Without LiveUpdate, users expect that a change waits, so only interfaces and networks are reported.
    """
    before_, after = _spec_of(old), _spec_of(new)
    if before_ is None or after is None or not _is_running(old, new):
        return
    if live_update:
        yield from _references(old.spec, new.spec, live_update)
        yield from _processor(before_, after, live_update)
        yield from _memory(before_, after, live_update)
        yield from _volumes(before_, after, live_update, moves=new.spec.update_volumes_strategy == MIGRATION)
    yield from _interfaces(before_, after, live_update | _IN_ANY_STRATEGY)
    yield from _networks(before_, after, live_update | _IN_ANY_STRATEGY)


def _spec_of(vm: VirtualMachine) -> VMISpec | None:
    return vm.spec.template.spec if vm.spec.template is not None else None


def _is_running(old: VirtualMachine, new: VirtualMachine) -> bool:
    is_created = old.status is not None and old.status.created is True
    return is_created and new.meta.deletion_timestamp is None


def _references(old: VirtualMachineSpec, new: VirtualMachineSpec, releases: Releases) -> Iterator[LiveChange]:
    """
    Another instancetype or preference. KubeVirt applies the sockets and the guest memory of an instancetype by a live
    migration, and nothing else of these objects.
    """
    for field, migrates in (("instancetype", True), ("preference", False)):
        former, wanted = getattr(old, field), getattr(new, field)
        if wanted is not None and (former is None or _is_another(former, wanted)):
            yield LiveChange(("spec", field), f"the {field}", releases, migrates)


def _is_another(former: Matcher, wanted: Matcher) -> bool:
    """Whether a reference leads to another object or revision. virt-controller adds the revision to a reference without one."""
    is_revised = former.revision_name is not None and former.revision_name != wanted.revision_name
    return is_revised or _referred(former) != _referred(wanted)


def _referred(matcher: Matcher) -> tuple[str, bool]:
    """The object that a reference names. The kind is cluster-wide by default, and may be a plural in lower case."""
    kind = (matcher.kind or _CLUSTER).lower()
    return matcher.name or "", _CLUSTER in kind


def _processor(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former, wanted = (_cpu_of(spec) for spec in (old, new))
    if former is None or wanted is None:
        return
    if (former.sockets or 1) != (wanted.sockets or 1):
        migrates = (wanted.sockets or 1) > (former.sockets or 1)
        yield LiveChange((*_SPEC, "domain", "cpu", "sockets"), "the number of sockets", releases, migrates)
    for field, name in _PROCESSOR_FIELDS:
        if (getattr(former, field) or None) != (getattr(wanted, field) or None):
            yield LiveChange((*_SPEC, "domain", "cpu", name), f"cpu.{name}", releases, migrates=False)


def _cpu_of(spec: VMISpec) -> CPU | None:
    return spec.domain.cpu if spec.domain is not None else None


def _memory(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former, wanted = (spec.domain.memory if spec.domain is not None else None for spec in (old, new))
    if former is None or wanted is None:
        return
    sizes = _amount(former.guest), _amount(wanted.guest)
    if None not in sizes and sizes[0] != sizes[1]:
        yield LiveChange((*_SPEC, "domain", "memory", "guest"), "the guest memory", releases, migrates=True)
    if _amount(former.max_guest) != _amount(wanted.max_guest):
        yield LiveChange((*_SPEC, "domain", "memory", "maxGuest"), "memory.maxGuest", releases, migrates=False)


def _amount(quantity: Quantity | None) -> int | None:
    amount = parse_quantity(quantity)
    return amount.nano if amount is not None else None


def _interfaces(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    """New interfaces, which KubeVirt plugs in, and changed or removed ones. One with state ``absent`` is unplugged already."""
    former = {interface.name: interface for interface in _interfaces_of(old)}
    if not former:
        return
    place = (*_SPEC, "domain", "devices", "interfaces")
    for index, interface in enumerate(_interfaces_of(new)):
        earlier = former.pop(interface.name, None)
        if earlier is None or replace(earlier, state=interface.state) != interface:
            yield LiveChange((*place, index), f"interface {interface.name!r}", releases, migrates=earlier is None)
    for name, earlier in former.items():
        if earlier.state != _UNPLUGGED:
            yield LiveChange(place, f"interface {name!r} (removed)", releases, migrates=False)


def _interfaces_of(spec: VMISpec) -> list[Interface]:
    devices = spec.domain.devices if spec.domain is not None else None
    return (devices.interfaces if devices is not None else None) or []


def _networks(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    """
    Networks that kept their name and changed. From 1.9 on, KubeVirt connects a running VM to another
    NetworkAttachmentDefinition by a live migration (1.8: feature gate LiveUpdateNADRef).
    """
    former = {network.name: network for network in old.networks or ()}
    for index, network in enumerate(new.networks or ()):
        earlier = former.get(network.name)
        if earlier is None or earlier == network:
            continue
        path, name = (*_SPEC, "networks", index), f"network {network.name!r}"
        renamed = network.multus is not None and earlier.multus is not None
        by_migration = releases & _NETWORK_NAMES if renamed and _same_but_name(network, earlier) else NONE
        yield LiveChange(path, name, releases & ~by_migration, migrates=False)
        yield LiveChange(path, name, by_migration, migrates=True)


def _same_but_name(one: Network, other: Network) -> bool:
    return one.multus is not None and other.multus is not None and one.multus.default == other.multus.default


def _volumes(old: VMISpec, new: VMISpec, releases: Releases, *, moves: bool) -> Iterator[LiveChange]:
    """
    New, changed and removed volumes, except hotplugged ones. With ``updateVolumesStrategy: Migration`` (``moves``), a volume
    may get another claim.
    """
    former: dict[str, Volume] = {volume.name: volume for volume in old.volumes or ()}
    for index, volume in enumerate(new.volumes or ()):
        earlier = former.pop(volume.name, None)
        may_change = moves and earlier is not None and volume.claim is not None
        if earlier != volume and not may_change and not _is_hotpluggable(volume):
            yield LiveChange((*_SPEC, "volumes", index), f"volume {volume.name!r}", releases, migrates=False)
    for name, volume in former.items():
        if not _is_hotpluggable(volume):
            yield LiveChange((*_SPEC, "volumes"), f"volume {name!r} (removed)", releases, migrates=False)


def _is_hotpluggable(volume: Volume) -> bool:
    source = volume.persistent_volume_claim or volume.data_volume or volume.memory_dump
    return source is not None and source.hotpluggable is True
