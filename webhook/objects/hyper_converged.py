"""
The fields of the HyperConverged CR (hco.kubevirt.io) that its operator copies to the KubeVirt CR, in both API versions.

``liveMigrationConfig`` and ``featureGates`` stay parsed JSON, because rules also judge values of a wrong type, and because the
gates are a map in version v1beta1 and a list in version v1.

Sources: hyperconverged-cluster-operator v1.13.0 to v1.18.1 and main of 2026-08-21, ``api/v1beta1/hyperconverged_types.go`` and
``api/v1/hyperconverged_types.go``.
"""

import msgspec

from webhook.objects.kubevirt import (
    CommonInstancetypesDeployment,
    Configuration,
    Misplaced,
    RegisteredBinding,
    WorkloadUpdateStrategy,
)
from webhook.objects.meta import Json, Kubernetes, Read

HYPER_CONVERGED_GROUP = "hco.kubevirt.io"
V1 = "v1"


class WrittenConfiguration(Configuration, frozen=True):
    """
    ``spec.configuration`` of a KubeVirt CR that HyperConverged's operator writes.

    The operator always writes ``evictionStrategy``. So the strategy is unknown if the field is absent here.
    """


class MediatedDevice(Read, frozen=True):
    """An entry of ``permittedHostDevices.mediatedDevices``. The operator leaves out disabled entries."""

    mdev_name_selector: str = ""
    resource_name: str = ""
    disabled: bool = False


class PermittedDevices(Read, frozen=True):
    """``permittedHostDevices``."""

    mediated_devices: list[MediatedDevice] | None = None


class MachineOptions(Read, frozen=True):
    """``spec.virtualization.virtualMachineOptions`` of version v1."""

    default_cpu_model: str | None = msgspec.field(default=None, name="defaultCPUModel")


class Virtualization(Misplaced, frozen=True):
    """``spec.virtualization`` of version v1. In version v1beta1, these fields are in ``spec``."""

    eviction_strategy: str | None = None
    workload_update_strategy: WorkloadUpdateStrategy | None = None
    permitted_host_devices: PermittedDevices | None = None
    virtual_machine_options: MachineOptions | None = None


class Storage(Read, frozen=True):
    """``spec.storage`` of version v1."""

    vm_state_storage_class: str | None = None


class Networking(Read, frozen=True):
    """``spec.networking`` of version v1."""

    network_binding: dict[str, RegisteredBinding] | None = None


class WorkloadSources(Read, frozen=True):
    """``spec.workloadSources`` of version v1."""

    common_instancetypes_deployment: CommonInstancetypesDeployment | None = None


class HyperConvergedSpec(Misplaced, frozen=True):
    """``HyperConverged.spec`` of both versions. Each version has only some of the fields."""

    eviction_strategy: str | None = None
    workload_update_strategy: WorkloadUpdateStrategy | None = None
    permitted_host_devices: PermittedDevices | None = None
    default_cpu_model: str | None = msgspec.field(default=None, name="defaultCPUModel")
    network_binding: dict[str, RegisteredBinding] | None = None
    vm_state_storage_class: str | None = None
    virtualization: Virtualization | None = None
    storage: Storage | None = None
    networking: Networking | None = None
    common_instancetypes_deployment: CommonInstancetypesDeployment | None = msgspec.field(
        default=None, name="CommonInstancetypesDeployment"
    )
    workload_sources: WorkloadSources | None = None
    configuration: Json = None
    """A field of the KubeVirt CR, which HyperConverged does not have."""


class Version(Read, frozen=True):
    """An entry of ``status.versions``. The entry ``operator`` is the release of HyperConverged."""

    name: str = ""
    version: str = ""


class HyperConvergedStatus(Read, frozen=True):
    """``HyperConverged.status``."""

    versions: list[Version] | None = None
    infrastructure_highly_available: bool | None = None
    """Whether the cluster has several worker nodes."""


class HyperConverged(Kubernetes, frozen=True):
    """The HyperConverged CR. Its operator writes the KubeVirt CR of the cluster."""

    spec: HyperConvergedSpec = msgspec.field(default_factory=HyperConvergedSpec)
    status: HyperConvergedStatus | None = None

    @property
    def is_v1(self) -> bool:
        """Whether the object has version v1, and not v1beta1."""
        return self.api_version.rpartition("/")[2] == V1
