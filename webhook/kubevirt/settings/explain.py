"""
The settings in force for a VM's migration, their origins, and KubeVirt's action at the timeout.

``migratable explain-settings`` renders these values.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from webhook.facts.budget import WinningPolicy
from webhook.facts.migration import MigrationFacts, Sourced
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.workload import LocalDisk, bytes_of, local_disks, passed_through
from webhook.kubevirt.releases import Behaviour
from webhook.kubevirt.settings.budget import Budget, gigabytes
from webhook.kubevirt.settings.policies import settings_of
from webhook.kubevirt.settings.policy_index import indexed
from webhook.kubevirt.settings.selectors import Match, contenders, matches_of
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    SETTINGS,
    bandwidth_of,
    written,
)
from webhook.kubevirt.settings.time_allowed import space_labels, time_allowed, values_for
from webhook.kubevirt.storage.moving import COUNTS_VOLUMES, MovedVolume, moved_volumes
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

THE_CR = "the KubeVirt CR"
FOLLOWS = f"follows {ALLOW_POST_COPY}"
_BY_THE_CR: Mapping[str, str] = {}


class Ending(StrEnum):
    """KubeVirt's action at the timeout."""

    POST_COPY = "post-copy"
    PAUSE = "pause"
    CANCEL = "cancel"
    NEVER = "never"
    AT_ONCE = "at once"


class Effective(msgspec.Struct, frozen=True):
    """A setting in force, and its origin."""

    name: str
    value: Json
    origin: str
    """
    For example ``MigrationPolicy 'gold'``, ``the KubeVirt CR``, ``KubeVirt 1.9`` (a default), ``follows allowPostCopy`` or
    ``HyperConverged 'hco' (spec.liveMigrationConfig.progressTimeout)``.
    """


class Case(msgspec.Struct, frozen=True):
    """The settings under one policy, or without a policy. A VM has several cases if it is unknown which policy wins."""

    policy: str
    """The name of the policy, or an empty text if no policy matches."""
    because: str
    settings: tuple[Effective, ...]
    is_valid: bool
    """Whether KubeVirt accepts the bandwidth. If it does not, the budget has no meaning."""
    budget: Budget
    ending: Ending


class Outlook(msgspec.Struct, frozen=True):
    """The result of a case for a VM whose memory is known."""

    counted: int
    """The size in GB by which KubeVirt multiplies the timeout."""
    allowed: int | None
    """The time allowed in seconds, or None if there is no limit."""
    duration: int | None
    """The time needed in the best case, in seconds, or None if the bandwidth has no limit."""
    finishes: bool
    fails_with: tuple[LocalDisk, ...]
    """The empty disks that prevent the migration from finishing if the guest fills them."""


class Explained(msgspec.Struct, frozen=True):
    """The settings in force for one VM."""

    kind: str
    namespace: str
    name: str
    cases: tuple[Case, ...]
    memory: Fact[Sourced[int] | None]
    disks: tuple[LocalDisk, ...]
    device: FieldPath | None
    moved: tuple[MovedVolume, ...] = ()
    """The claims that a volume migration copies."""
    counts_volumes: bool = True
    """Whether the sizes of these claims limit the time allowed."""

    def volume_outlook(self, case: Case) -> Outlook | None:
        """The result of a case for a volume migration, or None if there is none or a size is not known."""
        sizes = [one.size for one in self.moved if one.size is not None]
        if not sizes or len(sizes) < len(self.moved) or not isinstance(self.memory, Sourced) or not case.is_valid:
            return None
        size, budget = self.memory.value + sum(sizes), case.budget
        if not self.counts_volumes:
            return Outlook(gigabytes(size), None, budget.duration(size), True, ())
        return Outlook(gigabytes(size), budget.allowed(size), budget.duration(size), budget.finishes(size), ())

    def outlook(self, case: Case) -> Outlook | None:
        """The result of a case, or None if the memory is not known or the bandwidth is invalid."""
        if not isinstance(self.memory, Sourced) or not case.is_valid:
            return None
        size, budget = self.memory.value, case.budget
        finishes = budget.finishes(size)
        filling = tuple(disk for disk in self.disks if not disk.counts)
        full = sum(disk.most or 0 for disk in filling)
        too_full = finishes and not budget.finishes(size, full)
        return Outlook(
            gigabytes(size),
            budget.allowed(size),
            budget.duration(size),
            finishes,
            filling if too_full else (),
        )


def explain_cluster(
    migrations: Json, behaviour: Behaviour, *, has_cr: bool, link: int = 0, origins: Mapping[str, str] = _BY_THE_CR
) -> Case:
    """
    The case without a MigrationPolicy. ``has_cr`` is False if no KubeVirt CR was provided. ``origins`` are the origins of
    settings that an operator writes into the KubeVirt CR.
    """
    because = "no MigrationPolicy matches" if has_cr else "no KubeVirt CR was provided"
    return _case(migrations, None, because, behaviour, devices=False, link=link, origins=origins)


def explain_vm(
    facts: MigrationFacts, world: World, behaviour: Behaviour, link: int = 0, origins: Mapping[str, str] = _BY_THE_CR
) -> Explained:
    """
    The cases of one VM under the known KubeVirt CR, MigrationPolicies and namespace.

    An unknown object counts as absent, or leads to several cases.
    """
    migrations = None if isinstance(facts.configuration, Unknown) else facts.configuration.migrations
    every = world.every(MigrationPolicy)
    policies = () if isinstance(every, Unknown) else every
    space = space_labels(policies, facts.namespace, world)
    near = indexed(policies).candidates(facts.labels, space)
    candidates = contenders(near, facts.labels, space, facts.namespace)
    matches = matches_of(near, facts.labels, space, facts.namespace)
    device = passed_through(facts)
    cases = tuple(
        _case(
            migrations,
            WinningPolicy(match.policy.name, settings_of(match.policy)) if match is not None else None,
            because(match, candidates, matches, any_policy=bool(policies)),
            behaviour,
            devices=device is not None,
            link=link,
            origins=origins,
        )
        for match in candidates
    )
    memory = bytes_of(facts.guest_memory)
    disks, counts = tuple(local_disks(facts)), behaviour.release >= COUNTS_VOLUMES
    moved = moved_volumes(facts)
    return Explained(facts.kind, facts.namespace, facts.name, cases, memory, disks, device, moved, counts)


def _case(
    migrations: Json,
    winner: WinningPolicy | None,
    why: str,
    behaviour: Behaviour,
    *,
    devices: bool,
    link: int,
    origins: Mapping[str, str],
) -> Case:
    values = values_for(migrations, winner, behaviour)
    bandwidth = bandwidth_of(values)
    is_valid = bandwidth is not None and bandwidth.nano >= 0
    budget = time_allowed(values, behaviour, devices=devices, link=link)
    return Case(
        winner.name if winner is not None else "",
        why,
        tuple(_effective(values, migrations, winner, behaviour, origins)),
        is_valid,
        budget,
        ending_of(budget),
    )


def ending_of(budget: Budget) -> Ending:
    """KubeVirt's action at the timeout under this budget."""
    if budget.timeout == 0:
        return Ending.NEVER
    if budget.post_copy:
        return Ending.POST_COPY
    if budget.timeout < 0:
        return Ending.AT_ONCE
    return Ending.PAUSE if budget.pause else Ending.CANCEL


def _effective(
    values: Mapping[str, Json],
    migrations: Json,
    winner: WinningPolicy | None,
    behaviour: Behaviour,
    origins: Mapping[str, str],
) -> Iterator[Effective]:
    """The settings in the order of the API, each with its origin."""
    from_policy = written(dict(winner.settings)) if winner is not None else {}
    from_cr = written(migrations)
    for name in SETTINGS:
        if name not in values:
            continue
        if winner is not None and name in from_policy and SETTINGS[name].policy:
            origin = f"MigrationPolicy {winner.name!r}"
        elif name == ALLOW_WORKLOAD_DISRUPTION and (name not in from_cr or ALLOW_POST_COPY in from_policy):
            origin = FOLLOWS
        else:
            origin = origins.get(name, THE_CR) if name in from_cr else f"KubeVirt {behaviour.release}"
        yield Effective(name, values[name], origin)


def because(
    match: Match | None, candidates: Sequence[Match | None], matches: Sequence[Match], *, any_policy: bool
) -> str:
    """
    The reason why ``match`` wins or might win.

    ``candidates`` are all policies that might win, and ``matches`` are all policies that match or might match. Both are in
    order, best first. KubeVirt compares the number of labels, then the number of labels of the VMI, then the names.
    """
    if match is None:
        if len(candidates) > 1:
            return "if no MigrationPolicy matches"
        return "no MigrationPolicy matches" if any_policy else "there is no MigrationPolicy"
    many = f"{match.labels} {'label' if match.labels == 1 else 'labels'}"
    if not match.certain:
        return f"if the namespace has the labels of the selector (it then matches {many})"
    if len(candidates) > 1:
        return f"if no MigrationPolicy above matches (this one matches {many})"
    second = next((other for other in matches if other.policy.name != match.policy.name), None)
    if second is None:
        return f"it matches {many}, and no other MigrationPolicy matches"
    rival = repr(second.policy.name)
    if second.labels < match.labels:
        return f"it matches {many}, more than {rival}"
    if second.vmi_labels < match.vmi_labels:
        return f"it matches {many}, as many as {rival}, but more labels of the VMI"
    return f"it matches {many}, as many as {rival}, and its name comes first"
