"""
The requests and limits of the container ``compute``.

KubeVirt keeps two lists for requests and two for limits: the VMI's own, and the calculated ones. At the end, the VMI's own list
replaces entries of the calculated list. This module keeps the same four lists and applies KubeVirt's rules in the same order,
because the rules depend on each other.

Source: ``VMIResourcePredicates`` of ``pkg/virt-controller/services/template.go`` and ``renderresources.go``, v1.3.1 to v1.9.0.
This module does no I/O.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.quantities import Amounts, amounts, nano, whole
from webhook.kubevirt.launcher.surroundings import Surroundings, gate_is_on, reached
from webhook.kubevirt.launcher.traits import has_sev, is_dedicated
from webhook.objects.launcher_vmi import Device, LauncherMemory, LauncherVMI
from webhook.objects.quantity import NANO

DEVICES: Final = "devices.kubevirt.io/"
EVEN_PARITY: Final = "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity"
_EPHEMERAL_STORAGE: Final = nano("50M")
_POOL: Final = "supplementalPool"


class ComputeResources:
    """The four lists of requests and limits, in billionths."""

    def __init__(self, vmi: LauncherVMI, around: Surroundings, overhead: int) -> None:
        self.vmi = vmi
        self.around = around
        self.overhead = overhead
        self.requests = amounts(vmi.spec.domain.resources.requests)
        self.limits = amounts(vmi.spec.domain.resources.limits)
        self.calculated_requests: Amounts = {}
        self.calculated_limits: Amounts = {}

    def all_requests(self) -> Amounts:
        """The requests of the container."""
        return self.calculated_requests | self.requests

    def all_limits(self) -> Amounts:
        """The limits of the container."""
        return self.calculated_limits | self.limits

    def add_devices(self, names: Iterable[str]) -> None:
        """Adds one device for each name. An amount that the VMI itself sets stays (``requestResource``)."""
        requests, limits = self.all_requests(), self.all_limits()
        for name in names:
            limits[name] = limits.get(name, 0) + NANO
            requests[name] = requests.get(name, 0) + NANO
        self.calculated_requests, self.calculated_limits = requests, limits


def compute_resources(
    vmi: LauncherVMI, around: Surroundings, overhead: int, limited: Sequence[str], networks: Sequence[str]
) -> ComputeResources:
    """
    The requests and limits of ``compute``. ``overhead`` is in billionths of a byte. ``limited`` are the resources that need a
    limit because of quotas, and ``networks`` the resources of the networks.
    """
    lists = ComputeResources(vmi, around, overhead)
    _ephemeral_storage(lists)
    _virtualization(lists)
    if reached(around.version, (1, 6, 4)):
        _memory_request(lists)
    elif around.version == (1, 6, 2):
        _overcommit(lists)
    if is_dedicated(vmi):
        _pinned(lists)
    else:
        _shared(lists, with_limit="cpu" in limited)
    if vmi.spec.domain.memory is not None and vmi.spec.domain.memory.hugepages is not None:
        _huge_pages(lists, vmi.spec.domain.memory)
    else:
        _memory_overhead(lists)
    if "memory" in limited:
        _memory_limit(lists)
    _devices(lists, networks)
    return lists


def _ephemeral_storage(lists: ComputeResources) -> None:
    name = "ephemeral-storage"
    lists.requests[name] = lists.requests.get(name, 0) + _EPHEMERAL_STORAGE
    if name in lists.limits:
        lists.limits[name] += _EPHEMERAL_STORAGE


def _virtualization(lists: ComputeResources) -> None:
    """The devices of the node (``getRequiredResources``). KubeVirt writes only limits for them."""
    configuration, devices = lists.around.configuration, lists.vmi.spec.domain.devices
    emulates = configuration.developer.use_emulation
    names = []
    if devices.interfaces or devices.autoattach_pod_interface is not False:
        names.append("tun")
    if not emulates and any(interface.model in {"", "virtio"} for interface in devices.interfaces or ()):
        names.append("vhost-net")
    if not emulates:
        names.append(_hypervisor(lists.around))
    if devices.autoattach_vsock:
        names.append("vhost-vsock")
    lists.limits.update({DEVICES + name: NANO for name in names})


def _hypervisor(around: Surroundings) -> str:
    """The device of the hypervisor (``GetHypervisor`` of ``pkg/virt-config/virt-config.go``, v1.8.0)."""
    listed = around.configuration.hypervisors
    is_mshv = bool(listed) and listed is not None and listed[0].name == "hyperv-direct"
    return "mshv" if is_mshv and gate_is_on(around, "ConfigurableHypervisor") else "kvm"


def _memory_request(lists: ComputeResources) -> None:
    """The memory request of a VMI without one, from 1.6.4 on (``WithMemoryRequests``). The mutating webhook wrote it before."""
    resources, memory = lists.vmi.spec.domain.resources, lists.vmi.spec.domain.memory
    if nano((resources.requests or {}).get("memory", 0)) != 0:
        return
    if lists.limits.get("memory", 0) != 0:
        lists.requests["memory"] = lists.limits["memory"]
    if "memory" in lists.requests or memory is None:
        return
    if memory.guest is not None:
        guest = nano(memory.guest)
    elif memory.hugepages is not None and memory.hugepages.page_size is not None:
        guest = nano(memory.hugepages.page_size)
    else:
        return
    overcommit = _overcommit_percent(lists.around)
    if whole(guest) > 0:
        lists.requests["memory"] = guest if overcommit == 100 else whole(guest) * 100 // overcommit * NANO


def _overcommit(lists: ComputeResources) -> None:
    """1.6.2 divides every memory request by the overcommit (``WithMemoryOvercommit``). 1.6.3 reverted this change."""
    overcommit = _overcommit_percent(lists.around)
    if overcommit != 100:
        lists.requests["memory"] = whole(lists.requests.get("memory", 0)) * 100 // overcommit * NANO


def _overcommit_percent(around: Surroundings) -> int:
    return around.configuration.developer.memory_overcommit or 100


def _pool_threads(lists: ComputeResources) -> int:
    threads = lists.vmi.spec.domain.io_threads
    return (threads.supplemental_pool_thread_count if threads is not None else None) or 0


def _has_pool(lists: ComputeResources) -> bool:
    return lists.vmi.spec.domain.io_threads_policy == _POOL


def _pinned(lists: ComputeResources) -> None:
    """CPUs for a VMI with dedicated CPUs (``WithCPUPinning``)."""
    cpu = lists.vmi.spec.domain.cpu
    vcpus = cpu.vcpus if cpu is not None else 0
    counted = lists.limits if reached(lists.around.version, (1, 5, 2)) else lists.calculated_limits
    if counted is lists.limits:
        threads = _pool_threads(lists)
        if vcpus:
            lists.limits["cpu"] = lists.requests["cpu"] = (vcpus + threads) * NANO
        else:
            for own in (lists.limits, lists.requests):
                if "cpu" in own:
                    own["cpu"] += threads * NANO
    elif vcpus:
        lists.calculated_limits["cpu"] = vcpus * NANO
    elif "cpu" in lists.limits:
        lists.requests["cpu"] = lists.limits["cpu"]
    elif "cpu" in lists.requests:
        lists.limits["cpu"] = lists.requests["cpu"]
    if cpu is not None and cpu.isolate_emulator_thread:
        _emulator_thread(lists, counted.get("cpu", 0))
    if "memory" in lists.requests or counted is lists.calculated_limits:
        lists.limits["memory"] = lists.requests.get("memory", 0)


def _emulator_thread(lists: ComputeResources, limit: int) -> None:
    """One CPU for the emulator thread, or two if an annotation requires an even number and the number would be odd."""
    threads = _pool_threads(lists) if _has_pool(lists) and lists.around.version[:2] >= (1, 5) else 0
    is_even = (whole(limit) + threads) % 2 == 0
    more = (2 if is_even and EVEN_PARITY in (lists.vmi.meta.annotations or {}) else 1) * NANO
    lists.limits["cpu"] = limit + more
    if "cpu" in lists.requests:
        lists.requests["cpu"] += more


def _shared(lists: ComputeResources, *, with_limit: bool) -> None:
    """CPUs for a VMI without dedicated CPUs: the vCPUs divided by ``cpuAllocationRatio`` (``WithoutDedicatedCPU``)."""
    cpu = lists.vmi.spec.domain.cpu
    total = cpu.vcpus if cpu is not None else 1
    if reached(lists.around.version, (1, 5, 2)):
        total += _pool_threads(lists)
    ratio = lists.around.configuration.developer.cpu_allocation_ratio or 10
    if total == 0 or ratio < 0:
        return
    lists.calculated_requests["cpu"] = _share(total, ratio)
    if with_limit:
        lists.calculated_limits["cpu"] = total * NANO


def _share(cpus: int, ratio: int) -> int:
    """The share of CPUs as Go prints it, in thousandths below 1, and reads it again."""
    share = float(cpus) / float(ratio)
    if share < 1:
        return nano(f"{Decimal(repr(share * 1000)):f}m")
    return nano(f"{Decimal(repr(share)):f}")


def _huge_pages(lists: ComputeResources, memory: LauncherMemory) -> None:
    """Huge pages for the guest, and memory for the overhead (``WithHugePages``)."""
    requested, limit = lists.requests.get("memory", 0), lists.limits.get("memory", 0)
    pages, more_requested, more_limit = requested, 0, 0
    if memory.guest is not None:
        guest = nano(memory.guest)
        if whole(requested) > whole(guest):
            pages, more_requested = guest, requested - guest
        if whole(limit) > whole(guest):
            more_limit = limit - guest
    size = memory.hugepages.page_size if memory.hugepages is not None else None
    name = f"hugepages-{size if size is not None else ''}"
    lists.calculated_requests[name] = lists.calculated_limits[name] = pages
    lists.requests["memory"] = more_requested + lists.overhead
    if "memory" in lists.limits:
        lists.limits["memory"] = more_limit + lists.overhead


def _memory_overhead(lists: ComputeResources) -> None:
    """The overhead on top of the guest's memory (``WithMemoryOverhead``)."""
    resources = lists.vmi.spec.domain.resources
    more = 0 if resources.overcommit_guest_overhead else lists.overhead
    lists.requests["memory"] = lists.requests.get("memory", 0) + more
    if "memory" in lists.limits:
        lists.limits["memory"] += lists.overhead


def _memory_limit(lists: ComputeResources) -> None:
    """The memory limit that a quota requires (``WithAutoMemoryLimits``)."""
    labels = lists.around.namespace_labels
    ratio = _limit_ratio("" if isinstance(labels, Unknown) else labels.get(LIMIT_RATIO, ""))
    lists.calculated_limits["memory"] = int(float(whole(lists.requests.get("memory", 0))) * ratio) * NANO


LIMIT_RATIO: Final = "alpha.kubevirt.io/auto-memory-limits-ratio"
"""The label of a namespace with the ratio of the memory limit to the memory request."""


def _limit_ratio(text: str) -> float:
    """The ratio in a label, or 2.0 for a value that is not a number or less than 1 (``getMemoryLimitsRatio``)."""
    try:
        ratio = float(text)
    except ValueError:
        return 2.0
    return ratio if ratio >= 1.0 else 2.0


def _devices(lists: ComputeResources, networks: Sequence[str]) -> None:
    """The devices of device plugins, and the pool of IO threads in 1.5.0 and 1.5.1, each in KubeVirt's order."""
    vmi, around = lists.vmi, lists.around
    devices = vmi.spec.domain.devices
    if networks:
        lists.add_devices(name for name in networks if name)
    for group in (devices.gpus, devices.host_devices):
        names = _plugin_devices(group or (), around)
        if names:
            lists.add_devices(names)
    if has_sev(vmi, around.version):
        lists.add_devices((DEVICES + "sev",))
    security = vmi.spec.domain.launch_security
    if security is not None and security.tdx is not None and around.version[:2] >= (1, 9):
        lists.add_devices((DEVICES + "tdx",))
    if any(disk.lun is not None and disk.lun.reservation for disk in devices.disks or ()):
        lists.add_devices((DEVICES + "pr-helper",))
    if gate_is_on(around, "IOMMUFD"):
        lists.add_devices((DEVICES + "iommufd",))
    if around.version[:2] == (1, 5) and around.version < (1, 5, 2) and _has_pool(lists) and _pool_threads(lists):
        lists.limits["cpu"] = lists.limits.get("cpu", 0) + _pool_threads(lists) * NANO


def _plugin_devices(devices: Iterable[Device], around: Surroundings) -> list[str]:
    """The resources of devices from device plugins. Before 1.6, all devices are of this kind."""
    if around.version[:2] < (1, 6):
        return [device.device_name for device in devices]
    return [device.device_name for device in devices if device.device_name and not device.has_claim]
