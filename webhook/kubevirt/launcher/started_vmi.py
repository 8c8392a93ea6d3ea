"""
The VMI that KubeVirt stores when a VM starts: the template of the VM with its instancetype, its preference and the defaults.

Source: ``pkg/defaults/defaults.go`` and ``pkg/instancetype/apply``, v1.9.0; up to 1.6.3, ``setDefaultResourceRequests`` also
sets the memory request. This module does no I/O. Hyper-V dependencies and presets are not applied.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.expansion.inherited import Inherited, inherited_by
from webhook.kubevirt.launcher.quantities import nano, whole, written
from webhook.kubevirt.launcher.surroundings import reached
from webhook.kubevirt.releases import Version, judged_as, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import (
    Device,
    LauncherBootloader,
    LauncherCPU,
    LauncherDevices,
    LauncherDomain,
    LauncherFirmware,
    LauncherInterface,
    LauncherMemory,
    LauncherResources,
    LauncherSecurity,
    LauncherTemplate,
    LauncherTPM,
    LauncherVMI,
    LauncherVMISpec,
)
from webhook.objects.meta import Kubernetes, ObjectMeta, Quantity
from webhook.objects.quantity import NANO
from webhook.objects.vmi import Hugepages, Machine

S = TypeVar("S", bound=msgspec.Struct)

_DEFAULT_CPU_REQUEST = "100m"


def started_vmi(
    judged: Kubernetes,
    template: LauncherTemplate,
    world: World,
    configuration: LauncherConfiguration,
    version: Version,
) -> LauncherVMI | Unknown:
    """
    The VMI of a VM that starts now, or a VMI that is created now. ``template`` is the VMI in ``judged``. The result is Unknown
    without the instancetype or preference of the VM.
    """
    subject, release = subject_of(judged), judged_as(version.release)
    if subject is None or release is None:
        return Unknown("the release is not supported", "name a supported release")
    inherited = [*inherited_by(subject, world, only(release))][-1]
    if inherited.unknown is not None:
        return inherited.unknown
    facts = [*expand(subject, world, only(release))][-1]
    outer, meta = judged.meta, template.metadata or ObjectMeta()
    named = ObjectMeta(
        outer.name, namespace=outer.namespace, labels=meta.labels, annotations=dict(facts.annotations), uid=outer.uid
    )
    spec = _spec(template.spec or LauncherVMISpec(), facts, inherited, configuration, version)
    return LauncherVMI("kubevirt.io/v1", "VirtualMachineInstance", named, spec)


def _spec(
    spec: LauncherVMISpec,
    facts: MigrationFacts,
    inherited: Inherited,
    configuration: LauncherConfiguration,
    version: Version,
) -> LauncherVMISpec:
    domain, instancetype, preference = spec.domain, inherited.instancetype, inherited.preference
    efi = preference.firmware.preferred_efi if preference.firmware is not None else None
    firmware = domain.firmware
    if efi is not None and (firmware is None or firmware.bootloader is None):
        firmware = replace(firmware or LauncherFirmware(), bootloader=LauncherBootloader(efi))
    machine = domain.machine if domain.machine is not None and domain.machine.type else None
    architecture = facts.architecture
    resources = _resources(domain, facts, configuration, version)
    return replace(
        spec,
        architecture=spec.architecture or architecture,
        networks=spec.networks or list(facts.networks),
        node_selector={**(instancetype.node_selector or {}), **(spec.node_selector or {})} or None,
        scheduler_name=spec.scheduler_name or instancetype.scheduler_name or "",
        domain=replace(
            domain,
            cpu=_cpu(domain.cpu or LauncherCPU(), resources, facts, inherited),
            memory=_memory(domain.memory or LauncherMemory(), facts, inherited),
            resources=resources,
            devices=_devices(domain.devices, facts, inherited),
            firmware=firmware,
            launch_security=domain.launch_security or _converted(instancetype.launch_security, LauncherSecurity),
            io_threads_policy=domain.io_threads_policy or instancetype.io_threads_policy,
            io_threads=domain.io_threads or instancetype.io_threads,
            machine=machine or Machine(configuration.machine_type_of(architecture)),
        ),
    )


def _cpu(own: LauncherCPU, resources: LauncherResources, facts: MigrationFacts, inherited: Inherited) -> LauncherCPU:
    """The topology, the model and the placement (``applyCPU``, ``SetDefaultGuestCPUTopology``, ``setDefaultCPUModel``)."""
    theirs = inherited.instancetype.cpu
    cpu = replace(own, model=own.model or _known_model(facts), features=list(facts.cpu_features) or None)
    if theirs is not None:
        cpu = replace(
            cpu,
            dedicated_cpu_placement=own.dedicated_cpu_placement or bool(theirs.dedicated_cpu_placement),
            isolate_emulator_thread=own.isolate_emulator_thread or bool(theirs.isolate_emulator_thread),
            realtime=own.realtime or theirs.realtime,
        )
        if theirs.guest and not own.vcpus:
            return replace(cpu, sockets=theirs.guest, cores=1, threads=1)
    if own.vcpus:
        return cpu
    for amounts in (resources.limits, resources.requests):
        if amounts and "cpu" in amounts:
            return replace(cpu, sockets=whole(nano(amounts["cpu"])), cores=1, threads=1)
    return replace(cpu, sockets=1, cores=1, threads=1)


def _known_model(facts: MigrationFacts) -> str:
    return "host-model" if isinstance(facts.cpu_model, Unknown) else facts.cpu_model


def _memory(own: LauncherMemory, facts: MigrationFacts, inherited: Inherited) -> LauncherMemory:
    theirs = inherited.instancetype.memory
    guest = facts.guest_memory
    return replace(
        own,
        guest=guest.value if isinstance(guest, Sourced) else own.guest,
        hugepages=own.hugepages or _converted(theirs.hugepages if theirs is not None else None, Hugepages),
    )


def _resources(
    domain: LauncherDomain, facts: MigrationFacts, configuration: LauncherConfiguration, version: Version
) -> LauncherResources:
    """The requests that the mutating webhook adds (``setDefaultResourceRequests``)."""
    own = domain.resources
    requests: dict[str, Quantity] = dict(own.requests or {})
    limits = own.limits or {}
    if nano(limits.get("cpu", 0)) and not nano(requests.get("cpu", 0)):
        requests["cpu"] = limits["cpu"]
    if not reached(version, (1, 6, 4)):
        if nano(limits.get("memory", 0)) and not nano(requests.get("memory", 0)):
            requests["memory"] = limits["memory"]
        guest = facts.guest_memory
        if "memory" not in requests and isinstance(guest, Sourced) and nano(guest.value) > 0:
            requests["memory"] = _overcommitted(guest.value, configuration, version)
    request = configuration.cpu_request
    is_dedicated = domain.cpu is not None and domain.cpu.dedicated_cpu_placement
    is_set = request is not None and nano(request) != nano(_DEFAULT_CPU_REQUEST)
    if request is not None and is_set and "cpu" not in requests and not is_dedicated:
        requests["cpu"] = request
    return replace(own, requests=requests or None)


def _overcommitted(guest: Quantity, configuration: LauncherConfiguration, version: Version) -> Quantity:
    """The memory request for a guest. In 1.6.2, virt-controller divides the request instead of the webhook."""
    overcommit = configuration.developer.memory_overcommit or 100
    if overcommit == 100 or version == (1, 6, 2):
        return guest
    return written(whole(nano(guest)) * 100 // overcommit * NANO)


def _devices(own: LauncherDevices, facts: MigrationFacts, inherited: Inherited) -> LauncherDevices:
    instancetype, preferred = inherited.instancetype, inherited.preference.devices
    autoattach, tpm = own.autoattach_pod_interface, own.tpm
    if preferred is not None:
        autoattach = preferred.preferred_autoattach_pod_interface if autoattach is None else autoattach
        tpm = tpm or _converted(preferred.preferred_tpm, LauncherTPM)
    return replace(
        own,
        autoattach_pod_interface=autoattach,
        tpm=tpm,
        interfaces=own.interfaces or [LauncherInterface(one.name) for one in facts.interfaces] or None,
        gpus=own.gpus or _all_converted(instancetype.gpus),
        host_devices=own.host_devices or _all_converted(instancetype.host_devices),
    )


def _all_converted(devices: Sequence[msgspec.Struct] | None) -> list[Device] | None:
    converted = (_converted(device, Device) for device in devices or ())
    return [device for device in converted if device is not None] or None


def _converted(value: msgspec.Struct | None, wanted: type[S]) -> S | None:
    """The same fields in another class. Fields that the class does not have are left out."""
    return None if value is None else msgspec.convert(_without_nulls(msgspec.to_builtins(value)), wanted)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - plain JSON
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return value
