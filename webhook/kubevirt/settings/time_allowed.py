"""The settings that are in force when one VM migrates, and the time that they give it."""

from collections.abc import Mapping, Sequence

from webhook.facts.budget import BudgetFacts, Winner
from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.workload import bytes_of, passed_through
from webhook.kubevirt.releases import Behaviour, Release
from webhook.kubevirt.settings.budget import Budget, budget_of
from webhook.kubevirt.settings.policies import overlaid, settings_of
from webhook.kubevirt.settings.selectors import Labels, contenders, namespace_labels, selectors_of
from webhook.kubevirt.settings.settings import BANDWIDTH, in_force
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json

NO_POST_COPY_WITH_DEVICES = Release(1, 9)
"""From this release on KubeVirt looks whether the VM holds devices before it turns to post-copy."""


def budget_facts(facts: MigrationFacts, world: World) -> BudgetFacts | None:
    """
    What the rules about a VM's time may know; None where they have nothing to look at.

    That is so where the KubeVirt CR is not known, or neither it nor a policy limits the bandwidth and no device is
    passed through: then no VM is too large.
    """
    if isinstance(facts.configuration, Unknown):
        return None
    migrations = facts.configuration.migrations
    device = passed_through(facts)
    policies = world.every(MigrationPolicy)
    if device is None and not _limited(migrations, policies):
        return None
    winners: Fact[tuple[Winner | None, ...]] = (
        policies if isinstance(policies, Unknown) else _winners(policies, facts, world)
    )
    return BudgetFacts(facts.releases, facts.base, bytes_of(facts.guest_memory), migrations, winners, device)


def _limited(migrations: Json, policies: Fact[tuple[MigrationPolicy, ...]]) -> bool:
    specs = () if isinstance(policies, Unknown) else tuple(policy.spec for policy in policies)
    return any(isinstance(each, dict) and each.get(BANDWIDTH) is not None for each in (migrations, *specs))


def _winners(policies: Sequence[MigrationPolicy], facts: MigrationFacts, world: World) -> tuple[Winner | None, ...]:
    space = space_labels(policies, facts.namespace, world)
    return tuple(
        Winner(match.policy.name, settings_of(match.policy)) if match is not None else None
        for match in contenders(policies, facts.labels, space, facts.namespace)
    )


def space_labels(policies: Sequence[MigrationPolicy], namespace: str, world: World) -> Fact[Labels]:
    """The labels of a namespace, asked for only where a policy looks at them."""
    found = (selectors_of(policy) for policy in policies)
    if not any(selectors is not None and selectors.namespace for selectors in found):
        return {}
    return namespace_labels(world, namespace)


def values_for(migrations: Json, winner: Winner | None, behaviour: Behaviour) -> Mapping[str, Json]:
    """The settings in force under a policy, or under none."""
    values = in_force(migrations, behaviour)
    return values if winner is None else overlaid(values, winner.settings, behaviour)


def time_allowed(values: Mapping[str, Json], behaviour: Behaviour, *, devices: bool, link: int = 0) -> Budget:
    """The budget of a VM; one that holds devices is never given post-copy from 1.9 on."""
    post_copy = not devices or behaviour.release < NO_POST_COPY_WITH_DEVICES
    return budget_of(values, link, post_copy_possible=post_copy)
