"""
The settings in force under a MigrationPolicy, and the facts about a MigrationPolicy.

Source: ``applyMigrationPolicySpec`` of ``pkg/virt-controller/watch/migration/migrationpolicy.go``, v1.9.0.
"""

from collections.abc import Mapping

from webhook.facts.policy import PolicyFacts, Selection, Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Behaviour, Releases, only
from webhook.kubevirt.settings.policy_index import indexed
from webhook.kubevirt.settings.selectors import malformed, namespace_labels, selectors_of
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    SETTINGS,
    written,
)
from webhook.kubevirt.settings.vm_index import known_vms
from webhook.objects.kubevirt import Configuration, KubeVirt, MigrationPolicy
from webhook.objects.meta import Json

EXPERIMENTAL = "experimental"
SELECTORS = "selectors"


def overlaid(values: Mapping[str, Json], policy: Mapping[str, Json], behaviour: Behaviour) -> dict[str, Json]:
    """
    The cluster's values, overridden by a policy's settings.

    ``allowWorkloadDisruption`` follows a policy's ``allowPostCopy`` unless the policy sets it too.
    """
    release = only(behaviour.release)
    chosen = {
        name: value
        for name, value in written(dict(policy)).items()
        if SETTINGS[name].policy and SETTINGS[name].releases & release
    }
    result = {**values, **chosen}
    if ALLOW_POST_COPY in chosen and SETTINGS[ALLOW_WORKLOAD_DISRUPTION].releases & release:
        result[ALLOW_WORKLOAD_DISRUPTION] = chosen.get(ALLOW_WORKLOAD_DISRUPTION, chosen[ALLOW_POST_COPY])
    return result


def settings_of(policy: MigrationPolicy) -> dict[str, Json]:
    """The settings of a policy by field name. A value can have any type, but null values are left out."""
    return {name: value for name, value in policy.spec.items() if name != SELECTORS and value is not None}


def policy_facts(policy: MigrationPolicy, world: World, releases: Releases) -> PolicyFacts:
    """The facts about one policy, with the other policies and VMs that are known."""
    every, selectors = world.every(MigrationPolicy), selectors_of(policy)
    index = indexed(() if isinstance(every, Unknown) else every)
    migrations, gates = _cluster(world)
    return PolicyFacts(
        releases,
        policy.name,
        settings_of(policy),
        selectors,
        tuple(malformed(policy)),
        index.tied_with(policy.name, selectors) if selectors is not None else (),
        migrations,
        gates,
        _selection(selectors, world),
    )


def _selection(selectors: Selectors | None, world: World) -> Selection | None:
    index = known_vms(world)  # also without selectors: notes about different objects of one name count all lookups
    if selectors is None or not index.vms:
        return None
    matches = index.selects_any(selectors, lambda namespace: namespace_labels(world, namespace))
    near = index.mislabelled(selectors) if matches is False else None
    return Selection(len(index.vms), matches, index.all_have_namespaces, near)


def _cluster(world: World) -> tuple[Fact[Json], Fact[tuple[str, ...]]]:
    """The KubeVirt CR's migration settings and feature gates."""
    crs = world.every(KubeVirt)
    if isinstance(crs, Unknown):
        return crs, crs
    configuration = (crs[0].spec.configuration if crs else None) or Configuration()
    developer = configuration.developer_configuration
    gates = (developer.feature_gates if developer is not None else None) or ()
    return configuration.migrations, tuple(gates)
