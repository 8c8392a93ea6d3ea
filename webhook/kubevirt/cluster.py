"""
The one KubeVirt CR of a cluster: which configuration is in force, and on which architecture VMs run by default.

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
    """The KubeVirt CR, read once: its configuration in force and the control plane's architecture."""

    configuration: Fact[Configuration]
    architecture: str | None


def cluster_of(world: World) -> Cluster:
    """
    The one KubeVirt CR of the cluster; built-in defaults where it is known that there is none.

    An architecture that the CR asks for outranks the one in its status, where virt-operator writes it and all others
    read it.
    """
    found = world.every(KubeVirt)
    if isinstance(found, Unknown):
        return Cluster(found, None)
    if not found:
        return Cluster(BUILT_IN, None)
    kubevirt = found[0]
    configuration = kubevirt.spec.configuration or BUILT_IN
    asked, status = configuration.architecture_configuration, kubevirt.status
    architecture = (asked.default_architecture if asked is not None else None) or (
        status.default_architecture if status is not None else None
    )
    wrong = wrong_value(configuration)
    if not wrong:
        return Cluster(configuration, architecture)
    why = (
        f"KubeVirt ignores the whole spec.configuration of the KubeVirt CR because of its {wrong}, and goes on with an "
        "older one that nobody can see"
    )
    return Cluster(Unknown(why, "ask the platform team to correct the KubeVirt CR"), architecture)


def wrong_value(configuration: Configuration) -> str:
    """The value for which KubeVirt keeps its last valid configuration instead of this one; empty if there is none."""
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
