"""
The KubeVirt CR of a cluster: the configuration in force, the default architecture of VMs, and the patch release.

Source: ``pkg/virt-config/configuration.go`` (setConfigFromKubeVirt, validateConfig), v1.0.1 to v1.9.0;
``pkg/virt-operator/util/config.go`` SetDefaultArchitecture, v1.9.0.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from webhook.facts.layered_world import requested_version
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Release, Version, parse_version
from webhook.objects.kubevirt import Configuration, DeveloperConfiguration, KubeVirt
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown

if TYPE_CHECKING:
    from webhook.facts.settings import InvalidValue

BUILT_IN = Configuration()
_NO_DEVELOPER = DeveloperConfiguration()
_PULL_POLICIES = ("Always", "Never", "IfNotPresent")
_DEFAULT_INTERFACES = ("bridge", "slirp", "masquerade")
_DEVELOPER: FieldPath = ("developerConfiguration",)
_PERCENT = 100


class Cluster(msgspec.Struct, frozen=True):
    """The configuration in force, the control plane's architecture, and the patch release if it is known."""

    configuration: Fact[Configuration]
    architecture: str | None
    version: Version | None = None

    def patch_of(self, release: Release) -> int | None:
        """The patch release of ``release`` that the cluster runs, or None if it is not known."""
        return self.version.patch if self.version is not None and self.version.release == release else None


def cluster_of(world: World) -> Cluster:
    """
    The settings of the KubeVirt CR, or the built-in defaults if the cluster is known to have no CR.

    The architecture in the CR's spec has precedence over the architecture in its status, which virt-operator writes. A
    requested patch release has precedence over the patch release in the CR's status.
    """
    global _latest  # noqa: PLW0603 - one entry, replaced as a whole
    kubevirts, patch = world.every(KubeVirt), requested_version(world)
    known = _latest
    if known[0] is not kubevirts or known[1] != patch:
        known = _latest = kubevirts, patch, _cluster(kubevirts, patch)
    return known[2]


def _cluster(kubevirts: Fact[tuple[KubeVirt, ...]], patch: str) -> Cluster:
    requested = parse_version(patch) if patch else None
    if isinstance(kubevirts, Unknown):
        return Cluster(kubevirts, None, requested)
    if not kubevirts:
        return Cluster(BUILT_IN, None, requested)
    kubevirt = kubevirts[0]
    configuration = kubevirt.spec.configuration or BUILT_IN
    written, status = configuration.architecture_configuration, kubevirt.status
    architecture = (written.default_architecture if written is not None else None) or (
        status.default_architecture if status is not None else None
    )
    observed = (status.observed_kube_virt_version if status is not None else None) or ""
    version = requested or parse_version(observed)
    invalid = invalid_value(configuration)
    if not invalid:
        return Cluster(configuration, architecture, version)
    why = (
        f"spec.configuration of the KubeVirt CR has an invalid {invalid}, so KubeVirt uses an older configuration, "
        "which Migratable cannot read"
    )
    return Cluster(Unknown(why, "ask the platform team to correct the KubeVirt CR"), architecture, version)


_NO_KUBEVIRTS: tuple[KubeVirt, ...] = ()
_latest: tuple[Fact[tuple[KubeVirt, ...]], str, Cluster] = (_NO_KUBEVIRTS, "", Cluster(BUILT_IN, None))
"""The settings of the latest KubeVirt CRs. A world returns the same objects again until one changes."""


def invalid_value(configuration: Configuration) -> str:
    """
    The first invalid value, or an empty text if all values are valid. KubeVirt keeps its last valid configuration if a value is
    invalid.
    """
    first = next(invalid_values(configuration), None)
    return f"{dotted(first.path)} {shown(first.value)}" if first is not None else ""


def invalid_values(configuration: Configuration) -> "Iterator[InvalidValue]":
    """
    The values that KubeVirt's function ``validateConfig`` refuses. The function is the same in v1.3.0 to v1.9.0.

    An absent, empty or zero value is valid, because KubeVirt then uses its default.
    """
    from webhook.facts.settings import InvalidValue  # noqa: PLC0415 - many inputs have no KubeVirt CR

    developer = configuration.developer_configuration or _NO_DEVELOPER
    interface = configuration.network.default_network_interface if configuration.network is not None else None
    if configuration.image_pull_policy and configuration.image_pull_policy not in _PULL_POLICIES:
        yield InvalidValue(("imagePullPolicy",), configuration.image_pull_policy, _PULL_POLICIES)
    if (overcommit := developer.memory_overcommit or 0) < 0:
        yield InvalidValue((*_DEVELOPER, "memoryOvercommit"), overcommit, limit="a positive number")
    if (ratio := developer.cpu_allocation_ratio or 0) < 0:
        yield InvalidValue((*_DEVELOPER, "cpuAllocationRatio"), ratio, limit="a positive number")
    if not 0 <= (tolerated := developer.pvc_tolerate_less_space_up_to_percent or 0) <= _PERCENT:
        yield InvalidValue((*_DEVELOPER, "pvcTolerateLessSpaceUpToPercent"), tolerated, limit="a number from 0 to 100")
    if interface and interface not in _DEFAULT_INTERFACES:
        yield InvalidValue(("network", "defaultNetworkInterface"), interface, _DEFAULT_INTERFACES)
