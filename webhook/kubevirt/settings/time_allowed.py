"""The settings in force for the migration of one VM, and the time that they allow."""

from collections.abc import Mapping, Sequence

from webhook.facts.budget import BudgetFacts, WinningPolicy
from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.workload import bytes_of, passed_through
from webhook.kubevirt.releases import Behaviour, Release
from webhook.kubevirt.settings.budget import Budget, budget_of
from webhook.kubevirt.settings.policies import overlaid, settings_of
from webhook.kubevirt.settings.policy_index import indexed
from webhook.kubevirt.settings.selectors import Labels, contenders, namespace_labels
from webhook.kubevirt.settings.settings import BANDWIDTH, in_force
from webhook.kubevirt.storage.moving import moved_volumes
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json

NO_POST_COPY_WITH_DEVICES = Release(1, 9)
"""From this release on, KubeVirt does not use post-copy for a VM with devices of the node."""


def budget_facts(facts: MigrationFacts, world: World) -> BudgetFacts | None:
    """
    The facts about a VM's migration time, or None if no rule can report anything.

    No rule can report anything if the KubeVirt CR is unknown. The same applies if the VM has no passed-through device, and
    neither the CR nor a policy limits the bandwidth.
    """
    if isinstance(facts.configuration, Unknown):
        return None
    migrations = facts.configuration.migrations
    device = passed_through(facts)
    policies = world.every(MigrationPolicy)
    if device is None and not _limited(migrations, policies):
        return None
    winners: Fact[tuple[WinningPolicy | None, ...]] = (
        policies if isinstance(policies, Unknown) else _winners(policies, facts, world)
    )
    memory, volumes = bytes_of(facts.guest_memory), _volumes(facts)
    return BudgetFacts(facts.releases, facts.base, memory, migrations, winners, device, volumes)


def _volumes(facts: MigrationFacts) -> Sourced[int] | None:
    if facts.volumes_strategy is None:
        return None
    sizes = [one.size for one in moved_volumes(facts)]
    known = [size for size in sizes if size is not None]
    return Sourced(facts.volumes_strategy, sum(known)) if known and len(known) == len(sizes) else None


def _limited(migrations: Json, policies: Fact[tuple[MigrationPolicy, ...]]) -> bool:
    if isinstance(migrations, dict) and migrations.get(BANDWIDTH) is not None:
        return True
    return not isinstance(policies, Unknown) and indexed(policies).limits_bandwidth


def _winners(
    policies: Sequence[MigrationPolicy], facts: MigrationFacts, world: World
) -> tuple[WinningPolicy | None, ...]:
    space = space_labels(policies, facts.namespace, world)
    return tuple(
        WinningPolicy(match.policy.name, settings_of(match.policy)) if match is not None else None
        for match in contenders(indexed(policies).candidates(facts.labels, space), facts.labels, space, facts.namespace)
    )


def space_labels(policies: Sequence[MigrationPolicy], namespace: str, world: World) -> Fact[Labels]:
    """The labels of a namespace. To save the lookup, the result is empty if no policy selects namespaces."""
    return namespace_labels(world, namespace) if indexed(policies).selects_namespaces else {}


def values_for(migrations: Json, winner: WinningPolicy | None, behaviour: Behaviour) -> Mapping[str, Json]:
    """The settings in force under a policy, or without a policy."""
    values = in_force(migrations, behaviour)
    return values if winner is None else overlaid(values, winner.settings, behaviour)


def time_allowed(values: Mapping[str, Json], behaviour: Behaviour, *, devices: bool, link: int = 0) -> Budget:
    """The budget of a VM. From 1.9 on, KubeVirt does not use post-copy for a VM with devices of the node."""
    post_copy = not devices or behaviour.release < NO_POST_COPY_WITH_DEVICES
    return budget_of(values, link, post_copy_possible=post_copy)
