"""The migration settings that are written into a KubeVirt CR."""

from typing import Any

import pytest

from tests.defaults.requests import ASKING, MIGRATIONS, kubevirt, operations, patched, value_at, vmi
from tests.generating import Manifest
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, only
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.manifests.policy_faults import faults_of
from webhook.policy.policy import Policy


def test_an_empty_cr_gets_the_defaults_of_1_9() -> None:
    """
    The patch writes KubeVirt's own defaults, but maxDowntimeMs only with its feature gate.
    """
    patch = operations(kubevirt())

    assert patch is not None
    assert [operation["path"] for operation in patch[:2]] == ["/spec/configuration", "/spec/configuration/migrations"]
    assert value_at(patched(kubevirt(), patch), *MIGRATIONS) == {
        "nodeDrainTaintKey": "kubevirt.io/drain",
        "parallelOutboundMigrationsPerNode": 2,
        "parallelMigrationsPerCluster": 5,
        "allowAutoConverge": False,
        "bandwidthPerMigration": "0Mi",
        "completionTimeoutPerGiB": 150,
        "progressTimeout": 150,
        "unsafeMigrationOverride": False,
        "allowPostCopy": False,
        "utilityVolumesTimeout": 150,
    }


def test_a_default_that_differs_between_releases_is_not_written() -> None:
    """
    If the release is unknown, the patch has only the defaults that all releases share.
    """
    one, any_release = (operations(kubevirt(), releases=releases) or [] for releases in (only(NEWEST), SUPPORTED))

    differing = {operation["path"] for operation in one} - {operation["path"] for operation in any_release}
    assert {path.rpartition("/")[2] for path in differing} == {"completionTimeoutPerGiB", "utilityVolumesTimeout"}


@pytest.mark.parametrize(
    ("gates", "written"), [([], False), (["LiveMigration"], False), (["MigrationStallDetection"], True)]
)
def test_max_downtime_is_written_only_with_its_feature_gate(gates: list[str], written: bool) -> None:
    """
    KubeVirt rejects a change of maxDowntimeMs while the feature gate is off.
    """
    manifest = kubevirt({"developerConfiguration": {"featureGates": gates}})

    for policy in (ASKING, Policy(migration_settings={"maxDowntimeMs": 300})):
        patch = operations(manifest, policy) or []
        assert any(operation["path"].endswith("/maxDowntimeMs") for operation in patch) is written


@pytest.mark.parametrize(
    ("written", "wanted", "cluster", "outbound"),
    [
        ({}, {}, 5, 2),
        ({"parallelMigrationsPerCluster": 1}, {}, 1, None),
        ({"parallelMigrationsPerCluster": 2}, {}, 2, 2),
        ({"parallelOutboundMigrationsPerNode": 4}, {}, 5, 4),
        ({}, {"parallelMigrationsPerCluster": 1}, 1, None),
        ({}, {"parallelMigrationsPerCluster": 3, "parallelOutboundMigrationsPerNode": 3}, 3, 3),
        ({"parallelMigrationsPerCluster": 2}, {"parallelOutboundMigrationsPerNode": 3}, 2, None),
        ({"parallelOutboundMigrationsPerNode": 4}, {"parallelMigrationsPerCluster": 3}, None, 4),
        ({"parallelOutboundMigrationsPerNode": 3}, {"parallelMigrationsPerCluster": 3}, 3, 3),
        ({"parallelMigrationsPerCluster": None}, {}, 5, 2),
    ],
)
def test_limits_that_contradict_each_other_are_not_written(
    written: dict[str, Any], wanted: dict[str, Any], cluster: int | None, outbound: int | None
) -> None:
    """
    No default makes the limit per node exceed the limit per cluster.
    """
    manifest = kubevirt({"migrations": written})

    patch = operations(manifest, Policy(migration_settings=wanted))

    assert patch is not None
    migrations = value_at(patched(manifest, patch), *MIGRATIONS)
    assert migrations.get("parallelMigrationsPerCluster") == cluster
    assert migrations.get("parallelOutboundMigrationsPerNode") == outbound


@pytest.mark.parametrize(
    ("written", "wanted", "expected"),
    [
        ({"completionTimeoutPerGiB": 100}, {"bandwidthPerMigration": "8Mi"}, {"bandwidthPerMigration": "0Mi"}),
        ({"completionTimeoutPerGiB": 200}, {"bandwidthPerMigration": "8Mi"}, {"bandwidthPerMigration": "8Mi"}),
        ({"bandwidthPerMigration": "8Mi"}, {"completionTimeoutPerGiB": 100}, {"completionTimeoutPerGiB": 150}),
        ({"allowPostCopy": True}, {"allowWorkloadDisruption": False}, {"allowWorkloadDisruption": None}),
        (
            {"completionTimeoutPerGiB": 100},
            {"bandwidthPerMigration": "8Mi", "progressTimeout": 60},
            {"bandwidthPerMigration": "0Mi", "progressTimeout": 60},
        ),
    ],
)
def test_a_value_of_the_policy_is_not_written_if_it_contradicts_the_cr(
    written: dict[str, Any], wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """
    Two valid values that together leave too little time, or make post-copy impossible, are never combined.
    """
    manifest = kubevirt({"migrations": written})

    patch = operations(manifest, Policy(migration_settings=wanted))

    migrations = value_at(patched(manifest, patch or []), *MIGRATIONS)
    assert {name: migrations.get(name) for name in expected} == expected


def test_a_value_of_the_policy_replaces_the_default_of_the_release() -> None:
    """
    The value is written only if the release has the field.
    """
    policy = Policy(migration_settings={"progressTimeout": 60, "utilityVolumesTimeout": 30})

    new, old = (
        value_at(patched(kubevirt(), operations(kubevirt(), policy, releases=only(release)) or []), *MIGRATIONS)
        for release in (NEWEST, Release(1, 3))
    )

    assert (new["progressTimeout"], new["utilityVolumesTimeout"]) == (60, 30)
    assert (old["progressTimeout"], "utilityVolumesTimeout" in old) == (60, False)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(kubevirt({"migrations": "none"}), id="text"),
        pytest.param(kubevirt({"migrations": []}), id="list"),
        pytest.param(kubevirt({"migrations": 5}), id="number"),
    ],
)
def test_settings_of_the_wrong_type_get_no_patch(manifest: Manifest) -> None:
    """
    A rule reports the wrong type. A default does not correct it.
    """
    assert operations(manifest) == []


OWNER = {
    "apiVersion": "hco.kubevirt.io/v1beta1",
    "kind": "HyperConverged",
    "name": "hco",
    "uid": "1",
    "controller": True,
}


@pytest.mark.parametrize(
    "metadata",
    [
        {"ownerReferences": [OWNER]},
        {"ownerReferences": [{**OWNER, "controller": None}]},
        {"ownerReferences": [{**OWNER, "kind": "Other"}, OWNER]},
    ],
)
def test_a_cr_of_hyperconverged_gets_no_patch(metadata: dict[str, Any]) -> None:
    """
    HyperConverged's operator would undo the patch, and each would overwrite the other again and again.
    """
    assert operations(kubevirt(**metadata)) == []
    assert operations(kubevirt({"migrations": {"progressTimeout": 1}}, **metadata)) == []


def test_the_policy_can_turn_defaults_off() -> None:
    """
    With ``defaultMigrationSettings: false`` and no ``defaultEvictionStrategy``, no object gets a patch.
    """
    policy = Policy(default_migration_settings=False)

    assert operations(kubevirt(), policy) == []
    assert operations(vmi(), policy) == []


def test_the_policy_accepts_every_setting() -> None:
    """
    ``migrationSettings`` accepts each setting that any release has.
    """
    assert all(not faults_of(Policy(migration_settings={name: _valid_value(name)})) for name in SETTINGS)


def _valid_value(name: str) -> Any:
    return {"nodeDrainTaintKey": "drain", "network": "net", "bandwidthPerMigration": "64Mi", "maxDowntimeMs": 300}.get(
        name, False if "allow" in name or name.startswith(("unsafe", "disable", "match")) else 2
    )
