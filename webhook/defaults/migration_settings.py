"""Writes the migration settings in force into the KubeVirt CR."""

from collections.abc import Iterator, Mapping

from webhook.defaults.default import Default, DefaultFacts, Set
from webhook.facts.settings import MIGRATIONS
from webhook.kubevirt.feature_gates import MIGRATION_STALL_DETECTION
from webhook.kubevirt.owners import owner_of
from webhook.kubevirt.releases import Behaviour, behaviours
from webhook.kubevirt.settings.budget import budget_of
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    MAX_DOWNTIME,
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
    SETTINGS,
    bandwidth_of,
    in_force,
    same_in_all,
    settings_facts,
    well_typed,
    written,
)
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Json

TIME = frozenset({BANDWIDTH, COMPLETION_TIMEOUT, ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION})
"""The settings that together determine whether a migration can finish."""


def fill(facts: DefaultFacts) -> Iterator[Set]:
    if not isinstance(facts.object, KubeVirt) or not facts.options.migration_settings or owner_of(facts.object):
        return
    settings = settings_facts(facts.object, facts.releases)
    migrations = settings.migrations
    if migrations is not None and not isinstance(migrations, dict):
        return  # a rule reports the wrong type of this field
    present = {name for name, value in (migrations or {}).items() if value is not None}
    gated = MIGRATION_STALL_DETECTION not in settings.feature_gates
    for name, value, why in _values(facts, _fitting(facts, migrations)):
        if name in present or (name == MAX_DOWNTIME and gated):
            continue
        if _contradicts(facts, migrations, name, value):
            continue
        yield Set((*MIGRATIONS, name), value, why)


def _fitting(facts: DefaultFacts, migrations: Json) -> Mapping[str, Json]:
    """
    Returns the values in the policy file, without the settings in TIME if they contradict the values in the CR.

    Values can be valid separately and contradict each other. At 8Mi per second, a GB takes 120 s, which fits into a timeout of
    150 s per GB but not into 100 s. For settings that are left out, the defaults of the release apply. Settings without a
    default of the release are checked together with these defaults, because the next request would add these defaults.
    """
    requested = facts.options.values or {}
    present = written(migrations)
    if _fits(facts, {**requested, **present}):
        return requested
    defaults = {name: value for name, value in same_in_all(facts.releases).items() if name in TIME}
    others = {name: value for name, value in requested.items() if name not in TIME}
    rest = {name: value for name, value in requested.items() if name in TIME and name not in defaults}
    return {**others, **rest} if _fits(facts, {**defaults, **others, **rest, **present}) else others


def _fits(facts: DefaultFacts, migrations: Json) -> bool:
    return not any(_never_finishes(migrations, behaviour) for behaviour in behaviours(facts.releases))


def _never_finishes(migrations: Json, behaviour: Behaviour) -> bool:
    values = in_force(migrations, behaviour)
    bandwidth = bandwidth_of(values)
    dead = values[ALLOW_POST_COPY] is True and values.get(ALLOW_WORKLOAD_DISRUPTION) is False
    return dead or (bandwidth is not None and bandwidth.nano > 0 and budget_of(values).hopeless())


def _values(facts: DefaultFacts, requested: Mapping[str, Json]) -> Iterator[tuple[str, Json, str]]:
    """
    Yields the values in the policy file for fields that the release has, otherwise the release's defaults, in the order of the
    API.
    """
    defaults = same_in_all(facts.releases)
    for name, setting in SETTINGS.items():
        known = setting.releases & facts.releases == facts.releases
        if name in requested and known and well_typed(setting, requested[name]):
            yield name, requested[name], "the value in the policy file"
        elif name in defaults and name not in requested:
            yield name, defaults[name], "KubeVirt's own default"


def _contradicts(facts: DefaultFacts, migrations: Json, name: str, value: Json) -> bool:
    """Whether the limit per node would exceed the limit per cluster, after the missing values of both are filled in."""
    if name not in (PARALLEL_OUTBOUND, PARALLEL_CLUSTER) or not isinstance(value, int):
        return False
    present = migrations if isinstance(migrations, dict) else {}
    if name == PARALLEL_CLUSTER:
        outbound = present.get(PARALLEL_OUTBOUND)
        return isinstance(outbound, int) and outbound > value
    requested = (facts.options.values or {}).get(PARALLEL_CLUSTER)

    def limit(behaviour: Behaviour) -> int:
        default: int = in_force(migrations, behaviour)[PARALLEL_CLUSTER]
        return requested if present.get(PARALLEL_CLUSTER) is None and isinstance(requested, int) else default

    return any(limit(behaviour) < value for behaviour in behaviours(facts.releases))


DEFAULT = Default(
    name="migration-settings",
    summary="Sets spec.configuration.migrations of a KubeVirt CR to the policy file's values, otherwise the release's defaults.",
    source="pkg/virt-config/virt-config.go and configuration.go, v1.9.0",
    fill=fill,
)
