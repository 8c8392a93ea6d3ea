"""
Fields that a VM and its instancetype both set: KubeVirt refuses such a VM.

Source: ``pkg/instancetype/apply`` (vmi.go and one file for each field), v1.5.3 to v1.9.0; ``pkg/instancetype/instancetype.go``,
v1.3.1 and v1.4.1.
"""

from collections.abc import Iterator
from typing import TypeAlias

from webhook.facts.migration import Conflict
from webhook.kubevirt.releases import KNOWN, Release, Releases, since
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeCPU, InstancetypeSpec
from webhook.objects.path import FieldPath
from webhook.objects.vm import IGNORE
from webhook.objects.vmi import CPU, Devices, Domain, IOThreads, Memory, Resources

_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()
_NO_RESOURCES = Resources()
_NO_CPU = CPU()
_NO_INSTANCETYPE_CPU = InstancetypeCPU()
_NO_MEMORY = Memory()
_NO_IO_THREADS = IOThreads()

MEMORY_BY_FIELD: Releases = since(Release(1, 7))
"""The releases that compare single fields of ``domain.memory``. Older releases refuse any ``memory``, even ``{}``."""

ANY_MEMORY: Releases = KNOWN & ~MEMORY_BY_FIELD

_IO_THREADS: Releases = since(Release(1, 7))

Steps: TypeAlias = tuple[FieldPath, Releases]
"""A path below the VMI's spec, and the releases that report a conflict there."""


def conflicts(subject: Subject, instancetype: InstancetypeSpec) -> tuple[Conflict, ...]:
    """The VM's fields that its instancetype also sets, in the order in which KubeVirt reports them."""
    domain = subject.spec.domain or _NO_DOMAIN
    conflicts = [
        Conflict((*subject.base, *steps), releases)
        for source in (
            _placement(subject, instancetype),
            _cpu(domain, instancetype),
            _memory(subject, domain, instancetype),
            _threads_and_devices(domain, instancetype),
        )
        for steps, releases in source
    ]
    own = subject.meta.annotations or {}
    for key, value in (instancetype.annotations or {}).items():
        if own.get(key, value) != value:
            conflicts.append(Conflict((*subject.base[:-1], "metadata", "annotations", key), KNOWN))
    return tuple(conflicts)


def _placement(subject: Subject, instancetype: InstancetypeSpec) -> Iterator[Steps]:
    if subject.spec.node_selector is not None and instancetype.node_selector is not None:
        yield ("nodeSelector",), KNOWN
    if subject.spec.scheduler_name and instancetype.scheduler_name:
        yield ("schedulerName",), KNOWN


def _cpu(domain: Domain, instancetype: InstancetypeSpec) -> Iterator[Steps]:
    """An instancetype always sets the number of CPUs; other fields conflict only if it sets them."""
    cpu, theirs = domain.cpu or _NO_CPU, instancetype.cpu or _NO_INSTANCETYPE_CPU
    resources = domain.resources or _NO_RESOURCES
    if "cpu" in (resources.requests or {}):
        yield ("domain", "resources", "requests", "cpu"), KNOWN
    if "cpu" in (resources.limits or {}):
        yield ("domain", "resources", "limits", "cpu"), KNOWN
    fields = (
        ("sockets", bool(cpu.sockets)),
        ("cores", bool(cpu.cores)),
        ("threads", bool(cpu.threads)),
        ("model", bool(cpu.model) and theirs.model is not None),
        ("dedicatedCpuPlacement", bool(cpu.dedicated_cpu_placement) and theirs.dedicated_cpu_placement is not None),
        ("isolateEmulatorThread", bool(cpu.isolate_emulator_thread) and theirs.isolate_emulator_thread is not None),
        ("numa", cpu.numa is not None and theirs.numa is not None),
        ("realtime", cpu.realtime is not None and theirs.realtime is not None),
    )
    for name, in_both in fields:
        if in_both:
            yield ("domain", "cpu", name), KNOWN


def _memory(subject: Subject, domain: Domain, instancetype: InstancetypeSpec) -> Iterator[Steps]:
    """
    The first memory field that conflicts. KubeVirt drops the VM's ``memory`` if the instancetype is inferred with failure
    policy Ignore.

    Older releases report ``memory`` as a whole. The result is the field inside ``memory`` that newer releases report, if any.
    """
    matcher = subject.vm.instancetype
    dropped = matcher is not None and matcher.infer_from_volume and matcher.infer_from_volume_failure_policy == IGNORE
    own, theirs = None if dropped else domain.memory, instancetype.memory or _NO_MEMORY
    resources = domain.resources or _NO_RESOURCES
    unreported = KNOWN
    if own is not None:
        for name, in_both in (
            ("guest", own.guest is not None),
            ("hugepages", own.hugepages is not None and theirs.hugepages is not None),
            ("maxGuest", own.max_guest is not None and theirs.max_guest is not None),
        ):
            if in_both:
                yield ("domain", "memory", name), KNOWN
                return
        yield ("domain", "memory"), ANY_MEMORY
        unreported = MEMORY_BY_FIELD
    if "memory" in (resources.requests or {}):
        yield ("domain", "resources", "requests", "memory"), unreported
    elif "memory" in (resources.limits or {}):
        yield ("domain", "resources", "limits", "memory"), unreported


def _threads_and_devices(domain: Domain, instancetype: InstancetypeSpec) -> Iterator[Steps]:
    devices = domain.devices or _NO_DEVICES
    own, theirs = domain.io_threads or _NO_IO_THREADS, instancetype.io_threads or _NO_IO_THREADS
    if own.supplemental_pool_thread_count is not None and theirs.supplemental_pool_thread_count is not None:
        yield ("domain", "ioThreads", "supplementalPoolThreadCount"), _IO_THREADS
    if domain.io_threads_policy is not None and instancetype.io_threads_policy is not None:
        yield ("domain", "ioThreadsPolicy"), KNOWN
    if domain.launch_security is not None and instancetype.launch_security is not None:
        yield ("domain", "launchSecurity"), KNOWN
    if devices.gpus and instancetype.gpus:
        yield ("domain", "devices", "gpus"), KNOWN
    if devices.host_devices and instancetype.host_devices:
        yield ("domain", "devices", "hostDevices"), KNOWN
