"""
The memory that a launcher pod needs beside the memory of its guest.

Source: ``GetMemoryOverhead`` of ``pkg/virt-controller/services/renderresources.go``, v1.3.1 to v1.7.4, and of
``pkg/hypervisor/kvm/hypervisorbackend.go``, v1.8.0 to v1.9.0. This module does no I/O.
"""

from typing import Final

from webhook.kubevirt.launcher.quantities import KILO, MIB, nano, whole
from webhook.kubevirt.launcher.surroundings import Surroundings, reached
from webhook.kubevirt.launcher.traits import guaranteed_or_dedicated, has_sev, has_tpm, has_vfio
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.launcher_vmi import LauncherDomain, LauncherVMI, LauncherVMISpec
from webhook.objects.quantity import NANO

_PAGE_TABLE: Final = 512
"""One byte for every 512 bytes of guest memory."""
_PER_VCPU, _IO_THREAD = 8, 8
_PROBES, _PROBE = 100, 10
_PASST: Final = 250
"""``getPasstMemoryOverhead`` of ``pkg/network/resources/memory.go``, v1.8.0."""


def memory_overhead(vmi: LauncherVMI, around: Surroundings) -> int:
    """The memory overhead in billionths of a byte (``CalculateMemoryOverhead`` of ``template.go``, v1.9.0)."""
    version = around.version
    always = guaranteed_or_dedicated(vmi, version)
    before_ratio = reached(version, (1, 5, 3))
    megabytes = _processes(around) + _devices(vmi, around) + (100 if always and before_ratio else 0)
    overhead = (_page_table(vmi.spec.domain) + megabytes * MIB) * NANO + _reserved(vmi.spec, around)
    overhead = _with_ratio(overhead, around.configuration)
    if always and not before_ratio:
        overhead += 100 * MIB * NANO
    return overhead + _networks(vmi, around)


def _page_table(domain: LauncherDomain) -> int:
    """The bytes for page tables, from ``requests.memory`` of the VMI rounded up to 1,000 bytes."""
    requested = nano((domain.resources.requests or {}).get("memory", 0))
    return whole(requested, KILO) * KILO // _PAGE_TABLE


def _processes(around: Surroundings) -> int:
    """The MiB for the processes in the launcher pod: monitor, launcher, virtlogd, virtqemud, QEMU."""
    version = around.version
    qemu = 50 if version[:2] >= (1, 10) else 30
    virtqemud = 40 if reached(version, (1, 4, 1)) else 35
    virtlogd = 25 if version[:2] >= (1, 5) else 20
    return 25 + 100 + virtlogd + virtqemud + qemu


def _devices(vmi: LauncherVMI, around: Surroundings) -> int:
    """The MiB for vCPUs and devices."""
    spec, version = vmi.spec, around.version
    devices = spec.domain.devices
    total = _PER_VCPU * _vcpus(spec.domain) + _IO_THREAD
    if devices.autoattach_graphics_device is not False:
        total += 32 if version[:2] >= (1, 6) else 16
    if (spec.architecture or around.architecture) == "arm64":
        total += 128
    if has_vfio(vmi):
        total += 1024
    if any(volume.downward_metrics is not None for volume in spec.volumes or ()):
        total += 1
    if has_sev(vmi, version):
        total += 256
    if has_tpm(vmi, version):
        total += 53
    probes = sum(probe is not None and probe.exec is not None for probe in (spec.liveness_probe, spec.readiness_probe))
    return total + probes * _PROBE + (_PROBES if probes else 0)


def _vcpus(domain: LauncherDomain) -> int:
    """The vCPUs. Without ``cpu``, these are ``limits.cpu``, or else ``requests.cpu``, or else 1."""
    if domain.cpu is not None:
        return max(domain.cpu.vcpus, 1)
    for resources in (domain.resources.limits, domain.resources.requests):
        if resources is not None and "cpu" in resources:
            return max(whole(nano(resources["cpu"])), 1)
    return 1


def _reserved(spec: LauncherVMISpec, around: Surroundings) -> int:
    memory = spec.domain.memory
    reserved = memory.reserved_overhead if memory is not None else None
    if reserved is None or reserved.added_overhead is None or around.version[:2] < (1, 8):
        return 0
    return nano(reserved.added_overhead)


def _with_ratio(overhead: int, configuration: LauncherConfiguration) -> int:
    """The overhead times ``additionalGuestMemoryOverheadRatio``, computed as Go's ``MultiplyMemory`` computes it."""
    text = configuration.additional_guest_memory_overhead_ratio
    if not text:
        return overhead
    try:
        ratio = float(text)
    except ValueError:
        return overhead  # KubeVirt logs a warning and uses no ratio
    return overhead + int(float(whole(overhead, KILO)) * (ratio - 1.0)) * KILO * NANO


def _networks(vmi: LauncherVMI, around: Surroundings) -> int:
    """The memory of network binding plugins, once for each plugin (``pkg/network/resources/memory.go``)."""
    interfaces = vmi.spec.domain.devices.interfaces or ()
    total = 0
    if around.version[:2] >= (1, 8) and any(interface.passt_binding is not None for interface in interfaces):
        total += _PASST * MIB * NANO
    for name in {interface.binding.name for interface in interfaces if interface.binding is not None}:
        plugin = around.configuration.bindings.get(name)
        needs = plugin.compute_resource_overhead if plugin is not None else None
        if needs is not None:
            total += nano((needs.requests or {}).get("memory", 0))
    return total
