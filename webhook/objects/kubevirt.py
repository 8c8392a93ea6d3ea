"""
The fields of the KubeVirt CR and of MigrationPolicies that verdicts depend on.

``spec.configuration.migrations`` stays parsed JSON, because the settings rules also judge values of a wrong type.
"""

import msgspec

from webhook.objects.meta import Json, Kubernetes, Read


class Misplaced(Read, frozen=True):
    """
    Migration settings in the wrong place. KubeVirt has no fields at these places. Only the rules about misplaced settings read
    them.

    Every field takes any JSON value, because no schema applies to a misplaced field.
    """

    migrations: Json = None
    migration: Json = None
    migration_configuration: Json = None
    migration_config: Json = None
    live_migration_config: Json = None
    feature_gates: Json = None
    allow_auto_converge: Json = None
    allow_post_copy: Json = None
    allow_workload_disruption: Json = None
    bandwidth_per_migration: Json = None
    completion_timeout_per_gib: Json = msgspec.field(default=None, name="completionTimeoutPerGiB")
    disable_tls: Json = msgspec.field(default=None, name="disableTLS")
    parallel_migrations_per_cluster: Json = None
    parallel_outbound_migrations_per_node: Json = None
    progress_timeout: Json = None
    unsafe_migration_override: Json = None


class RegisteredBinding(Read, frozen=True):
    """An entry of ``network.binding``. The verdict depends only on the presence of ``migration``."""

    migration: Json = None
    network_attachment_definition: str | None = None
    domain_attachment_type: str | None = None


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
    memory_overcommit: int | None = None
    """If this field or one of the next two fields has a wrong value, KubeVirt ignores the whole configuration."""
    cpu_allocation_ratio: int | None = None
    pvc_tolerate_less_space_up_to_percent: int | None = None
    node_selectors: dict[str, str] | None = None
    """Selectors that KubeVirt adds to every launcher pod."""


class ArchitectureConfiguration(Read, frozen=True):
    """``configuration.architectureConfiguration``."""

    default_architecture: str | None = None


class CommonInstancetypesDeployment(Read, frozen=True):
    """``configuration.commonInstancetypesDeployment``."""

    enabled: bool | None = None


class Configuration(Misplaced, frozen=True):
    """The ``spec.configuration`` of the KubeVirt CR, which is the right place for ``migrations``."""

    architecture_configuration: ArchitectureConfiguration | None = None
    common_instancetypes_deployment: CommonInstancetypesDeployment | None = None
    cpu_model: str | None = msgspec.field(default=None, name="cpuModel")
    developer_configuration: DeveloperConfiguration | None = None
    eviction_strategy: str | None = None
    image_pull_policy: str | None = None
    network: NetworkConfiguration | None = None
    permitted_host_devices: PermittedHostDevices | None = None
    vm_state_storage_class: str | None = None
    vm_rollout_strategy: str | None = None


class WorkloadUpdateStrategy(Read, frozen=True):
    """``spec.workloadUpdateStrategy``."""

    workload_update_methods: list[str] | None = None


class CustomizedPatch(Read, frozen=True):
    """An entry of ``spec.customizeComponents.patches``."""

    type: str | None = None


class CustomizeComponents(Read, frozen=True):
    """``spec.customizeComponents``."""

    patches: list[CustomizedPatch] | None = None


class KubeVirtSpec(Misplaced, frozen=True):
    """``KubeVirt.spec``."""

    configuration: Configuration | None = None
    workload_update_strategy: WorkloadUpdateStrategy | None = None
    uninstall_strategy: str | None = None
    image_pull_policy: str | None = None
    customize_components: CustomizeComponents | None = None


class KubeVirtStatus(Read, frozen=True):
    """``KubeVirt.status``."""

    observed_kube_virt_version: str | None = None
    default_architecture: str | None = None


class KubeVirt(Kubernetes, frozen=True):
    """The KubeVirt CR (kubevirt.io). A cluster has one KubeVirt CR."""

    spec: KubeVirtSpec = msgspec.field(default_factory=KubeVirtSpec)
    status: KubeVirtStatus | None = None
    configuration: Json = None
    """A misplaced field that belongs in ``spec``."""
    migrations: Json = None
    """A misplaced field that belongs in ``spec.configuration``."""


class MigrationPolicy(Kubernetes, frozen=True):
    """
    migrations.kubevirt.io MigrationPolicy, cluster-scoped.

    ``spec`` stays parsed JSON, because the rules report misspelled fields and wrong types with their paths.
    """

    spec: dict[str, Json] = msgspec.field(default_factory=dict)
