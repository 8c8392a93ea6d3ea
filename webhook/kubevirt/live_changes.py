"""
Changes to a running VirtualMachine that wait for a restart if the VM cannot be live-migrated.

Sources: ``pkg/virt-controller/watch/vm/vm.go`` (addRestartRequiredIfNeeded, handleCPUChangeRequest,
handleMemoryHotplugRequest, validLiveUpdateVolumes), ``pkg/network/vmliveupdate/restart.go`` and
``pkg/virt-controller/watch/workload-updater/workload-updater.go`` (doesRequireMigration), v1.4.1 to v1.9.0; v1.3.1
``pkg/virt-controller/watch/vm.go``.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.facts.live_change import LiveChange
from webhook.kubevirt.releases import KNOWN, NONE, Release, Releases, since
from webhook.kubevirt.settings.live_update import GATE, GATE_NEEDED, LIVE_UPDATE, LIVE_UPDATE_BY_DEFAULT
from webhook.objects.kubevirt import Configuration
from webhook.objects.path import FieldPath
from webhook.objects.quantity import parse_quantity
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import CPU, Domain, Interface, VMISpec, Volume

_SPEC: Final[FieldPath] = ("spec", "template", "spec")
_MIGRATION: Final = "Migration"
_IN_ANY_STRATEGY: Final = since(Release(1, 4))
"""In these releases, KubeVirt adds an interface without a restart, regardless of vmRolloutStrategy."""


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
    VM. Without LiveUpdate, users expect that a change waits, so only new interfaces are reported.
    """
    before_, after = _spec_of(old), _spec_of(new)
    if before_ is None or after is None or not _is_running(old, new):
        return
    if live_update:
        yield from _sockets(before_, after, live_update)
        yield from _memory(before_, after, live_update)
        if new.spec.update_volumes_strategy != _MIGRATION:
            yield from _volumes(before_, after, live_update)
    yield from _interfaces(before_, after, live_update | _IN_ANY_STRATEGY)


def _spec_of(vm: VirtualMachine) -> VMISpec | None:
    return vm.spec.template.spec if vm.spec.template is not None else None


def _is_running(old: VirtualMachine, new: VirtualMachine) -> bool:
    is_created = old.status is not None and old.status.created is True
    return is_created and new.meta.deletion_timestamp is None


def _sockets(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former, wanted = (_cpu_of(spec) for spec in (old, new))
    if former is None or wanted is None or (former.sockets or 1) == (wanted.sockets or 1):
        return
    path = (*_SPEC, "domain", "cpu", "sockets")
    yield LiveChange(path, "the number of sockets", releases, (wanted.sockets or 1) > (former.sockets or 1))


def _cpu_of(spec: VMISpec) -> CPU | None:
    return spec.domain.cpu if spec.domain is not None else None


def _memory(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former, wanted = (_memory_of(spec.domain) for spec in (old, new))
    if former is None or wanted is None or former == wanted:
        return
    yield LiveChange((*_SPEC, "domain", "memory", "guest"), "the guest memory", releases, migrates=True)


def _memory_of(domain: Domain | None) -> int | None:
    memory = domain.memory if domain is not None else None
    amount = parse_quantity(memory.guest) if memory is not None else None
    return amount.nano if amount is not None else None


def _interfaces(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former = {interface.name for interface in _interfaces_of(old)}
    if not former:
        return
    for index, interface in enumerate(_interfaces_of(new)):
        if interface.name not in former:
            path = (*_SPEC, "domain", "devices", "interfaces", index)
            yield LiveChange(path, f"interface {interface.name!r}", releases, migrates=True)


def _interfaces_of(spec: VMISpec) -> list[Interface]:
    devices = spec.domain.devices if spec.domain is not None else None
    return (devices.interfaces if devices is not None else None) or []


def _volumes(old: VMISpec, new: VMISpec, releases: Releases) -> Iterator[LiveChange]:
    former: Mapping[str, Volume] = {volume.name: volume for volume in old.volumes or ()}
    for index, volume in enumerate(new.volumes or ()):
        if former.get(volume.name) != volume and not _is_hotpluggable(volume):
            yield LiveChange((*_SPEC, "volumes", index), f"volume {volume.name!r}", releases, migrates=False)


def _is_hotpluggable(volume: Volume) -> bool:
    source = volume.persistent_volume_claim or volume.data_volume
    return source is not None and source.hotpluggable is True
