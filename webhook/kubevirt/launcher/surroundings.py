"""
The objects of a cluster on which a launcher pod depends, and the behaviour of a patch release.

This module does no I/O.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_configuration import LauncherConfiguration
from webhook.objects.storage import PersistentVolumeClaim


class Surroundings(msgspec.Struct, frozen=True):
    """The objects of a cluster, as one namespace sees them. A collection without ``Unknown`` is complete."""

    version: Version
    configuration: LauncherConfiguration = LauncherConfiguration()
    architecture: str = "amd64"
    """The architecture of the control plane, which applies to a VMI without an architecture."""
    namespace_labels: Fact[Mapping[str, str]] = Unknown(
        "the labels of the namespace are unknown", "provide the Namespace"
    )
    quota_resources: Fact[frozenset[str]] = Unknown("the quotas are unknown", "provide all ResourceQuotas")
    """The resources in ``spec.hard`` of the namespace's quotas."""
    claims: Fact[Mapping[str, PersistentVolumeClaim]] = Unknown("the claims are unknown", "provide all PVCs")
    """The claims of the namespace by name."""
    networks: Fact[Mapping[str, Mapping[str, str]]] = Unknown(
        "the networks are unknown", "provide all NetworkAttachmentDefinitions"
    )
    """The annotations of all NetworkAttachmentDefinitions, by ``namespace/name``."""


class NoPod(msgspec.Struct, frozen=True):
    """virt-controller does not create a pod. ``message`` is virt-controller's own."""

    message: str


def reached(version: Version, *fixes: tuple[int, int, int]) -> bool:
    """
    Whether a patch release has a change. ``fixes`` are the first releases with the change, one for each minor release that got
    it by a patch, oldest first. All newer minor releases have the change.
    """
    for fix in fixes:
        if version[:2] == fix[:2]:
            return version >= fix
    return version > fixes[-1]


_FIRST: Final[Mapping[str, tuple[int, int]]] = {
    "AutoResourceLimitsGate": (1, 0),
    "ConfigurableHypervisor": (1, 8),
    "CrossArchitectureVirtualization": (1, 9),
    "ExternalNetResourceInjection": (1, 8),
    "GPUsWithDRA": (1, 6),
    "HostDevicesWithDRA": (1, 6),
    "HypervStrictCheck": (1, 0),
    "IOMMUFD": (1, 9),
    "ImageVolume": (1, 6),
}
"""The first release with a feature gate that shapes launcher pods (``pkg/virt-config/featuregate/active.go``)."""
_GENERAL: Final[Mapping[str, tuple[int, int]]] = {"AutoResourceLimitsGate": (1, 5)}
"""The release in which a gate became generally available."""
_BETA: Final = frozenset(("ExternalNetResourceInjection", "GPUsWithDRA", "HostDevicesWithDRA", "ImageVolume"))
"""Gates that are beta in KubeVirt 1.9 and later."""
_BETA_IS_ON = (1, 9)
"""The first release in which beta gates are on by default (``featuregate.IsEnabled`` of ``feature-gates.go``, v1.9.0)."""


def gate_is_on(around: Surroundings, gate: str) -> bool:
    """Whether a feature gate that shapes launcher pods is on."""
    minor = around.version[:2]
    developer = around.configuration.developer
    if minor < _FIRST[gate]:
        return False
    if minor >= _GENERAL.get(gate, (9, 0)) or gate in (developer.feature_gates or ()):
        return True
    return minor >= _BETA_IS_ON and gate in _BETA and gate not in (developer.disabled_feature_gates or ())
