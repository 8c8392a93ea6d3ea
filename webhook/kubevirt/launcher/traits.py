"""
Properties of a VMI on which several parts of a launcher pod depend.

Source: ``staging/src/kubevirt.io/api/core/v1/types.go``, ``pkg/util/util.go`` and ``pkg/tpm/tpm.go``, v1.3.1 to v1.9.0.
"""

from webhook.kubevirt.launcher.quantities import nano
from webhook.kubevirt.launcher.surroundings import reached
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_vmi import LauncherVMI


def is_dedicated(vmi: LauncherVMI) -> bool:
    """Whether the vCPUs have CPUs of their own (``IsCPUDedicated``)."""
    cpu = vmi.spec.domain.cpu
    return cpu is not None and cpu.dedicated_cpu_placement


def wants_guaranteed(vmi: LauncherVMI, version: Version) -> bool:
    """Whether the requests of the VMI equal its limits (``WantsToHaveQOSGuaranteed``). The pod's own requests do not count."""
    resources = vmi.spec.domain.resources
    requests, limits = resources.requests or {}, resources.limits or {}
    cpu, memory = nano(requests.get("cpu", 0)), nano(requests.get("memory", 0))
    memory_limit = nano(limits.get("memory", 0))
    has_equal_memory = memory != 0 and memory == memory_limit
    if reached(version, (1, 6, 4)):
        has_equal_memory = has_equal_memory or (memory == 0 and memory_limit != 0)
    return has_equal_memory and cpu != 0 and cpu == nano(limits.get("cpu", 0))


def guaranteed_or_dedicated(vmi: LauncherVMI, version: Version) -> bool:
    """Whether all containers of the pod get limits that equal their requests."""
    return is_dedicated(vmi) or wants_guaranteed(vmi, version)


def has_vfio(vmi: LauncherVMI) -> bool:
    """Whether the VMI has a GPU, a host device or an SR-IOV interface."""
    devices = vmi.spec.domain.devices
    return bool(devices.gpus or devices.host_devices) or any(
        interface.sriov is not None for interface in devices.interfaces or ()
    )


def has_tpm(vmi: LauncherVMI, version: Version) -> bool:
    """Whether the VMI has a TPM. Releases before 1.4.1 and 1.5.1 ignore ``enabled: false``."""
    tpm = vmi.spec.domain.devices.tpm
    return tpm is not None and (tpm.enabled is not False or not reached(version, (1, 4, 1), (1, 5, 1)))


def has_sev(vmi: LauncherVMI, version: Version) -> bool:
    """Whether the memory of the VMI is encrypted with AMD SEV. From 1.7 on, SNP counts as SEV."""
    security = vmi.spec.domain.launch_security
    return security is not None and (security.sev is not None or (security.snp is not None and version[:2] >= (1, 7)))


def has_hyperv_reenlightenment(vmi: LauncherVMI) -> bool:
    """Whether the Hyper-V feature ``reenlightenment`` is enabled."""
    features = vmi.spec.domain.features
    state = features.hyperv.reenlightenment if features is not None and features.hyperv is not None else None
    return state is not None and state.enabled is True


def needs_tsc_frequency(vmi: LauncherVMI) -> bool:
    """Whether the VMI needs a fixed TSC frequency (``GetTscFrequencyRequirement`` of ``watch/topology/tsc.go``)."""
    cpu = vmi.spec.domain.cpu
    features = (cpu.features if cpu is not None else None) or ()
    return has_hyperv_reenlightenment(vmi) or any(
        feature.name == "invtsc" and feature.policy in {"require", "force"} for feature in features
    )
