"""
Feature gates for live migration. Each entry lists the releases that have the gate, those that turn it on by default, and those
that have removed its feature.

Source: ``pkg/virt-config/featuregate/active.go`` and ``inactive.go``, v1.0.1 to v1.9.0 and main of
2026-08-22. A gate is on by default if it is generally available (GA), and from 1.9 on also if it is Beta
(``pkg/virt-config/featuregate/feature-gates.go``, v1.9.0).
"""

from collections.abc import Mapping

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.releases import NONE, Release, Releases, since
from webhook.objects.kubevirt import Configuration


class Gate(msgspec.Struct, frozen=True):
    """One feature gate."""

    known: Releases
    """The releases that have the gate."""
    on_by_default: Releases = NONE
    """The releases in which the gate is on even if the KubeVirt CR does not list it."""
    removed: Releases = NONE
    """The releases in which the gate has no effect, because KubeVirt has removed its feature."""


def _gate(first: int, on_by_default: int | None = None, removed: int | None = None) -> Gate:
    return Gate(
        since(Release(1, first)),
        since(Release(1, on_by_default)) if on_by_default is not None else NONE,
        since(Release(1, removed)) if removed is not None else NONE,
    )


GATES: Mapping[str, Gate] = {
    "ContainerPathVolumes": _gate(8),
    "DecentralizedLiveMigration": _gate(6, 10),
    "DeclarativeHotplugVolumes": _gate(6, 9),
    "EnableVirtioFsConfigVolumes": _gate(5, 8),
    "EnableVirtioFsStorageVolumes": _gate(5),
    "ExperimentalVirtiofsSupport": _gate(0, removed=8),
    "GPU": _gate(0, 4),
    "GPUsWithDRA": _gate(6, 9),
    "HostDevices": _gate(0),
    "HostDevicesWithDRA": _gate(6, 9),
    "HotplugNICs": _gate(0, 4),
    "HotplugVolumes": _gate(0),
    "InstancetypeReferencePolicy": _gate(4, 6),
    "LiveMigration": _gate(0, 0),
    "LiveUpdateNADRef": _gate(8, 9),
    "Macvtap": _gate(0, removed=3),
    "MigrationDowntimeTuning": _gate(10),
    "MigrationPriorityQueue": _gate(7, 9),
    "MigrationStallDetection": _gate(9),
    "NetworkBindingPlugins": _gate(1, 5),
    "NetworkDevicesWithDRA": _gate(9),
    "Passt": _gate(0, removed=3),
    "PasstBinding": _gate(8, 9),
    "PasstIPStackMigration": _gate(6, removed=8),
    "PersistentReservation": _gate(0),
    "SRIOVLiveMigration": _gate(0, 0),
    "SecureExecution": _gate(6, 9),
    "UtilityVolumes": _gate(8),
    "VGPULiveMigration": _gate(9),
    "VMLiveUpdateFeatures": _gate(1, 5),
    "VMPersistentState": _gate(0, 6),
    "VolumeMigration": _gate(3, 5),
    "VolumesUpdateStrategy": _gate(3, 5),
    "WorkloadEncryptionSEV": _gate(0, 9),
    "WorkloadEncryptionTDX": _gate(7),
}
MIGRATION_DOWNTIME_TUNING = "MigrationDowntimeTuning"
MIGRATION_STALL_DETECTION = "MigrationStallDetection"
VGPU_LIVE_MIGRATION = "VGPULiveMigration"
VGPU_KNOWN: Releases = since(Release(1, 9))
"""
The releases that have gate ``VGPULiveMigration``. An alpha gate such as this one is off unless the KubeVirt CR lists the gate.
"""
HOTPLUG_BY_STATUS = "HotplugVolumes"
HOTPLUG_BY_TEMPLATE = "DeclarativeHotplugVolumes"


def alpha_gate_is_on(configuration: Configuration, gate: str) -> bool:
    """
    Whether an alpha gate is on, that is, whether ``developerConfiguration.featureGates`` lists the gate.

    The list of disabled gates has no effect on alpha gates.
    """
    developer = configuration.developer_configuration
    return developer is not None and gate in (developer.feature_gates or ())


def gate_is_on(configuration: Configuration, gate: str, releases: Releases) -> Releases:
    """The releases in which a gate of ``GATES`` is on under this configuration."""
    known, developer = GATES[gate], configuration.developer_configuration
    if developer is not None and gate in (developer.feature_gates or ()):
        return releases & known.known
    disabled = developer is not None and gate in (developer.disabled_feature_gates or ())
    return NONE if disabled else releases & known.on_by_default


def hotplugs_from_template(configuration: Fact[Configuration], releases: Releases) -> bool:
    """
    Whether virt-controller may hotplug a volume that is added to the template of a running VM.

    Source: ``pkg/virt-controller/watch/vm/vm.go`` handleDeclarativeVolumeHotplug, v1.6.0 to v1.9.0. The older gate has
    precedence over the newer gate.
    """
    gate = GATES[HOTPLUG_BY_TEMPLATE]
    if isinstance(configuration, Unknown):
        return bool(releases & gate.known)
    developer = configuration.developer_configuration
    listed = (developer.feature_gates if developer is not None else None) or ()
    disabled = (developer.disabled_feature_gates if developer is not None else None) or ()
    if HOTPLUG_BY_STATUS in listed:
        return False
    if HOTPLUG_BY_TEMPLATE in listed:
        return bool(releases & gate.known)
    return HOTPLUG_BY_TEMPLATE not in disabled and bool(releases & gate.on_by_default)
