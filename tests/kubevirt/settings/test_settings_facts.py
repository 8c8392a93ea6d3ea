"""Defaults and types of the migration settings, and the facts about a KubeVirt CR."""

from typing import Any

import msgspec
import pytest

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.releases import KNOWN, PREVIEW, SUPPORTED, TABLE, Behaviour, Release, only
from webhook.kubevirt.settings.settings import (
    SETTINGS,
    Type,
    bandwidth_of,
    built_in,
    in_force,
    same_in_all,
    settings_facts,
    well_typed,
    written,
)
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Json
from webhook.objects.path import dotted

MISPLACED_SETTINGS = """allowAutoConverge allowPostCopy allowWorkloadDisruption bandwidthPerMigration
  completionTimeoutPerGiB disableTLS parallelMigrationsPerCluster parallelOutboundMigrationsPerNode progressTimeout
  unsafeMigrationOverride"""
SECTIONS = "migrations migration migrationConfiguration migrationConfig liveMigrationConfig"


def behaviour(minor: int) -> Behaviour:
    return TABLE[minor]


def a_kubevirt(spec: Any = None, **top: Any) -> KubeVirt:
    manifest = {"metadata": {"name": "kubevirt", "namespace": "kubevirt"}, "spec": spec or {}, **top}
    return msgspec.convert(manifest, KubeVirt)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (Type.BOOLEAN, [True, False], [None, 0, "true"]),
        (Type.TEXT, ["", "a"], [None, 5, True]),
        (Type.QUANTITY, ["64Mi", "fast", 5], [None, 1.5, True]),
        (Type.UINT32, [5, -1], [None, 1.5, "5", True]),
        (Type.INT64, [5, -1], [None, 1.5, "5", True]),
        (Type.UINT64, [5, -1], [None, 1.5, "5", True]),
    ],
)
def test_a_value_has_the_json_type_of_its_setting(kind: Type, right: list[Json], wrong: list[Json]) -> None:
    """
    A boolean is no number, and null is no value.
    """
    setting = next(value for value in SETTINGS.values() if value.type is kind)

    assert [well_typed(setting, fact) for fact in right] == [True] * len(right)
    assert [well_typed(setting, fact) for fact in wrong] == [False] * len(wrong)
    assert [written({setting.name: fact}) for fact in wrong] == [{}] * len(wrong)
    assert [written({setting.name: fact}) for fact in right] == [{setting.name: fact} for fact in right]


def test_only_settings_are_written() -> None:
    """
    Other fields are none, and neither is what is no object.
    """
    assert written({"progressTimeout": 5, "progresTimeout": 6}) == {"progressTimeout": 5}
    assert written([]) == {}
    assert written(None) == {}


@pytest.mark.parametrize("minor", range(10))
def test_a_release_has_the_defaults_of_its_own_settings(minor: int) -> None:
    """
    virt-config.go sets them; three settings are off by absence, one follows another.
    """
    drain, timeout = {"nodeDrainTaintKey": "kubevirt.io/drain"}, 800 if minor < 4 else 150

    assert built_in(behaviour(minor)) == {
        **drain,
        "parallelOutboundMigrationsPerNode": 2,
        "parallelMigrationsPerCluster": 5,
        "allowAutoConverge": False,
        "bandwidthPerMigration": "0Mi",
        "completionTimeoutPerGiB": timeout,
        "progressTimeout": 150,
        "unsafeMigrationOverride": False,
        "allowPostCopy": False,
        **({"utilityVolumesTimeout": 150} if minor >= 8 else {}),
        **({"maxDowntimeMs": 900} if minor >= 9 else {}),
    }


def test_releases_share_the_defaults_on_which_they_agree() -> None:
    """
    One release agrees with itself; a setting that one of them does not have is not shared.
    """
    both = only(Release(1, 3)) | only(Release(1, 9))

    assert same_in_all(only(Release(1, 3))) == built_in(behaviour(3))
    assert same_in_all(both) == {
        name: value for name, value in built_in(behaviour(3)).items() if name != "completionTimeoutPerGiB"
    }
    assert same_in_all(only(Release(1, 8)) | only(Release(1, 9))) == built_in(behaviour(8))


@pytest.mark.parametrize(
    ("migrations", "minor", "expected"),
    [
        ({"allowPostCopy": True}, 4, None),
        ({"allowPostCopy": True}, 5, True),
        ({"allowPostCopy": True, "allowWorkloadDisruption": False}, 5, False),
        ({"allowWorkloadDisruption": True}, 4, None),
        ({"allowWorkloadDisruption": True}, 5, True),
        ({}, 5, False),
    ],
)
def test_disruption_follows_post_copy_unless_it_is_written(migrations: Json, minor: int, expected: bool | None) -> None:
    """
    A release before 1.5 does not have it.
    """
    assert in_force(migrations, behaviour(minor)).get("allowWorkloadDisruption") is expected


def test_a_bandwidth_is_read_as_a_quantity() -> None:
    """
    None where it is no quantity or absent.
    """
    result = bandwidth_of({"bandwidthPerMigration": "64Mi"})

    assert result is not None
    assert (result.value, result.suffix) == (64 * 2**20, "Mi")
    assert bandwidth_of({"bandwidthPerMigration": "fast"}) is None
    assert bandwidth_of({}) is None


def test_the_facts_are_those_of_the_cr() -> None:
    """
    Migrations stay as they are written.
    """
    written_cr = a_kubevirt(
        {
            "configuration": {
                "developerConfiguration": {"featureGates": ["GPU"], "disabledFeatureGates": ["Passt"]},
                "evictionStrategy": "LiveMigrate",
                "migrations": {"network": 5},
                "network": {"defaultNetworkInterface": "masquerade"},
                "vmRolloutStrategy": "LiveUpdate",
            },
            "workloadUpdateStrategy": {"workloadUpdateMethods": ["Evict"]},
        }
    )

    assert settings_facts(written_cr, SUPPORTED) == SettingsFacts(
        releases=SUPPORTED,
        namespace="kubevirt",
        migrations={"network": 5},
        misplaced=(),
        eviction_strategy="LiveMigrate",
        default_network_interface="masquerade",
        feature_gates=("GPU",),
        disabled_feature_gates=("Passt",),
        vm_rollout_strategy="LiveUpdate",
        workload_update_methods=("Evict",),
    )


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"configuration": {}},
        {"configuration": {"developerConfiguration": {}, "network": {}}, "workloadUpdateStrategy": {}},
        {"configuration": {"network": {"defaultNetworkInterface": ""}}},
    ],
)
def test_a_cr_without_settings_has_kubevirts_defaults(spec: Any) -> None:
    """
    The default interface is bridge in all releases.
    """
    assert settings_facts(a_kubevirt(spec), KNOWN) == SettingsFacts(
        releases=KNOWN,
        namespace="kubevirt",
        migrations=None,
        misplaced=(),
        eviction_strategy=None,
        default_network_interface="bridge",
        feature_gates=(),
        disabled_feature_gates=(),
        vm_rollout_strategy=None,
        workload_update_methods=(),
    )


def misplaced(judged: KubeVirt) -> list[tuple[str, str]]:
    """The paths of misplaced settings, each with its right place."""
    return [(dotted(path), place) for path, place in settings_facts(judged, KNOWN).misplaced]


RIGHT = "spec.configuration.migrations"
GATES = "spec.configuration.developerConfiguration.featureGates"


@pytest.mark.parametrize("name", [*SECTIONS.split(), *MISPLACED_SETTINGS.split(), "featureGates"])
def test_misplaced_settings_are_found_in_spec_and_in_configuration(name: str) -> None:
    """
    A section belongs at the place of migrations, a setting inside it, and a gate into developerConfiguration.
    """
    right = GATES if name == "featureGates" else RIGHT if name in SECTIONS.split() else f"{RIGHT}.{name}"

    assert misplaced(a_kubevirt({name: False})) == [(f"spec.{name}", right)]
    assert misplaced(a_kubevirt({"configuration": {name: False}})) == (
        [] if name == "migrations" else [(f"spec.configuration.{name}", right)]
    )


def test_misplaced_settings_are_found_at_the_top_of_the_object() -> None:
    """
    The configuration, or migrations alone. All are listed from the outside in.
    """
    judged = a_kubevirt({"migration": {}, "configuration": {"migration": {}}}, configuration={}, migrations={})

    assert misplaced(judged) == [
        ("configuration", "spec.configuration"),
        ("migrations", RIGHT),
        ("spec.migration", RIGHT),
        ("spec.configuration.migration", RIGHT),
    ]


def test_written_settings_replace_defaults() -> None:
    """
    Null and wrongly typed values keep the default; what the release does not have is not in force.
    """
    newest, old = TABLE[-1], TABLE[3]
    values = {"allowPostCopy": True, "progressTimeout": None, "bandwidthPerMigration": 1.5, "utilityVolumesTimeout": 9}

    in_newest, in_old = in_force(values, newest), in_force(values, old)

    assert in_newest == {
        "nodeDrainTaintKey": "kubevirt.io/drain",
        "parallelOutboundMigrationsPerNode": 2,
        "parallelMigrationsPerCluster": 5,
        "allowAutoConverge": False,
        "bandwidthPerMigration": "0Mi",
        "completionTimeoutPerGiB": 150,
        "progressTimeout": 150,
        "unsafeMigrationOverride": False,
        "allowPostCopy": True,
        "allowWorkloadDisruption": True,
        "utilityVolumesTimeout": 9,
        "maxDowntimeMs": 900,
    }
    left_out = {"allowWorkloadDisruption", "utilityVolumesTimeout", "maxDowntimeMs"}
    assert in_old == {
        **{name: value for name, value in in_newest.items() if name not in left_out},
        "completionTimeoutPerGiB": 800,
    }


def test_releases_agree_on_all_defaults_but_one() -> None:
    """
    Where the release is not known, only the defaults that all supported releases share are certain.
    """
    shared = set(same_in_all(SUPPORTED))

    assert set(built_in(TABLE[-1])) - shared == {"completionTimeoutPerGiB", "utilityVolumesTimeout", "maxDowntimeMs"}
    assert TABLE[-1].release == PREVIEW
