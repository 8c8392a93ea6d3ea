"""
Feature gates that have to do with migration: when each appeared, stopped being needed, or was taken away.

Source: ``pkg/virt-config/featuregate/active.go`` and ``inactive.go``, v1.0.1 to v1.9.0. A gate that is on by default
(GA; from 1.9 on also Beta) need not be listed.
"""

from collections.abc import Mapping

import msgspec

from webhook.kubevirt.releases import NONE, Release, Releases, since


class Gate(msgspec.Struct, frozen=True):
    """One feature gate."""

    known: Releases
    """Releases that know it."""
    needless: Releases = NONE
    """Releases where it is on without being listed."""
    gone: Releases = NONE
    """Releases where listing it has no effect, because the feature was taken away."""


def _gate(first: int, needless: int | None = None, gone: int | None = None) -> Gate:
    return Gate(
        since(Release(1, first)),
        since(Release(1, needless)) if needless is not None else NONE,
        since(Release(1, gone)) if gone is not None else NONE,
    )


GATES: Mapping[str, Gate] = {
    "ContainerPathVolumes": _gate(8),
    "DecentralizedLiveMigration": _gate(6),
    "DeclarativeHotplugVolumes": _gate(6, 9),
    "EnableVirtioFsConfigVolumes": _gate(5, 8),
    "EnableVirtioFsStorageVolumes": _gate(5),
    "ExperimentalVirtiofsSupport": _gate(0, gone=8),
    "GPU": _gate(0, 4),
    "GPUsWithDRA": _gate(6, 9),
    "HostDevices": _gate(0),
    "HostDevicesWithDRA": _gate(6, 9),
    "HotplugNICs": _gate(0, 4),
    "HotplugVolumes": _gate(0),
    "InstancetypeReferencePolicy": _gate(4, 6),
    "LiveMigration": _gate(0, 0),
    "LiveUpdateNADRef": _gate(8, 9),
    "Macvtap": _gate(0, gone=3),
    "MigrationPriorityQueue": _gate(7, 9),
    "MigrationStallDetection": _gate(9),
    "NetworkBindingPlugins": _gate(1, 5),
    "NetworkDevicesWithDRA": _gate(9),
    "Passt": _gate(0, gone=3),
    "PasstBinding": _gate(8, 9),
    "PasstIPStackMigration": _gate(6, gone=8),
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
MIGRATION_STALL_DETECTION = "MigrationStallDetection"
