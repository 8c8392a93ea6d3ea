"""The settings that a MigrationPolicy puts in force (webhook.kubevirt.settings.policies)."""

from collections.abc import Mapping

import msgspec
import pytest

from tests.kubevirt.building import Manifest
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import SUPPORTED, TABLE, Behaviour, Release
from webhook.kubevirt.settings.policies import overlaid, policy_facts, settings_of
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Json


def behaviour(major: int, minor: int) -> Behaviour:
    return next(behaviour for behaviour in TABLE if behaviour.release == Release(major, minor))


def a_policy(name: str, spec: Mapping[str, Json]) -> MigrationPolicy:
    return msgspec.convert({"metadata": {"name": name}, "spec": spec}, MigrationPolicy)


@pytest.mark.parametrize(
    ("release", "policy", "expected"),
    [
        ((1, 9), {"completionTimeoutPerGiB": 5}, {"completionTimeoutPerGiB": 5}),
        ((1, 9), {"parallelMigrationsPerCluster": 5}, {}),
        ((1, 9), {"allowWorkloadDisruption": True}, {"allowWorkloadDisruption": True}),
        ((1, 4), {"allowWorkloadDisruption": True}, {}),
        ((1, 9), {"allowPostCopy": True}, {"allowPostCopy": True, "allowWorkloadDisruption": True}),
        ((1, 9), {"allowPostCopy": False}, {"allowPostCopy": False, "allowWorkloadDisruption": False}),
        (
            (1, 9),
            {"allowPostCopy": True, "allowWorkloadDisruption": False},
            {"allowPostCopy": True, "allowWorkloadDisruption": False},
        ),
        ((1, 4), {"allowPostCopy": True}, {"allowPostCopy": True}),
        ((1, 9), {}, {}),
    ],
)
def test_a_policy_overrides_the_settings_that_it_may_set(
    release: tuple[int, int], policy: Mapping[str, Json], expected: Mapping[str, Json]
) -> None:
    """
    Only settings that a policy has in that release; allowWorkloadDisruption follows allowPostCopy unless it is set.
    """
    cluster: dict[str, Json] = dict.fromkeys(SETTINGS, "the cluster's")

    assert overlaid(cluster, policy, behaviour(*release)) == {**cluster, **expected}


def test_settings_are_all_fields_but_selectors_and_null() -> None:
    """
    Fields of a wrong type are kept, because rules name them.
    """
    policy = a_policy("p", {"selectors": {}, "allowPostCopy": "yes", "bandwidthPerMigration": None, "other": 1})

    assert settings_of(policy) == {"allowPostCopy": "yes", "other": 1}


def cr(configuration: Manifest | None) -> KubeVirt:
    spec = {} if configuration is None else {"configuration": configuration}
    return msgspec.convert({"metadata": {"name": "kubevirt"}, "spec": spec}, KubeVirt)


def test_the_tied_policies_are_those_of_other_names_in_order() -> None:
    """
    A policy whose selectors cannot be read is not compared with.
    """
    mine, odd = a_policy("m", {"selectors": {"namespaceSelector": {"m": ""}}}), a_policy("odd", {"selectors": 7})
    others = [a_policy(name, {"selectors": {"namespaceSelector": {name: ""}}}) for name in ("z", "a")]

    policy = policy_facts(mine, ObjectsWorld([mine, odd, *others]), SUPPORTED)

    assert [name for name, _ in policy.tied] == ["a", "z"]
    assert (policy.releases, policy.name) == (SUPPORTED, "m")


@pytest.mark.parametrize(
    ("configuration", "migrations", "gates"),
    [
        (None, None, ()),
        ({}, None, ()),
        ({"developerConfiguration": {}}, None, ()),
        (
            {"migrations": {"allowPostCopy": True}, "developerConfiguration": {"featureGates": ["A"]}},
            {"allowPostCopy": True},
            ("A",),
        ),
    ],
)
def test_a_policy_is_judged_beside_the_clusters_settings(
    configuration: Manifest | None, migrations: Json, gates: tuple[str, ...]
) -> None:
    """
    The KubeVirt CR's migration settings and feature gates are known where there is one.
    """
    policy = policy_facts(a_policy("m", {}), ObjectsWorld([cr(configuration)]), SUPPORTED)

    assert (policy.migrations, policy.feature_gates) == (migrations, gates)


def test_a_cluster_that_was_not_provided_stays_unknown() -> None:
    """
    Neither settings nor gates are made up, and a cluster without a KubeVirt CR has none.
    """
    unknown = policy_facts(a_policy("m", {}), ObjectsWorld(()), SUPPORTED)
    without = policy_facts(a_policy("m", {}), ObjectsWorld((), [KubeVirt]), SUPPORTED)

    assert isinstance(unknown.migrations, Unknown)
    assert isinstance(unknown.feature_gates, Unknown)
    assert (without.migrations, without.feature_gates) == (None, ())
