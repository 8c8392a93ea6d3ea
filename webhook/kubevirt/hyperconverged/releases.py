"""
Releases of HyperConverged: the KubeVirt release that each deploys, and the settings and feature gates that it writes itself.

Sources, each at tag v1.13.0, v1.14.0, v1.15.2, v1.16.0, v1.17.3, v1.18.1 and at main of 2026-08-21 (1.19 and later):
``hack/config`` of hyperconverged-cluster-operator (``KUBEVIRT_VERSION``), the defaults of ``liveMigrationConfig`` in
``api/v1beta1/hyperconverged_types.go``, ``controllers/handlers/kubevirt.go`` (``hardCodeKvFgs``, ``getFeatureGateChecks``,
``getKvDisabledFeatureGateList``).
"""

from collections.abc import Mapping
from typing import Final

from webhook.kubevirt.releases import Release, parse_release
from webhook.kubevirt.settings.settings import ALLOW_WORKLOAD_DISRUPTION, COMPLETION_TIMEOUT, PARALLEL_OUTBOUND
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.meta import Json

OPERATOR: Final = "operator"
LAST_WITH_OLD_DEFAULTS: Final = Release(1, 8)
"""The KubeVirt release that HyperConverged 1.18 deploys. HyperConverged 1.19 has other defaults."""
_OFFSET: Final = 10
"""HyperConverged 1.15 deploys KubeVirt 1.5, and so on up to 1.19, which deploys KubeVirt 1.9."""
_FIRST: Final = 10
_NEWEST: Final = 19


def kubevirt_release(hyper_converged: HyperConverged) -> str:
    """The KubeVirt release that the HyperConverged release in ``status.versions`` deploys, or an empty text if it is unknown."""
    versions = (hyper_converged.status.versions if hyper_converged.status is not None else None) or ()
    running = next((entry.version for entry in versions if entry.name == OPERATOR), "")
    release = parse_release(running)
    if release is None or release.major != 1 or release.minor < _FIRST:
        return ""  # such as 4.20, a release of OpenShift Virtualization
    return str(Release(1, min(release.minor, _NEWEST) - _OFFSET))


def defaults(release: Release) -> dict[str, Json]:
    """
    The settings that HyperConverged writes for absent fields, by the KubeVirt release that it deploys.

    Settings with KubeVirt's own defaults are left out. The result is therefore empty up to HyperConverged 1.18.
    """
    if release <= LAST_WITH_OLD_DEFAULTS:
        return {}
    return {COMPLETION_TIMEOUT: 20, PARALLEL_OUTBOUND: 1, ALLOW_WORKLOAD_DISRUPTION: False}


_ALWAYS: Final[Mapping[str, tuple[int, int]]] = {
    "CommonInstancetypesDeploymentGate": (2, 3),
    "HostDevices": (0, 99),
    "HotplugVolumes": (0, 5),
    "GPU": (0, 4),
    "HotplugNICs": (0, 3),
    "InstancetypeReferencePolicy": (5, 6),
    "LiveUpdateNADRef": (8, 8),
    "NetworkBindingPlugins": (0, 4),
    "VMLiveUpdateFeatures": (0, 4),
    "VMPersistentState": (0, 6),
    "VolumeMigration": (4, 4),
    "VolumesUpdateStrategy": (4, 4),
}
"""KubeVirt's gates that the operator always lists, with the first and last minor release of KubeVirt to which this applies."""
_BY_GATE: Final[Mapping[str, tuple[tuple[str, ...], int, int]]] = {
    "containerPathVolumes": (("ContainerPathVolumes",), 8, 99),
    "decentralizedLiveMigration": (("DecentralizedLiveMigration",), 6, 8),
    "declarativeHotplugVolumes": (("DeclarativeHotplugVolumes",), 6, 9),
    "incrementalBackup": (("UtilityVolumes",), 8, 99),
    "persistentReservation": (("PersistentReservation",), 0, 99),
}
"""
HyperConverged's gates: the gates of KubeVirt that they turn on, the first minor release of KubeVirt with the gate, and the first
one in which the gate is on by default.
"""
_DECLARATIVE: Final = "declarativeHotplugVolumes"
_BETA: Final = (
    "DeclarativeHotplugVolumes",
    "GPUsWithDRA",
    "HostDevicesWithDRA",
    "PasstBinding",
    "WorkloadEncryptionSEV",
)
"""Beta gates in KubeVirt 1.9. HyperConverged 1.19 disables each of them unless it lists the gate. ``SecureExecution`` is GA."""
HYPER_CONVERGED_GATES: Final = (
    "alignCPUs",
    "containerPathVolumes",
    "decentralizedLiveMigration",
    "declarativeHotplugVolumes",
    "deployKubeSecondaryDNS",
    "deployObservabilityController",
    "disableMDevConfiguration",
    "downwardMetrics",
    "enableMultiArchBootImageImport",
    "incrementalBackup",
    "objectGraph",
    "persistentReservation",
    "template",
    "videoConfig",
)
"""The gates of version v1 (``pkg/featuregatedetails/feature-gates.json``, v1.18.1 and main)."""


def feature_gates(written: Mapping[str, bool], release: Release) -> tuple[list[str], list[str]]:
    """
    The gates that the operator lists in the KubeVirt CR, and the gates that it disables there. Only gates that matter for live
    migration are in the lists.

    The keys of ``written`` are HyperConverged's gates in lower case.
    """
    minor = release.minor
    listed = [gate for gate, (first, last) in _ALWAYS.items() if first <= minor <= last]
    for gate, (names, first, on_by_default) in _BY_GATE.items():
        if minor >= first and written.get(gate.lower(), minor >= on_by_default):
            listed.extend(names)
        elif gate == _DECLARATIVE and minor >= first:
            listed.append("HotplugVolumes")
    disabled = [gate for gate in _BETA if gate not in listed] if release > LAST_WITH_OLD_DEFAULTS else []
    return sorted(listed), disabled
