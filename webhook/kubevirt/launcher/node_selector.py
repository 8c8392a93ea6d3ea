"""
The ``nodeSelector`` of a launcher pod, from a stored VMI.

``selectors.py`` has the part of these selectors that rules can derive from manifests, with the fields that cause them.

Source: ``pkg/virt-controller/services/nodeselectorrenderer.go`` and ``newNodeSelectorRenderer`` of ``template.go``, v1.3.1 to
v1.9.0. This module does no I/O.
"""

from collections.abc import Iterator
from typing import Final

from webhook.kubevirt.launcher.selectors import CPU_MODEL_LABEL, HOST_MODELS, MACHINE_TYPE_LABEL
from webhook.kubevirt.launcher.surroundings import Surroundings, gate_is_on, reached
from webhook.kubevirt.launcher.traits import has_sev, is_dedicated, needs_tsc_frequency
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_vmi import HyperVFeatures, LauncherVMI
from webhook.objects.nad import CPU_FEATURE_LABEL, SCHEDULABLE

ARCHITECTURE: Final = "kubernetes.io/arch"
CPU_VENDOR_LABEL: Final = "cpu-vendor.node.kubevirt.io/"
_HYPERV_LABEL: Final = "hyperv.node.kubevirt.io/"
_TSC_LABEL: Final = "scheduling.node.kubevirt.io/tsc-frequency-"
_VM_ARCHITECTURE: Final = "kubevirt.io/vm-arch-"
_TRUE: Final = "true"


def node_selector(vmi: LauncherVMI, around: Surroundings) -> dict[str, str]:
    """
    The node selector. A selector of the VMI replaces the same selector of the KubeVirt CR, and a selector that KubeVirt derives
    from the VMI replaces both.
    """
    architecture = vmi.spec.architecture
    selector = {SCHEDULABLE: _TRUE}
    if architecture:
        selector[ARCHITECTURE] = architecture.lower()
    selector |= around.configuration.developer.node_selectors or {}
    selector |= vmi.spec.node_selector or {}
    crosses = bool(architecture) and gate_is_on(around, "CrossArchitectureVirtualization")
    if crosses:
        selector.pop(ARCHITECTURE, None)
    selector |= dict.fromkeys(_derived(vmi, around), _TRUE)
    if crosses:
        selector[_VM_ARCHITECTURE + architecture] = _TRUE
    return selector


def _derived(vmi: LauncherVMI, around: Surroundings) -> Iterator[str]:
    version = around.version
    if is_dedicated(vmi):
        yield "kubevirt.io/cpumanager" if version[:2] >= (1, 8) else "cpumanager"
    if gate_is_on(around, "HypervStrictCheck"):
        features = vmi.spec.domain.features
        yield from _hyperv(features.hyperv if features is not None else None)
    yield from _cpu(vmi)
    if reached(version, (1, 5, 1)) and (machine := _machine_type(vmi)):
        yield MACHINE_TYPE_LABEL + machine
    hints = vmi.status.topology_hints
    if hints is not None and (hints.tsc_frequency or 0) > 0 and needs_tsc_frequency(vmi):
        yield f"{_TSC_LABEL}{hints.tsc_frequency}"
    if version[:2] >= (1, 5):
        yield from _hardware(vmi, version)


def _hyperv(hyperv: HyperVFeatures | None) -> Iterator[str]:
    """The Hyper-V features that a node must have (``makeHVFeatureLabelTable``)."""
    if hyperv is None:
        return
    states = {
        "vpindex": hyperv.vpindex,
        "runtime": hyperv.runtime,
        "reset": hyperv.reset,
        "synic": hyperv.synic,
        "synictimer": hyperv.synictimer,
        "frequencies": hyperv.frequencies,
        "reenlightenment": hyperv.reenlightenment,
        "tlbflush": hyperv.tlbflush,
        "ipi": hyperv.ipi,
    }
    yield from (_HYPERV_LABEL + name for name, state in states.items() if state is not None and state.enabled is True)
    if hyperv.evmcs is not None and hyperv.evmcs.enabled is not False:
        yield CPU_VENDOR_LABEL + "Intel"


def _cpu(vmi: LauncherVMI) -> Iterator[str]:
    """The CPU model and the required features. Without a model, KubeVirt does not select features."""
    cpu = vmi.spec.domain.cpu
    if cpu is None or not cpu.model:
        return
    if cpu.model not in HOST_MODELS:
        yield CPU_MODEL_LABEL + cpu.model
    for feature in cpu.features or ():
        if feature.policy in {None, "", "require"}:
            yield CPU_FEATURE_LABEL + feature.name


def _machine_type(vmi: LauncherVMI) -> str:
    """The machine type of the running guest, or else that of the spec."""
    for machine in (vmi.status.machine, vmi.spec.domain.machine):
        if machine is not None and machine.type:
            return machine.type
    return ""


def _hardware(vmi: LauncherVMI, version: Version) -> Iterator[str]:
    """The labels for realtime and confidential computing. Before 1.5, the mutating webhook writes them into the VMI."""
    cpu, security = vmi.spec.domain.cpu, vmi.spec.domain.launch_security
    if cpu is not None and cpu.realtime is not None:
        yield "kubevirt.io/realtime"
    if security is None:
        return
    if has_sev(vmi, version):
        yield "kubevirt.io/sev"
    policy = security.sev.policy if security.sev is not None else None
    if policy is not None and policy.encrypted_state:
        yield "kubevirt.io/sev-es"
    if security.snp is not None and version[:2] >= (1, 7):
        yield "kubevirt.io/sev-snp"
    if vmi.spec.architecture == "s390x" and version[:2] >= (1, 6):
        yield "kubevirt.io/s390-pv"
    if security.tdx is not None and version[:2] >= (1, 7):
        yield "kubevirt.io/tdx"
