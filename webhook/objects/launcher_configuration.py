"""
The part of the KubeVirt CR from which virt-controller makes launcher pods.

These structs are decoded only for the rehearsal of a drain. ``objects.kubevirt`` has the fields that are read at admission.

Source: ``staging/src/kubevirt.io/api/core/v1/types.go`` of KubeVirt, v1.3.1 to v1.9.0.
"""

import msgspec

from webhook.objects.meta import Empty, Kubernetes, Quantity, Read
from webhook.objects.scheduling import LabelSelector


class ContainerNeeds(Read, frozen=True):
    """``resources`` of an entry of ``supportContainerResources``, or ``computeResourceOverhead`` of a binding plugin."""

    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None


class SupportContainer(Read, frozen=True):
    """An entry of ``supportContainerResources``."""

    type: str = ""
    resources: ContainerNeeds | None = None


class BindingPlugin(Read, frozen=True):
    """An entry of ``network.binding``."""

    sidecar_image: str = ""
    compute_resource_overhead: ContainerNeeds | None = None


class LauncherNetworks(Read, frozen=True):
    """``configuration.network``."""

    binding: dict[str, BindingPlugin] | None = None


class PermittedDevice(Read, frozen=True):
    """An entry of ``permittedHostDevices``."""

    resource_name: str = ""


class PermittedDevices(Read, frozen=True):
    """``configuration.permittedHostDevices``."""

    pci_host_devices: list[PermittedDevice] | None = None
    mediated_devices: list[PermittedDevice] | None = None
    usb: list[PermittedDevice] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of all resources that VMs may request as GPUs and host devices."""
        every = (self.pci_host_devices, self.mediated_devices, self.usb)
        return frozenset(device.resource_name for devices in every for device in devices or ())


class LauncherDeveloperConfiguration(Read, frozen=True):
    """``configuration.developerConfiguration``."""

    feature_gates: list[str] | None = None
    disabled_feature_gates: list[str] | None = None
    memory_overcommit: int = 0
    cpu_allocation_ratio: int = 0
    use_emulation: bool = False
    node_selectors: dict[str, str] | None = None


class MachineOptions(Read, frozen=True):
    """``configuration.virtualMachineOptions``."""

    disable_serial_console_log: Empty | None = None


class Hypervisor(Read, frozen=True):
    """An entry of ``configuration.hypervisors`` (KubeVirt 1.8)."""

    name: str = ""


class LauncherMigrations(Read, frozen=True):
    """``configuration.migrations``. The settings rules judge its other fields."""

    match_selinux_level: bool | None = msgspec.field(default=None, name="matchSELinuxLevelOnMigration")


class ArchitectureDefaults(Read, frozen=True):
    """A member of ``configuration.architectureConfiguration``."""

    machine_type: str = ""


class ArchitectureConfigurations(Read, frozen=True):
    """``configuration.architectureConfiguration``."""

    amd64: ArchitectureDefaults | None = None
    arm64: ArchitectureDefaults | None = None
    s390x: ArchitectureDefaults | None = None


class LauncherConfiguration(Read, frozen=True):
    """``KubeVirt.spec.configuration``."""

    additional_guest_memory_overhead_ratio: str | None = None
    auto_cpu_limit_selector: LabelSelector | None = msgspec.field(
        default=None, name="autoCPULimitNamespaceLabelSelector"
    )
    architecture_configuration: ArchitectureConfigurations | None = None
    cpu_request: Quantity | None = msgspec.field(default=None, name="cpuRequest")
    default_runtime_class: str = ""
    developer_configuration: LauncherDeveloperConfiguration | None = None
    hypervisors: list[Hypervisor] | None = None
    machine_type: str = ""
    migrations: LauncherMigrations | None = None
    network: LauncherNetworks | None = None
    permitted_host_devices: PermittedDevices | None = None
    support_container_resources: list[SupportContainer] | None = None
    virtual_machine_options: MachineOptions | None = None

    @property
    def developer(self) -> LauncherDeveloperConfiguration:
        """``developerConfiguration``, or an empty one."""
        return self.developer_configuration or _NO_DEVELOPER_CONFIGURATION

    def machine_type_of(self, architecture: str) -> str:
        """The machine type of a VM without one (``GetMachineType`` of ``pkg/virt-config/virt-config.go``, v1.9.0)."""
        listed = self.architecture_configuration
        own = None
        if listed is not None:
            own = {"arm64": listed.arm64, "s390x": listed.s390x}.get(architecture, listed.amd64)
        default = _MACHINE_TYPES.get(architecture, "q35")
        return self.machine_type or (own.machine_type if own is not None else "") or default

    @property
    def bindings(self) -> dict[str, BindingPlugin]:
        """The registered network binding plugins, by name."""
        return (self.network.binding if self.network is not None else None) or {}


_MACHINE_TYPES = {"arm64": "virt", "s390x": "s390-ccw-virtio"}
_NO_DEVELOPER_CONFIGURATION = LauncherDeveloperConfiguration()


class LauncherKubeVirtSpec(Read, frozen=True):
    """``KubeVirt.spec``."""

    configuration: LauncherConfiguration | None = None


class DeploymentStatus(Read, frozen=True):
    """``KubeVirt.status``, as far as it describes the deployed images."""

    observed_kube_virt_version: str = ""
    observed_deployment_config: str = ""
    """JSON that virt-operator writes, with the images of all components."""


class LauncherKubeVirt(Kubernetes, frozen=True):
    """kubevirt.io KubeVirt, as virt-controller reads it to make launcher pods."""

    spec: LauncherKubeVirtSpec = msgspec.field(default_factory=LauncherKubeVirtSpec)
    status: DeploymentStatus | None = None
