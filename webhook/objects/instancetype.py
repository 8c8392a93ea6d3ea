"""The fields of instancetypes, preferences and their ControllerRevisions that change the verdict."""

import msgspec

from webhook.objects.meta import Empty, Json, Kubernetes, Read, UInt32
from webhook.objects.vmi import EFI, GPU, TPM, CPUFeature, HostDevice, HyperV, IOThreads, LaunchSecurity, Memory


class InstancetypeCPU(Read, frozen=True):
    """The ``cpu`` field of an instancetype."""

    guest: UInt32 | None = None
    model: str | None = None
    dedicated_cpu_placement: bool | None = msgspec.field(default=None, name="dedicatedCPUPlacement")
    isolate_emulator_thread: bool | None = None
    numa: Empty | None = None
    realtime: Empty | None = None


class InstancetypeSpec(Read, frozen=True):
    """The ``spec`` of a VirtualMachineInstancetype or VirtualMachineClusterInstancetype."""

    annotations: dict[str, str] | None = None
    cpu: InstancetypeCPU | None = None
    memory: Memory | None = None
    gpus: list[GPU] | None = None
    host_devices: list[HostDevice] | None = None
    launch_security: LaunchSecurity | None = None
    io_threads_policy: str | None = None
    io_threads: IOThreads | None = None
    node_selector: dict[str, str] | None = None
    scheduler_name: str | None = None


class VirtualMachineInstancetype(Kubernetes, frozen=True):
    """instancetype.kubevirt.io VirtualMachineInstancetype, namespaced."""

    spec: InstancetypeSpec = msgspec.field(default_factory=InstancetypeSpec)


class VirtualMachineClusterInstancetype(Kubernetes, frozen=True):
    """instancetype.kubevirt.io VirtualMachineClusterInstancetype."""

    spec: InstancetypeSpec = msgspec.field(default_factory=InstancetypeSpec)


class DevicePreferences(Read, frozen=True):
    """The ``devices`` field of a preference."""

    preferred_autoattach_pod_interface: bool | None = None
    preferred_interface_masquerade: Empty | None = None
    preferred_tpm: TPM | None = msgspec.field(default=None, name="preferredTPM")


class FeaturePreferences(Read, frozen=True):
    """The ``features`` field of a preference."""

    preferred_hyperv: HyperV | None = None


class CPUPreferences(Read, frozen=True):
    """The ``cpu`` field of a preference."""

    preferred_cpu_features: list[CPUFeature] | None = msgspec.field(default=None, name="preferredCPUFeatures")


class FirmwarePreferences(Read, frozen=True):
    """The ``firmware`` field of a preference."""

    preferred_efi: EFI | None = None


class VolumePreferences(Read, frozen=True):
    """The ``volumes`` field of a preference."""

    preferred_storage_class_name: str | None = None


class PreferenceSpec(Read, frozen=True):
    """The ``spec`` of a VirtualMachinePreference or VirtualMachineClusterPreference."""

    annotations: dict[str, str] | None = None
    cpu: CPUPreferences | None = None
    devices: DevicePreferences | None = None
    features: FeaturePreferences | None = None
    firmware: FirmwarePreferences | None = None
    volumes: VolumePreferences | None = None
    preferred_architecture: str | None = None
    preferred_launch_security: LaunchSecurity | None = None


class VirtualMachinePreference(Kubernetes, frozen=True):
    """instancetype.kubevirt.io VirtualMachinePreference, namespaced."""

    spec: PreferenceSpec = msgspec.field(default_factory=PreferenceSpec)


class VirtualMachineClusterPreference(Kubernetes, frozen=True):
    """instancetype.kubevirt.io VirtualMachineClusterPreference."""

    spec: PreferenceSpec = msgspec.field(default_factory=PreferenceSpec)


class ControllerRevision(Kubernetes, frozen=True):
    """apps ControllerRevision: ``data`` contains the instancetype or preference as it was at the first start of the VM."""

    data: Json = None
