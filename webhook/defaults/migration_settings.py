"""The KubeVirt CR shows the migration settings that are in force."""

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
"""What decides together whether a migration can finish."""


def fill(facts: DefaultFacts) -> Iterator[Set]:
    if not isinstance(facts.object, KubeVirt) or not facts.wanted.migration_settings or owner_of(facts.object):
        return
    settings = settings_facts(facts.object, facts.releases)
    migrations = settings.migrations
    if migrations is not None and not isinstance(migrations, dict):
        return  # of the wrong type: a rule says so
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
    The policy's values, less those that decide about time where they and what is written would not fit together.

    Both may be sound by themselves: at 8Mi a GB takes 120 s, which is enough for 150 s and not for 100 s. The release's
    own are filled in instead; what has none is judged beside these, or the next time would fill it in.
    """
    wanted = facts.wanted.values or {}
    there = written(migrations)
    if _fits(facts, {**wanted, **there}):
        return wanted
    own = {name: value for name, value in same_in_all(facts.releases).items() if name in TIME}
    others = {name: value for name, value in wanted.items() if name not in TIME}
    rest = {name: value for name, value in wanted.items() if name in TIME and name not in own}
    return {**others, **rest} if _fits(facts, {**own, **others, **rest, **there}) else others


def _fits(facts: DefaultFacts, migrations: Json) -> bool:
    return not any(_too_little(migrations, behaviour) for behaviour in behaviours(facts.releases))


def _too_little(migrations: Json, behaviour: Behaviour) -> bool:
    values = in_force(migrations, behaviour)
    bandwidth = bandwidth_of(values)
    dead = values[ALLOW_POST_COPY] is True and values.get(ALLOW_WORKLOAD_DISRUPTION) is False
    return dead or (bandwidth is not None and bandwidth.nano > 0 and budget_of(values).hopeless())


def _values(facts: DefaultFacts, wanted: Mapping[str, Json]) -> Iterator[tuple[str, Json, str]]:
    """The policy's values where the release has the field, then the release's own, in the order of the API."""
    own = same_in_all(facts.releases)
    for name, setting in SETTINGS.items():
        if name in wanted and setting.releases & facts.releases == facts.releases and well_typed(setting, wanted[name]):
            yield name, wanted[name], "the policy file's value"
        elif name in own and name not in wanted:
            yield name, own[name], "KubeVirt's own default"


def _contradicts(facts: DefaultFacts, migrations: Json, name: str, value: Json) -> bool:
    """Whether the limit per node would stand above the one for the cluster: what is there, or will be, counts for both."""
    if name not in (PARALLEL_OUTBOUND, PARALLEL_CLUSTER) or not isinstance(value, int):
        return False
    there = migrations if isinstance(migrations, dict) else {}
    if name == PARALLEL_CLUSTER:
        outbound = there.get(PARALLEL_OUTBOUND)
        return isinstance(outbound, int) and outbound > value
    chosen = (facts.wanted.values or {}).get(PARALLEL_CLUSTER)

    def limit(behaviour: Behaviour) -> int:
        own: int = in_force(migrations, behaviour)[PARALLEL_CLUSTER]
        return chosen if there.get(PARALLEL_CLUSTER) is None and isinstance(chosen, int) else own

    return any(limit(behaviour) < value for behaviour in behaviours(facts.releases))


DEFAULT = Default(
    name="migration-settings",
    summary="spec.configuration.migrations of a KubeVirt CR: the policy's values, else those that the release uses anyway.",
    source="pkg/virt-config/virt-config.go and configuration.go, v1.9.0",
    fill=fill,
)
