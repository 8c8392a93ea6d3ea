"""
The fields of a VirtualMachineInstance that live migration depends on.

Field names and nesting come from KubeVirt ``staging/src/kubevirt.io/api/core/v1/schema.go`` and ``types.go``, v1.0 to v1.9.
"""

import msgspec

from webhook.objects.meta import Empty, Int32, Kubernetes, ObjectMeta, Quantity, Read, UInt32
from webhook.objects.scheduling import Affinity, Toleration


class ClaimSource(Read, frozen=True):
    """The fields ``persistentVolumeClaim`` and ``memoryDump`` of a volume."""

    claim_name: str = ""
    read_only: bool | None = None
    hotpluggable: bool | None = None


class DataVolumeSource(Read, frozen=True):
    """The ``dataVolume`` field of a volume. CDI creates a claim with the name of the DataVolume."""

    name: str = ""
    hotpluggable: bool | None = None


class HostDiskSource(Read, frozen=True):
    """The ``hostDisk`` field of a volume, an image file on the node."""

    path: str = ""
    type: str = ""
    shared: bool | None = None


class EphemeralSource(Read, frozen=True):
    """The ``ephemeral`` field of a volume, a copy-on-write overlay over a claim."""

    persistent_volume_claim: ClaimSource | None = None


class EmptyDiskSource(Read, frozen=True):
    """The ``emptyDisk`` field of a volume, a disk that is deleted with the VMI."""

    capacity: Quantity | None = None


class Volume(Read, frozen=True):
    """An entry of ``spec.volumes``, with the sources that the verdict depends on."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    data_volume: DataVolumeSource | None = None
    host_disk: HostDiskSource | None = None
    ephemeral: EphemeralSource | None = None
    memory_dump: ClaimSource | None = None
    container_disk: Empty | None = None
    empty_disk: EmptyDiskSource | None = None

    @property
    def claim(self) -> str | None:
        """The name of the claim that virt-handler checks (``checkVolumesForMigration``), or None if it checks no claim."""
        if self.data_volume is not None:
            return self.data_volume.name
        if self.persistent_volume_claim is not None:
            return self.persistent_volume_claim.claim_name
        return None


class CDRomTarget(Read, frozen=True):
    """The ``cdrom`` field of an entry of ``devices.disks``."""

    readonly: bool | None = None


class LunTarget(Read, frozen=True):
    """The ``lun`` field of an entry of ``devices.disks``."""

    readonly: bool | None = None
    reservation: bool | None = None


class DiskTarget(Read, frozen=True):
    """The ``disk`` field of an entry of ``devices.disks``."""

    readonly: bool | None = None


class Disk(Read, frozen=True):
    """An entry of ``devices.disks``."""

    name: str = ""
    cdrom: CDRomTarget | None = None
    lun: LunTarget | None = None
    disk: DiskTarget | None = None
    cache: str | None = None
    shareable: bool | None = None


class Port(Read, frozen=True):
    """An entry of an interface's ``ports``."""

    port: Int32 = 0
    name: str | None = None
    protocol: str | None = None


class PortRange(Read, frozen=True):
    """An entry of an interface's ``portRanges`` (KubeVirt 1.9)."""

    start: Int32 = 0
    end: Int32 = 0
    protocol: str | None = None


class PluginBinding(Read, frozen=True):
    """The ``binding`` field of an interface, which names a network binding plugin in the KubeVirt CR."""

    name: str = ""


class Interface(Read, frozen=True):
    """An entry of ``devices.interfaces``."""

    name: str = ""
    bridge: Empty | None = None
    masquerade: Empty | None = None
    slirp: Empty | None = None
    sriov: Empty | None = None
    macvtap: Empty | None = None
    passt: Empty | None = None
    passt_binding: Empty | None = None
    binding: PluginBinding | None = None
    ports: list[Port] | None = None
    port_ranges: list[PortRange] | None = None
    state: str | None = None


class Filesystem(Read, frozen=True):
    """An entry of ``devices.filesystems``."""

    name: str = ""
    virtiofs: Empty | None = None


class GPU(Read, frozen=True):
    """An entry of ``devices.gpus``."""

    name: str = ""
    device_name: str | None = None
    claim_name: str | None = None
    request_name: str | None = None


class HostDevice(Read, frozen=True):
    """An entry of ``devices.hostDevices``."""

    name: str = ""
    device_name: str | None = None
    claim_name: str | None = None
    request_name: str | None = None


class TPM(Read, frozen=True):
    """``devices.tpm``."""

    enabled: bool | None = None
    persistent: bool | None = None


class Devices(Read, frozen=True):
    """``domain.devices``."""

    autoattach_pod_interface: bool | None = None
    disks: list[Disk] | None = None
    interfaces: list[Interface] | None = None
    filesystems: list[Filesystem] | None = None
    gpus: list[GPU] | None = None
    host_devices: list[HostDevice] | None = None
    tpm: TPM | None = None


class CPUFeature(Read, frozen=True):
    """An entry of ``cpu.features``."""

    name: str = ""
    policy: str | None = None


class CPU(Read, frozen=True):
    """``domain.cpu``."""

    model: str | None = None
    cores: UInt32 | None = None
    sockets: UInt32 | None = None
    threads: UInt32 | None = None
    features: list[CPUFeature] | None = None
    dedicated_cpu_placement: bool | None = None
    isolate_emulator_thread: bool | None = None
    numa: Empty | None = None
    realtime: Empty | None = None


class FeatureState(Read, frozen=True):
    """A feature with the field ``enabled``. For features that KubeVirt defaults, ``{}`` means enabled."""

    enabled: bool | None = None


class HyperV(Read, frozen=True):
    """``features.hyperv``."""

    reenlightenment: FeatureState | None = None


class Features(Read, frozen=True):
    """``domain.features``."""

    hyperv: HyperV | None = None
    hyperv_passthrough: FeatureState | None = None


class EFI(Read, frozen=True):
    """``firmware.bootloader.efi``."""

    persistent: bool | None = None


class Bootloader(Read, frozen=True):
    """``firmware.bootloader``."""

    efi: EFI | None = None
    bios: Empty | None = None


class Firmware(Read, frozen=True):
    """``domain.firmware``."""

    bootloader: Bootloader | None = None


class LaunchSecurity(Read, frozen=True):
    """``domain.launchSecurity``. On s390x, the value ``{}`` enables Secure Execution."""

    sev: Empty | None = None
    snp: Empty | None = None
    tdx: Empty | None = None


class Hugepages(Read, frozen=True):
    """``memory.hugepages``."""

    page_size: Quantity | None = None


class Memory(Read, frozen=True):
    """``domain.memory``."""

    hugepages: Hugepages | None = None
    guest: Quantity | None = None
    max_guest: Quantity | None = None


class Resources(Read, frozen=True):
    """``domain.resources``."""

    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None


class IOThreads(Read, frozen=True):
    """``domain.ioThreads``."""

    supplemental_pool_thread_count: UInt32 | None = None


class Machine(Read, frozen=True):
    """``domain.machine``."""

    type: str | None = None


class Domain(Read, frozen=True):
    """``spec.domain``."""

    devices: Devices | None = None
    cpu: CPU | None = None
    features: Features | None = None
    firmware: Firmware | None = None
    launch_security: LaunchSecurity | None = None
    memory: Memory | None = None
    resources: Resources | None = None
    io_threads_policy: str | None = None
    io_threads: IOThreads | None = None
    machine: Machine | None = None


class MultusNetwork(Read, frozen=True):
    """The ``multus`` field of a network."""

    network_name: str = ""
    default: bool | None = None


class Network(Read, frozen=True):
    """An entry of ``spec.networks``."""

    name: str = ""
    pod: Empty | None = None
    multus: MultusNetwork | None = None


class UtilityVolume(Read, frozen=True):
    """An entry of ``spec.utilityVolumes`` (KubeVirt 1.8)."""

    name: str = ""
    claim_name: str = ""


class VMISpec(Read, frozen=True):
    """``VirtualMachineInstance.spec``."""

    domain: Domain | None = None
    networks: list[Network] | None = None
    volumes: list[Volume] | None = None
    utility_volumes: list[UtilityVolume] | None = None
    architecture: str | None = None
    eviction_strategy: str | None = None
    node_selector: dict[str, str] | None = None
    scheduler_name: str | None = None
    affinity: Affinity | None = None
    tolerations: list[Toleration] | None = None


class MigratedVolume(Read, frozen=True):
    """An entry of ``status.migratedVolumes`` (since KubeVirt 1.3), which is a volume migration in progress."""

    volume_name: str = ""


class ClaimInfo(Read, frozen=True):
    """The ``persistentVolumeClaimInfo``, which virt-controller copies from the claim and virt-handler reads."""

    claim_name: str = ""
    access_modes: list[str] | None = None


class VolumeStatus(Read, frozen=True):
    """An entry of ``status.volumeStatus``."""

    name: str = ""
    persistent_volume_claim_info: ClaimInfo | None = None


class TopologyHints(Read, frozen=True):
    """The ``status.topologyHints``, which virt-controller writes once, before the VMI starts."""

    tsc_frequency: int | None = None


class VMIStatus(Read, frozen=True):
    """
    The fields of ``VirtualMachineInstance.status`` that virt-handler's verdict depends on and that do not come from the node.
    """

    migrated_volumes: list[MigratedVolume] | None = None
    volume_status: list[VolumeStatus] | None = None
    topology_hints: TopologyHints | None = None


class VMITemplate(Read, frozen=True):
    """The ``spec.template`` of a VirtualMachine or VirtualMachineInstanceReplicaSet."""

    metadata: ObjectMeta | None = None
    spec: VMISpec | None = None


class VirtualMachineInstance(Kubernetes, frozen=True):
    """kubevirt.io VirtualMachineInstance."""

    spec: VMISpec = msgspec.field(default_factory=VMISpec)
    status: VMIStatus | None = None
