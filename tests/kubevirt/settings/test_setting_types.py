"""The types and first releases of migration settings (webhook.kubevirt.settings.settings)."""

from webhook.kubevirt.releases import KNOWN, Release, since
from webhook.kubevirt.settings.settings import SETTINGS, Type

TYPES = {
    Type.BOOLEAN: """allowAutoConverge allowPostCopy allowWorkloadDisruption disableTLS matchSELinuxLevelOnMigration
      unsafeMigrationOverride""",
    Type.TEXT: "network nodeDrainTaintKey",
    Type.UINT32: "parallelMigrationsPerCluster parallelOutboundMigrationsPerNode",
    Type.INT64: "completionTimeoutPerGiB progressTimeout utilityVolumesTimeout",
    Type.UINT64: "maxDowntimeMs",
    Type.QUANTITY: "bandwidthPerMigration",
}
APPEARED = {"allowWorkloadDisruption": 5, "utilityVolumesTimeout": 8, "maxDowntimeMs": 9}
OF_POLICIES = """allowAutoConverge allowPostCopy allowWorkloadDisruption bandwidthPerMigration completionTimeoutPerGiB
  maxDowntimeMs"""


def test_each_setting_has_its_json_type() -> None:
    """
    As in MigrationConfiguration.
    """
    expected = {name: kind for kind, names in TYPES.items() for name in names.split()}

    assert {name: setting.type for name, setting in SETTINGS.items()} == expected
    assert {name: setting.name for name, setting in SETTINGS.items()} == {name: name for name in expected}
    assert str(Type.TEXT) == "text"


def test_three_settings_came_later() -> None:
    """
    All known releases have the others.
    """
    assert {name: setting.releases for name, setting in SETTINGS.items()} == {
        name: since(Release(1, APPEARED[name])) if name in APPEARED else KNOWN for name in SETTINGS
    }


def test_a_policy_sets_six_of_them() -> None:
    """
    As in MigrationPolicySpec.
    """
    assert sorted(name for name, setting in SETTINGS.items() if setting.policy) == OF_POLICIES.split()
