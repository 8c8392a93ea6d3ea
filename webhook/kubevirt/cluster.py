"""
The KubeVirt CR of a cluster: the configuration in force and the default architecture of VMs.

Source: ``pkg/virt-config/configuration.go`` (setConfigFromKubeVirt, validateConfig), v1.0.1 to v1.9.0;
``pkg/virt-operator/util/config.go`` SetDefaultArchitecture, v1.9.0.
"""

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import Configuration, DeveloperConfiguration, KubeVirt

BUILT_IN = Configuration()
_NO_DEVELOPER = DeveloperConfiguration()
_PULL_POLICIES = ("Always", "Never", "IfNotPresent")
_DEFAULT_INTERFACES = ("bridge", "slirp", "masquerade")


class Cluster(msgspec.Struct, frozen=True):
    """The configuration in force and the control plane's architecture."""

    configuration: Fact[Configuration]
    architecture: str | None


def cluster_of(world: World) -> Cluster:
    """
    The settings of the KubeVirt CR, or the built-in defaults if the cluster is known to have no CR.

    The architecture in the CR's spec has precedence over the architecture in its status, which virt-operator writes.
    """
    kubevirts = world.every(KubeVirt)
    if isinstance(kubevirts, Unknown):
        return Cluster(kubevirts, None)
    if not kubevirts:
        return Cluster(BUILT_IN, None)
    kubevirt = kubevirts[0]
    configuration = kubevirt.spec.configuration or BUILT_IN
    written, status = configuration.architecture_configuration, kubevirt.status
    architecture = (written.default_architecture if written is not None else None) or (
        status.default_architecture if status is not None else None
    )
    invalid = invalid_value(configuration)
    if not invalid:
        return Cluster(configuration, architecture)
    why = (
        f"spec.configuration of the KubeVirt CR has an invalid {invalid}, so KubeVirt uses an older configuration, "
        "which Migratable cannot read"
    )
    return Cluster(Unknown(why, "ask the platform team to correct the KubeVirt CR"), architecture)


def invalid_value(configuration: Configuration) -> str:
    """
    The first invalid value, or an empty text if all values are valid. KubeVirt keeps its last valid configuration if a value is
    invalid.
    """
    developer = configuration.developer_configuration or _NO_DEVELOPER
    interface = configuration.network.default_network_interface if configuration.network is not None else None
    tolerated = developer.pvc_tolerate_less_space_up_to_percent or 0
    if configuration.image_pull_policy and configuration.image_pull_policy not in _PULL_POLICIES:
        return f"imagePullPolicy {configuration.image_pull_policy!a}"
    if interface and interface not in _DEFAULT_INTERFACES:
        return f"network.defaultNetworkInterface {interface!a}"
    if (developer.memory_overcommit or 0) < 0:
        return f"developerConfiguration.memoryOvercommit {developer.memory_overcommit}"
    if (developer.cpu_allocation_ratio or 0) < 0:
        return f"developerConfiguration.cpuAllocationRatio {developer.cpu_allocation_ratio}"
    if not 0 <= tolerated <= 100:
        return f"developerConfiguration.pvcTolerateLessSpaceUpToPercent {tolerated}"
    return ""
