"""
Fields that a VM and its instancetype both set. KubeVirt refuses a VM with such a field.

Source: ``pkg/instancetype/apply`` (cpu, memory, gpu, hostdevices, launchsecurity, annotations), v1.9.0.
"""

from collections.abc import Iterator

from webhook.kubevirt.expansion.inferred import IGNORE
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeCPU, InstancetypeSpec
from webhook.objects.path import FieldPath
from webhook.objects.vmi import CPU, Devices, Domain, Resources

_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()
_NO_RESOURCES = Resources()
_NO_CPU = CPU()
_NO_INSTANCETYPE_CPU = InstancetypeCPU()


def conflicts(subject: Subject, instancetype: InstancetypeSpec) -> tuple[FieldPath, ...]:
    """The paths of the VM's fields that its instancetype also sets."""
    domain = subject.spec.domain or _NO_DOMAIN
    devices = domain.devices or _NO_DEVICES
    paths: list[FieldPath] = [(*subject.base, "domain", *steps) for steps in _cpu(domain, instancetype)]
    paths.extend((*subject.base, "domain", *steps) for steps in _memory(subject, domain))
    if devices.gpus and instancetype.gpus:
        paths.append((*subject.base, "domain", "devices", "gpus"))
    if devices.host_devices and instancetype.host_devices:
        paths.append((*subject.base, "domain", "devices", "hostDevices"))
    if domain.launch_security is not None and instancetype.launch_security is not None:
        paths.append((*subject.base, "domain", "launchSecurity"))
    own = subject.meta.annotations or {}
    for key, value in (instancetype.annotations or {}).items():
        if own.get(key, value) != value:
            paths.append((*subject.base[:-1], "metadata", "annotations", key))
    return tuple(paths)


def _cpu(domain: Domain, instancetype: InstancetypeSpec) -> Iterator[FieldPath]:
    """
    The CPU fields that conflict.

    An instancetype always sets the number of CPUs. Other CPU fields conflict only if the instancetype also sets them.
    """
    cpu, theirs = domain.cpu or _NO_CPU, instancetype.cpu or _NO_INSTANCETYPE_CPU
    resources = domain.resources or _NO_RESOURCES
    if "cpu" in (resources.requests or {}):
        yield ("resources", "requests", "cpu")
    if "cpu" in (resources.limits or {}):
        yield ("resources", "limits", "cpu")
    for name, own in (("sockets", cpu.sockets), ("cores", cpu.cores), ("threads", cpu.threads)):
        if own:
            yield ("cpu", name)
    if cpu.model and theirs.model is not None:
        yield ("cpu", "model")
    if cpu.dedicated_cpu_placement and theirs.dedicated_cpu_placement is not None:
        yield ("cpu", "dedicatedCpuPlacement")
    if cpu.isolate_emulator_thread and theirs.isolate_emulator_thread is not None:
        yield ("cpu", "isolateEmulatorThread")


def _memory(subject: Subject, domain: Domain) -> Iterator[FieldPath]:
    """
    The first memory field that conflicts. KubeVirt drops the VM's ``memory`` if the instancetype is inferred with failure
    policy Ignore.
    """
    matcher = subject.vm.instancetype
    dropped = matcher is not None and matcher.infer_from_volume and matcher.infer_from_volume_failure_policy == IGNORE
    resources = domain.resources or _NO_RESOURCES
    if domain.memory is not None and domain.memory.guest is not None and not dropped:
        yield ("memory", "guest")
    elif "memory" in (resources.requests or {}):
        yield ("resources", "requests", "memory")
    elif "memory" in (resources.limits or {}):
        yield ("resources", "limits", "memory")
