"""Feature gates by release, as in KubeVirt's release notes (webhook.kubevirt.feature_gates)."""

import pytest

from webhook.kubevirt.feature_gates import GATES, MIGRATION_STALL_DETECTION
from webhook.kubevirt.releases import KNOWN, NONE, Release, since

FROM_1_0 = """ExperimentalVirtiofsSupport GPU HostDevices HotplugNICs HotplugVolumes LiveMigration Macvtap Passt
  PersistentReservation SRIOVLiveMigration VMPersistentState WorkloadEncryptionSEV"""
APPEARED = {
    0: FROM_1_0,
    1: "NetworkBindingPlugins VMLiveUpdateFeatures",
    3: "VolumeMigration VolumesUpdateStrategy",
    4: "InstancetypeReferencePolicy",
    5: "EnableVirtioFsConfigVolumes EnableVirtioFsStorageVolumes",
    6: """DecentralizedLiveMigration DeclarativeHotplugVolumes GPUsWithDRA HostDevicesWithDRA PasstIPStackMigration
      SecureExecution""",
    7: "MigrationPriorityQueue WorkloadEncryptionTDX",
    8: "ContainerPathVolumes LiveUpdateNADRef PasstBinding UtilityVolumes",
    9: "MigrationStallDetection NetworkDevicesWithDRA VGPULiveMigration",
    10: "MigrationDowntimeTuning",
}
ON_BY_DEFAULT = {
    0: "LiveMigration SRIOVLiveMigration",
    4: "GPU HotplugNICs",
    5: "NetworkBindingPlugins VMLiveUpdateFeatures VolumeMigration VolumesUpdateStrategy",
    6: "InstancetypeReferencePolicy VMPersistentState",
    8: "EnableVirtioFsConfigVolumes",
    9: """DeclarativeHotplugVolumes GPUsWithDRA HostDevicesWithDRA LiveUpdateNADRef MigrationPriorityQueue PasstBinding
      SecureExecution WorkloadEncryptionSEV""",
    10: "DecentralizedLiveMigration",
}
REMOVED = {3: "Macvtap Passt", 8: "ExperimentalVirtiofsSupport PasstIPStackMigration"}


def test_each_gate_appears_in_one_release() -> None:
    """
    Later releases also have it, even when it is on by default.
    """
    expected = {name: since(Release(1, minor)) for minor, names in APPEARED.items() for name in names.split()}

    assert {name: gate.known for name, gate in GATES.items()} == expected


@pytest.mark.parametrize(("change", "field"), [(ON_BY_DEFAULT, "on_by_default"), (REMOVED, "removed")])
def test_some_gates_are_on_by_default_and_some_are_removed(change: dict[int, str], field: str) -> None:
    """
    All other gates must be listed in each release that has them.
    """
    changed = {name: since(Release(1, minor)) for minor, names in change.items() for name in names.split()}

    assert {name: getattr(gate, field) for name, gate in GATES.items()} == {
        name: changed.get(name, NONE) for name in GATES
    }


def test_live_migration_needs_no_gate() -> None:
    """
    It is on in all known releases.
    """
    assert GATES["LiveMigration"].on_by_default == KNOWN


def test_the_gate_of_downtimes_is_one_of_them() -> None:
    """
    maxDowntimeMs needs it.
    """
    assert GATES[MIGRATION_STALL_DETECTION].known == since(Release(1, 9))
