"""
The KubeVirt CR, as far as verdicts depend on it.

``spec.configuration.migrations`` is kept as parsed JSON: the settings rules judge also what has the wrong type.
"""

import msgspec

from webhook.objects.meta import Json, Kubernetes, Read


class RegisteredBinding(Read, frozen=True):
    """An entry of ``network.binding``; only the presence of ``migration`` counts for the verdict."""

    migration: Json = None
    network_attachment_definition: str | None = None


class NetworkConfiguration(Read, frozen=True):
    """``configuration.network``."""

    default_network_interface: str | None = None
    permit_bridge_interface_on_pod_network: bool | None = None
    binding: dict[str, RegisteredBinding] | None = None


class MediatedHostDevice(Read, frozen=True):
    """An entry of ``permittedHostDevices.mediatedDevices``."""

    resource_name: str = ""


class PermittedHostDevices(Read, frozen=True):
    """``configuration.permittedHostDevices``."""

    mediated_devices: list[MediatedHostDevice] | None = None


class DeveloperConfiguration(Read, frozen=True):
    """``configuration.developerConfiguration``."""

    feature_gates: list[str] | None = None
    disabled_feature_gates: list[str] | None = None
    minimum_cluster_tsc_frequency: int | None = msgspec.field(default=None, name="minimumClusterTSCFrequency")


class Configuration(Read, frozen=True):
    """``spec.configuration``."""

    cpu_model: str | None = msgspec.field(default=None, name="cpuModel")
    developer_configuration: DeveloperConfiguration | None = None
    eviction_strategy: str | None = None
    migrations: Json = None
    network: NetworkConfiguration | None = None
    permitted_host_devices: PermittedHostDevices | None = None
    vm_state_storage_class: str | None = None
    vm_rollout_strategy: str | None = None


class WorkloadUpdateStrategy(Read, frozen=True):
    """``spec.workloadUpdateStrategy``."""

    workload_update_methods: list[str] | None = None


class KubeVirtSpec(Read, frozen=True):
    """``KubeVirt.spec``."""

    configuration: Configuration | None = None
    workload_update_strategy: WorkloadUpdateStrategy | None = None


class KubeVirtStatus(Read, frozen=True):
    """``KubeVirt.status``."""

    observed_kube_virt_version: str | None = None
    default_architecture: str | None = None


class KubeVirt(Kubernetes, frozen=True):
    """kubevirt.io KubeVirt, one per cluster."""

    spec: KubeVirtSpec = msgspec.field(default_factory=KubeVirtSpec)
    status: KubeVirtStatus | None = None


class PolicySelectors(Read, frozen=True):
    """``selectors`` of a MigrationPolicy: plain key=value maps, no expressions."""

    namespace_selector: dict[str, str] | None = None
    virtual_machine_instance_selector: dict[str, str] | None = None


class MigrationPolicySpec(Read, frozen=True):
    """``MigrationPolicy.spec``: what is not null replaces the cluster's value."""

    selectors: PolicySelectors | None = None
    allow_auto_converge: bool | None = None
    bandwidth_per_migration: str | int | float | None = None
    completion_timeout_per_gi_b: int | None = msgspec.field(default=None, name="completionTimeoutPerGiB")
    allow_post_copy: bool | None = None
    allow_workload_disruption: bool | None = None
    max_downtime_ms: int | None = None


class MigrationPolicy(Kubernetes, frozen=True):
    """migrations.kubevirt.io MigrationPolicy, cluster-scoped."""

    spec: MigrationPolicySpec = msgspec.field(default_factory=MigrationPolicySpec)
