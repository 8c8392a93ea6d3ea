"""
Which MigrationPolicy wins for a VMI, and which settings then are in force.

Source: ``pkg/virt-controller/watch/migration/migrationpolicy.go``, v1.9.0 (up to 1.3
``pkg/virt-controller/watch/migrationpolicy.go``). One policy wins, policies are never merged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from webhook.facts.policy import PolicyFacts, Selectors
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Behaviour, Releases, only
from webhook.kubevirt.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    SETTINGS,
    in_force,
    well_typed,
    written,
)
from webhook.objects.kubevirt import Configuration, KubeVirt, MigrationPolicy
from webhook.objects.meta import Json

Labels = Mapping[str, str] | None
"""None is an object without labels at all, which KubeVirt tells from an empty map."""

EXPERIMENTAL = "experimental"


@dataclass(frozen=True, slots=True)
class Match:
    """How well a policy matches a VMI."""

    policy: MigrationPolicy
    vmi_labels: int
    namespace_labels: int

    @property
    def rank(self) -> tuple[int, int, str]:
        """Smallest wins: most labels, then most labels of the VMI, then the lexically smallest name."""
        return -(self.vmi_labels + self.namespace_labels), -self.vmi_labels, self.policy.name


def selectors_of(policy: MigrationPolicy) -> Selectors | None:
    """The policy's selectors, or None where it has none."""
    found = policy.spec.selectors
    return Selectors(found.namespace_selector, found.virtual_machine_instance_selector) if found is not None else None


def matching(policy: MigrationPolicy, vmi: Labels, namespace: Labels) -> Match | None:
    """
    How the policy matches, or None where it does not.

    A missing selector excludes nothing. A VMI without any labels skips both selectors, so every policy that has
    ``selectors`` matches it with no label.
    """
    selectors = selectors_of(policy)
    if selectors is None:
        return None
    if vmi is None:
        return Match(policy, 0, 0)
    if not all(vmi.get(key) == value for key, value in (selectors.vmi or {}).items()):
        return None
    asked = selectors.namespace or {}
    if not all((namespace or {}).get(key) == value for key, value in asked.items()):
        return None
    return Match(policy, len(selectors.vmi or {}), len(asked))


def winner(policies: Iterable[MigrationPolicy], vmi: Labels, namespace: Labels) -> Match | None:
    """The one policy that KubeVirt applies to a VMI with these labels, or None."""
    matches = [match for policy in policies if (match := matching(policy, vmi, namespace)) is not None]
    return min(matches, key=lambda match: match.rank, default=None)


def overlaid(values: Mapping[str, Json], policy: Mapping[str, Json], behaviour: Behaviour) -> dict[str, Json]:
    """
    The cluster's values with a policy's settings on top.

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


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting in force for one VMI, and who made it."""

    name: str
    value: Json
    origin: str
    """``MigrationPolicy 'gold'``, ``the KubeVirt CR``, ``KubeVirt 1.9's default`` or ``follows allowPostCopy``."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which settings win for one VMI, and why."""

    policy: str
    """The name of the winning policy; empty where none matches."""
    because: str
    settings: tuple[Effective, ...]


def explain(
    migrations: Json, policies: Sequence[MigrationPolicy], vmi: Labels, namespace: Labels, behaviour: Behaviour
) -> Explanation:
    """
    The settings in force when a VMI with these labels migrates.

    ``migrations`` is the CR's; ``vmi`` are the labels of the VM's template, ``namespace`` those of its namespace.
    """
    won = winner(policies, vmi, namespace)
    chosen = settings_of(won.policy) if won is not None else {}
    from_cr = {name: value for name, value in written(migrations).items() if value is not None}
    values = overlaid(in_force(migrations, behaviour), chosen, behaviour)
    rows: list[Effective] = []
    for name, value in values.items():
        if won is not None and name in chosen and SETTINGS[name].policy and well_typed(SETTINGS[name], chosen[name]):
            origin = f"MigrationPolicy {won.policy.name!r}"
        elif name == ALLOW_WORKLOAD_DISRUPTION and (name not in from_cr or ALLOW_POST_COPY in chosen):
            origin = f"follows {ALLOW_POST_COPY}"
        elif name in from_cr:
            origin = "the KubeVirt CR"
        else:
            origin = f"KubeVirt {behaviour.release}'s default"
        rows.append(Effective(name, value, origin))
    return Explanation(won.policy.name if won is not None else "", _because(won, policies, vmi, namespace), tuple(rows))


def _because(won: Match | None, policies: Sequence[MigrationPolicy], vmi: Labels, namespace: Labels) -> str:
    if won is None:
        return (
            "no MigrationPolicy matches: the KubeVirt CR's settings apply"
            if policies
            else "there is no MigrationPolicy"
        )
    if vmi is None:
        return "the VMI has no labels at all, so KubeVirt looks at no selector; the first name wins"
    beaten = [
        match for policy in policies if (match := matching(policy, vmi, namespace)) is not None and match is not won
    ]
    beaten = [match for match in beaten if match.policy.name != won.policy.name]
    total = won.vmi_labels + won.namespace_labels
    words = f"it matches {total} {'label' if total == 1 else 'labels'}"
    if not beaten:
        return f"{words} and no other MigrationPolicy matches"
    second = min(beaten, key=lambda match: match.rank)
    if second.vmi_labels + second.namespace_labels < total:
        return f"{words}, more than {second.policy.name!r}"
    if second.vmi_labels < won.vmi_labels:
        return f"{words} like {second.policy.name!r}, but more of them are the VMI's"
    return f"{words} like {second.policy.name!r}, and its name comes first"


def settings_of(policy: MigrationPolicy) -> dict[str, Json]:
    """What a policy sets, by field name, of whatever type; null is left out."""
    spec = policy.spec
    names = zip(type(spec).__struct_encode_fields__, type(spec).__struct_fields__, strict=True)
    return {name: value for name, field in names if name != "selectors" and (value := getattr(spec, field)) is not None}


def policy_facts(policy: MigrationPolicy, world: World, releases: Releases) -> PolicyFacts:
    """What the policy rules may know: the other policies are those that the world knows."""
    every = world.every(MigrationPolicy)
    known = () if isinstance(every, Unknown) else every
    others = tuple(
        (other.name, selectors)
        for other in sorted(known, key=lambda other: other.name)
        if other.name != policy.name and (selectors := selectors_of(other)) is not None
    )
    crs = world.every(KubeVirt)
    migrations: Json = crs
    if not isinstance(crs, Unknown):
        migrations = (crs[0].spec.configuration or Configuration()).migrations if crs else None
    return PolicyFacts(releases, policy.name, settings_of(policy), selectors_of(policy), others, migrations)
