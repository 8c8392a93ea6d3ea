"""
What is done about a finding: deny, warn, audit, off. A rule says what is true; this file says nothing about VMs.

This file does no I/O and reads no clock: today's date is an argument.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec

from webhook.defaults import Wanted
from webhook.engine import Finding, Judgement
from webhook.rules import RULES
from webhook.rules.rule import Basis, Severity


class Action(StrEnum):
    """What is done about a finding, strongest first."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"
    OFF = "off"


class Profile(StrEnum):
    """The two built-in answers to "how strict?"."""

    STRICT = "strict"
    """Denies what the release refuses, the fixed list, and settings that cannot work."""
    EXACT = "exact"
    """Denies only what the release refuses; the rest are warnings."""


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings that somebody answers for: they are listed and counted, and deny nothing until ``until``."""

    rule: str
    reason: str
    owner: str
    until: str
    """``YYYY-MM-DD``, the last day on which it holds."""
    namespace: str | None = None
    name: str | None = None
    kind: str | None = None

    def covers(self, finding: Finding, subject: "Judged", today: str) -> bool:
        """Whether this finding of this object is exempt today (``YYYY-MM-DD``)."""
        return (
            self.rule in (finding.rule.id, finding.rule.name)
            and self.until >= today
            and self.namespace in (None, subject.namespace)
            and self.name in (None, subject.name)
            and self.kind in (None, subject.kind)
        )


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The policy file, the same for cluster and CI."""

    profile: Profile = Profile.STRICT
    actions: dict[str, Action] = {}
    """By rule id or name; outranks the profile."""
    unproven: Action = Action.WARN
    """What is done about what cannot be known."""
    default_eviction_strategy: str | None = None
    """Filled into VMs and VMIs without one, if the verdict is not False."""
    default_migration_settings: bool = True
    """Whether the KubeVirt CR's absent migration settings are written out."""
    migration_settings: dict[str, msgspec.Raw] = {}
    """Values to write out instead of the release's own defaults."""
    exemptions: list[Exemption] = []

    @property
    def wanted(self) -> Wanted:
        """What is filled into objects."""
        values = {name: msgspec.json.decode(raw) for name, raw in self.migration_settings.items()}
        return Wanted(self.default_eviction_strategy, self.default_migration_settings, values)

    def with_profile(self, profile: Profile) -> "Policy":
        """The same policy under another profile."""
        return msgspec.structs.replace(self, profile=profile)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whom a finding is about."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A finding and what is done about it."""

    finding: Finding
    action: Action
    exemption: Exemption | None = None


def action_of(finding: Finding, policy: Policy) -> Action:
    """
    The action for a finding: the policy's own word for the rule, else the profile's.

    What is undetermined is never denied by a profile, only by ``unproven: deny``.
    """
    rule = finding.rule
    chosen = policy.actions.get(rule.id) or policy.actions.get(rule.name)
    if finding.undetermined:
        weaker = chosen if chosen in (Action.AUDIT, Action.OFF) else None
        return weaker or policy.unproven
    if chosen is not None:
        return chosen
    if finding.basis is Basis.KUBEVIRT:
        return Action.DENY
    if policy.profile is Profile.STRICT and (finding.basis is Basis.BASELINE or rule.severity is Severity.ERROR):
        return Action.DENY
    return Action.WARN


def decide_all(judgement: Judgement, policy: Policy, subject: Judged, today: str) -> tuple[Decision, ...]:
    """What is done about each finding of one object, in the findings' order; ``off`` is left out."""
    return tuple(
        decision
        for finding in judgement.findings
        if (decision := decide(finding, policy, subject, today)).action is not Action.OFF
    )


def decide(finding: Finding, policy: Policy, subject: Judged, today: str) -> Decision:
    """What is done about one finding; an exempt one is audited."""
    action = action_of(finding, policy)
    if action is not Action.OFF:
        for exemption in policy.exemptions:
            if exemption.covers(finding, subject, today):
                return Decision(finding, Action.AUDIT, exemption)
    return Decision(finding, action)


def would_deny(decision: Decision) -> bool:
    """Whether a finding that passes for now is one that the built-in strict policy denies."""
    return decision.action is not Action.DENY and action_of(decision.finding, _STRICT) is Action.DENY


_STRICT = Policy()


def ratchet(new: Sequence[Decision], old: Iterable[Finding]) -> tuple[Decision, ...]:
    """
    Lowers a deny to a warning where the old object had the same finding.

    What was admitted may stay, be cared for and be improved; only new harm can be refused. Identity is the rule and its
    stable subject, so reordering a list adds nothing and swapping the claim behind a volume's name does. Where there is
    more and less of it, more than before is new harm.
    """
    known: dict[tuple[str, str], int] = {}
    for finding in old:
        known[finding.identity] = max(finding.harm, known.get(finding.identity, finding.harm))
    return tuple(
        Decision(each.finding, Action.WARN, each.exemption)
        if each.action is Action.DENY and known.get(each.finding.identity, -math.inf) >= each.finding.harm
        else each
        for each in new
    )


def check_policy(policy: Policy) -> list[str]:
    """What is wrong with a policy beyond its types: unknown rules, dates that are none."""
    names = {name for rule in RULES for name in (rule.id, rule.name)}
    wrong = [f"actions names rule {rule!r}, which does not exist" for rule in policy.actions if rule not in names]
    for index, each in enumerate(policy.exemptions):
        if each.rule not in names:
            wrong.append(f"exemptions[{index}].rule names {each.rule!r}, which does not exist")
        if not _is_date(each.until):
            wrong.append(f"exemptions[{index}].until is {each.until!r}, which is not a day written as YYYY-MM-DD")
        if not each.reason.strip() or not each.owner.strip():
            wrong.append(f"exemptions[{index}] needs a reason and an owner")
    return wrong


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
