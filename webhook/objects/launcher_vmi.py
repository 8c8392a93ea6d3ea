"""
A VirtualMachineInstance with all fields from which virt-controller makes a launcher pod.

These structs are decoded only for the rehearsal of a drain. ``objects.vmi`` and ``objects.running`` have the fields that verdicts
and evictions depend on.

Source: ``staging/src/kubevirt.io/api/core/v1/schema.go`` and ``types.go`` of KubeVirt, v1.3.1 to v1.9.0.
"""

import msgspec

from webhook.objects.meta import Empty, Json, Kubernetes, ObjectMeta, Quantity, Read
from webhook.objects.vmi import (
    EFI,
    ClaimInfo,
    ClaimSource,
    CPUFeature,
    DataVolumeSource,
    EphemeralSource,
    FeatureState,
    Hugepages,
    IOThreads,
    LunTarget,
    Machine,
    Network,
    PluginBinding,
    TopologyHints,
)


class ContainerImage(Read, frozen=True):
    """The ``containerDisk`` field of a volume, or ``kernelBoot.container``."""

    image: str = ""


class LauncherVolume(Read, frozen=True):
    """An entry of ``spec.volumes``."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    data_volume: DataVolumeSource | None = None
    ephemeral: EphemeralSource | None = None
    memory_dump: ClaimSource | None = None
    container_disk: ContainerImage | None = None
    container_path: Empty | None = None
    downward_metrics: Empty | None = None

    @property
    def claim(self) -> str:
        """The name of the claim (``PVCNameFromVirtVolume`` of ``pkg/storage/types/pvc.go``), or an empty string."""
        if self.data_volume is not None:
            return self.data_volume.name
        source = self.persistent_volume_claim or self.memory_dump
        return source.claim_name if source is not None else ""


class LauncherDisk(Read, frozen=True):
    """An entry of ``devices.disks``."""

    name: str = ""
    lun: LunTarget | None = None


class LauncherInterface(Read, frozen=True):
    """An entry of ``devices.interfaces``."""

    name: str = ""
    model: str = ""
    sriov: Empty | None = None
    passt_binding: Empty | None = None
    binding: PluginBinding | None = None


class SharedFilesystem(Read, frozen=True):
    """An entry of ``devices.filesystems``."""

    name: str = ""


class Device(Read, frozen=True):
    """An entry of ``devices.gpus`` or ``devices.hostDevices``. A claim of Dynamic Resource Allocation is inline."""

    name: str = ""
    device_name: str = ""
    claim_name: str | None = None
    request_name: str | None = None

    @property
    def has_claim(self) -> bool:
        """Whether Dynamic Resource Allocation provides the device."""
        return self.claim_name is not None or self.request_name is not None


class LauncherTPM(Read, frozen=True):
    """``devices.tpm``."""

    enabled: bool | None = None
    persistent: bool | None = None


class LauncherDevices(Read, frozen=True):
    """``domain.devices``."""

    autoattach_graphics_device: bool | None = None
    autoattach_pod_interface: bool | None = None
    autoattach_serial_console: bool | None = None
    autoattach_vsock: bool | None = msgspec.field(default=None, name="autoattachVSOCK")
    log_serial_console: bool | None = None
    disks: list[LauncherDisk] | None = None
    interfaces: list[LauncherInterface] | None = None
    filesystems: list[SharedFilesystem] | None = None
    gpus: list[Device] | None = None
    host_devices: list[Device] | None = None
    tpm: LauncherTPM | None = None


class LauncherCPU(Read, frozen=True):
    """``domain.cpu``."""

    model: str = ""
    cores: int = 0
    sockets: int = 0
    threads: int = 0
    features: list[CPUFeature] | None = None
    dedicated_cpu_placement: bool = False
    isolate_emulator_thread: bool = False
    realtime: Empty | None = None

    @property
    def vcpus(self) -> int:
        """The number of vCPUs. A count of 0 is left out (``GetNumberOfVCPUs`` of ``pkg/util/hardware/hw_utils.go``)."""
        product = 0
        for count in (self.cores, self.sockets, self.threads):
            product = product * count if product and count else product or count
        return product


class HyperVFeatures(Read, frozen=True):
    """``features.hyperv``, with the features that are node labels."""

    vpindex: FeatureState | None = None
    runtime: FeatureState | None = None
    reset: FeatureState | None = None
    synic: FeatureState | None = None
    synictimer: FeatureState | None = None
    frequencies: FeatureState | None = None
    reenlightenment: FeatureState | None = None
    tlbflush: FeatureState | None = None
    ipi: FeatureState | None = None
    evmcs: FeatureState | None = None


class LauncherFeatures(Read, frozen=True):
    """``domain.features``."""

    hyperv: HyperVFeatures | None = None


class KernelBoot(Read, frozen=True):
    """``firmware.kernelBoot``."""

    container: ContainerImage | None = None


class LauncherBootloader(Read, frozen=True):
    """``firmware.bootloader``."""

    efi: EFI | None = None


class LauncherFirmware(Read, frozen=True):
    """``domain.firmware``."""

    bootloader: LauncherBootloader | None = None
    kernel_boot: KernelBoot | None = None


class SEVPolicy(Read, frozen=True):
    """``launchSecurity.sev.policy``."""

    encrypted_state: bool | None = None


class SEV(Read, frozen=True):
    """``launchSecurity.sev``."""

    policy: SEVPolicy | None = None


class LauncherSecurity(Read, frozen=True):
    """``domain.launchSecurity``."""

    sev: SEV | None = None
    snp: Empty | None = None
    tdx: Empty | None = None


class ReservedOverhead(Read, frozen=True):
    """``memory.reservedOverhead`` (KubeVirt 1.8)."""

    added_overhead: Quantity | None = None


class LauncherMemory(Read, frozen=True):
    """``domain.memory``."""

    guest: Quantity | None = None
    hugepages: Hugepages | None = None
    reserved_overhead: ReservedOverhead | None = None


class LauncherResources(Read, frozen=True):
    """``domain.resources``."""

    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None
    overcommit_guest_overhead: bool = False


class LauncherDomain(Read, frozen=True):
    """``spec.domain``."""

    devices: LauncherDevices = msgspec.field(default_factory=LauncherDevices)
    cpu: LauncherCPU | None = None
    features: LauncherFeatures | None = None
    firmware: LauncherFirmware | None = None
    launch_security: LauncherSecurity | None = None
    memory: LauncherMemory | None = None
    resources: LauncherResources = msgspec.field(default_factory=LauncherResources)
    io_threads_policy: str | None = None
    io_threads: IOThreads | None = None
    machine: Machine | None = None


class Probe(Read, frozen=True):
    """``livenessProbe`` or ``readinessProbe``. Only a probe that runs a command needs memory."""

    exec: Json = None


class LauncherVMISpec(Read, frozen=True):
    """``VirtualMachineInstance.spec``. Fields that KubeVirt copies into the pod stay JSON."""

    domain: LauncherDomain = msgspec.field(default_factory=LauncherDomain)
    networks: list[Network] | None = None
    volumes: list[LauncherVolume] | None = None
    architecture: str = ""
    hostname: str = ""
    node_selector: dict[str, str] | None = None
    affinity: dict[str, Json] | None = None
    tolerations: list[Json] | None = None
    topology_spread_constraints: list[Json] | None = None
    scheduler_name: str = ""
    priority_class_name: str = ""
    resource_claims: list[Json] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None


class LauncherVolumeStatus(Read, frozen=True):
    """An entry of ``status.volumeStatus``. A volume with ``hotplugVolume`` is not part of the launcher pod."""

    name: str = ""
    hotplug_volume: Empty | None = None
    persistent_volume_claim_info: ClaimInfo | None = None


class ChangedBlockTracking(Read, frozen=True):
    """``status.changedBlockTracking`` (KubeVirt 1.7)."""

    state: str = ""


class LauncherVMIStatus(Read, frozen=True):
    """``VirtualMachineInstance.status``."""

    phase: str = ""
    node_name: str = ""
    selinux_context: str = ""
    machine: Machine | None = None
    topology_hints: TopologyHints | None = None
    volume_status: list[LauncherVolumeStatus] | None = None
    changed_block_tracking: ChangedBlockTracking | None = None


class LauncherVMI(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachineInstance, as virt-controller reads it to make a launcher pod."""

    spec: LauncherVMISpec = msgspec.field(default_factory=LauncherVMISpec)
    status: LauncherVMIStatus = msgspec.field(default_factory=LauncherVMIStatus)


class LauncherTemplate(Read, frozen=True):
    """``VirtualMachine.spec.template``."""

    metadata: ObjectMeta | None = None
    spec: LauncherVMISpec | None = None


class LauncherVMSpec(Read, frozen=True):
    """``VirtualMachine.spec``."""

    template: LauncherTemplate | None = None


class LauncherVM(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachine, with the template of its VMI as virt-controller reads it."""

    spec: LauncherVMSpec = msgspec.field(default_factory=LauncherVMSpec)
