"""
What is done about a finding: deny, warn, audit, off. A rule says what is true; this file says nothing about VMs.

This file does no I/O and reads no clock: today's date is an argument.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from types import MappingProxyType

import msgspec

from webhook.defaults.default import DefaultOptions
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Json, Kubernetes
from webhook.rules.rule import Basis, Severity

STAYS = frozenset(("None", "External"))
"""Values of evictionStrategy by which KubeVirt never migrates a VM when its node is drained (all releases)."""


class Action(StrEnum):
    """What is done about a finding, strongest first."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"
    OFF = "off"

    def at_most(self, limit: "Action") -> "Action":
        """This action, or ``limit`` if that is weaker."""
        ranked = list(Action)
        return max(self, limit, key=ranked.index)


class Profile(StrEnum):
    """The two built-in answers to "how strict?"."""

    STRICT = "strict"
    """Denies what the release refuses, the fixed list, and settings that cannot work."""
    EXACT = "exact"
    """Denies only what the release refuses; the rest are warnings."""


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exempts findings until ``until``: they are listed and counted, and never deny."""

    rule: str
    reason: str
    owner: str
    until: str
    """``YYYY-MM-DD``, the last day on which it holds."""
    namespace: str | None = None
    name: str | None = None
    kind: str | None = None

    def covers(self, finding: Finding, subject: "PolicySubject", today: str) -> bool:
        """Whether it exempts this finding of this object today (``YYYY-MM-DD``)."""
        rule = finding.rule.id, finding.rule.name
        return self.until >= today and self.matches(rule, subject.kind, subject.namespace, subject.name)

    def matches(self, rule: tuple[str, str], kind: str, namespace: str, name: str) -> bool:
        """Whether it names a finding of this rule (id and name) about this object, whatever the date."""
        return (
            self.rule in rule
            and self.namespace in (None, namespace)
            and self.name in (None, name)
            and self.kind in (None, kind)
        )


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An account whose denials are lowered up to ``until``, such as a backup tool that restores older VMs."""

    account: str
    """The whole username, as the API server authenticated it; there are no patterns."""
    reason: str
    owner: str
    until: str
    """``YYYY-MM-DD``, the last day on which it holds."""
    at_most: Action = Action.WARN
    """``warn`` or ``audit``: the strongest action for the account's requests."""
    namespace: str | None = None

    def covers(self, username: str, namespace: str, today: str) -> bool:
        """Whether it holds today (``YYYY-MM-DD``) for a request of this user about an object in this namespace."""
        return self.account == username and self.until >= today and self.namespace in (None, namespace)


class NamespacePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What differs in some namespaces: those of these names, and those with all of these labels."""

    names: list[str] = []
    labels: dict[str, str] = {}
    profile: Profile | None = None
    actions: dict[str, Action] = {}
    unproven: Action | None = None
    unreadable: Action | None = None
    hotplug: Action | None = None
    at_most: Action | None = None

    def covers(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        """Whether it covers the namespace. Unknown labels (None) do not match."""
        if namespace in self.names:
            return True
        return bool(self.labels) and labels is not None and self.labels.items() <= labels.items()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The policy file, the same for cluster and CI."""

    profile: Profile = Profile.STRICT
    actions: dict[str, Action] = {}
    """By rule id or name; outranks the profile."""
    unproven: Action = Action.WARN
    """What is done about what cannot be known."""
    unreadable: Action = Action.DENY
    """
    What is done at most about what depends on an object that exists and cannot be read.

    Up to this action it is treated as a violation of the rule: making an object unreadable must not help its author.
    """
    hotplug: Action = Action.WARN
    """What is done at most about volumes that are plugged into a running VM (``status.volumeRequests``)."""
    at_most: Action = Action.DENY
    """What is done at most about anything, whatever is said of it elsewhere: one word for audit, then warn, then deny."""
    honour_eviction_strategy: bool = False
    """Whether a VM that says it is not to be moved (evictionStrategy None or External) is only warned of."""
    namespaces: list[NamespacePolicy] = []
    """The first that covers a namespace holds there; what it does not say stays."""
    default_eviction_strategy: str | None = None
    """Filled into VMs and VMIs without one, if the verdict is not False."""
    default_migration_settings: bool = True
    """Whether the KubeVirt CR's absent migration settings are written out."""
    migration_settings: dict[str, Json] = {}
    """Values to write out instead of the release's own defaults."""
    exemptions: list[Exemption] = []
    accounts: list[Account] = []
    """Read at admission only: files and the dry-run API have no account that the API server authenticated."""

    @property
    def default_options(self) -> DefaultOptions:
        """What is filled into objects."""
        return DefaultOptions(self.default_eviction_strategy, self.default_migration_settings, self.migration_settings)

    @property
    def reads_labels(self) -> bool:
        """Whether it must be known which labels a namespace has."""
        return any(each.labels for each in self.namespaces)

    def within(self, namespace: str, labels: Mapping[str, str] | None = None) -> "Policy":
        """The policy that holds in a namespace."""
        for each in self.namespaces:
            if each.covers(namespace, labels):
                return self.under(each)
        return self

    def under(self, entry: NamespacePolicy) -> "Policy":
        """The policy that holds in the namespaces of one entry."""
        return msgspec.structs.replace(
            self,
            profile=entry.profile or self.profile,
            actions=_overlaid(self.actions, entry.actions),
            unproven=entry.unproven or self.unproven,
            unreadable=entry.unreadable or self.unreadable,
            hotplug=entry.hotplug or self.hotplug,
            at_most=entry.at_most or self.at_most,
        )

    def account_of(self, username: str, namespace: str, today: str) -> Account | None:
        """The mildest entry that holds today for a request of this user, so that the order of entries means nothing."""
        found = [each for each in self.accounts if each.covers(username, namespace, today)]
        return max(found, key=lambda each: (list(Action).index(each.at_most), each.until), default=None)

    def with_profile(self, profile: Profile) -> "Policy":
        """The same policy under another profile."""
        return msgspec.structs.replace(self, profile=profile)


class PolicySubject(msgspec.Struct, frozen=True):
    """The object of a finding, as the policy sees it."""

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str] | None = None
    """Of its namespace; None if they are unknown or not needed."""
    eviction_strategy: str | None = None
    """As the VM has it."""


def policy_subject(
    judged: Kubernetes, kind: str, namespace: str, name: str, labels: Mapping[str, str] | None
) -> PolicySubject:
    """The policy's view of an object; ``labels`` are those of its namespace."""
    vmi = subject_of(judged)
    return PolicySubject(kind, namespace, name, labels, vmi.spec.eviction_strategy if vmi is not None else None)


def strongest_action(policy: Policy, subject: PolicySubject, *, plugs: bool = False) -> Action:
    """
    The strongest action that any finding about an object can get; with ``plugs``, any finding about a plugged volume.

    Unknown labels of a namespace count as any labels that the policy names.
    """
    candidates = [policy.within(subject.namespace, subject.labels)]
    if subject.labels is None and policy.reads_labels:
        candidates += [policy.under(entry) for entry in policy.namespaces if entry.labels]
    return min((_strongest(candidate, subject, plugs=plugs) for candidate in candidates), key=list(Action).index)


def _strongest(policy: Policy, subject: PolicySubject, *, plugs: bool) -> Action:
    chosen = {rule_ids().get(rule, rule): action for rule, action in policy.actions.items()}
    actions = {*chosen.values()} if chosen.keys() >= set(rule_ids().values()) else {Action.DENY}
    if not actions.isdisjoint((Action.DENY, Action.WARN)):
        actions.add(policy.unproven)
    most = min(actions, key=list(Action).index).at_most(policy.at_most)
    if plugs:
        most = most.at_most(policy.hotplug)
    stays = policy.honour_eviction_strategy and subject.eviction_strategy in STAYS
    return most.at_most(Action.WARN) if stays else most


class Lowered(StrEnum):
    """For whom, or for what, a denial is lowered at admission."""

    KUBEVIRT = "kubevirt"
    """One of KubeVirt's own service accounts."""
    HYPER_CONVERGED = "hyperconverged"
    """HyperConverged's operator, which would repeat a refused write for ever."""
    VOLUME_MIGRATION = "volume-migration"
    """A volume returns to the claim that a volume migration is replacing."""
    ACCOUNT = "account"
    """An entry under ``accounts`` of the policy file."""


class Decision(msgspec.Struct, frozen=True):
    """A finding and what is done about it."""

    finding: Finding
    action: Action
    exemption: Exemption | None = None
    lowered: Lowered | None = None
    """For whom a denial was lowered at admission."""
    place: str = ""
    """What a warning names instead of the finding's path."""

    def at_most(self, limit: Action) -> "Decision":
        """This decision, with no stronger action than ``limit``."""
        return msgspec.structs.replace(self, action=self.action.at_most(limit))

    def for_account(self, account: Account) -> "Decision":
        """This decision, limited to the policy's entry for the account of the request."""
        lowered = self.lowered or (Lowered.ACCOUNT if self.action is Action.DENY else None)
        return msgspec.structs.replace(self, action=self.action.at_most(account.at_most), lowered=lowered)


def action_of(finding: Finding, policy: Policy) -> Action:
    """
    The action for a finding: the policy's own word for the rule, else the profile's.

    What is undetermined is never denied by a profile, only by ``unproven: deny``, unless it depends on an unreadable object.
    """
    rule = finding.rule
    chosen = policy.actions.get(rule.id) or policy.actions.get(rule.name)
    if finding.undetermined and not finding.unreadable:
        weaker = chosen if chosen in (Action.AUDIT, Action.OFF) else None
        return weaker or policy.unproven
    action = chosen or _action_of_profile(finding, policy.profile)
    return action.at_most(policy.unreadable) if finding.unreadable else action


def _action_of_profile(finding: Finding, profile: Profile) -> Action:
    if finding.basis is Basis.KUBEVIRT:
        return Action.DENY
    if profile is Profile.STRICT and (finding.basis is Basis.BASELINE or finding.rule.severity is Severity.ERROR):
        return Action.DENY
    return Action.WARN


def decide_all(judgement: Judgement, policy: Policy, subject: PolicySubject, today: str) -> tuple[Decision, ...]:
    """What is done about each finding of one object, in the findings' order; ``off`` is left out."""
    here = policy.within(subject.namespace, subject.labels)
    return tuple(
        decision
        for finding in judgement.findings
        if (decision := decide(finding, here, subject, today)).action is not Action.OFF
    )


def decide(finding: Finding, policy: Policy, subject: PolicySubject, today: str) -> Decision:
    """What is done about one finding; an exempt one is audited."""
    action = action_of(finding, policy)
    if action is not Action.OFF:
        for exemption in policy.exemptions:
            if exemption.covers(finding, subject, today):
                return Decision(finding, Action.AUDIT, exemption)
    if action is Action.DENY and policy.honour_eviction_strategy and subject.eviction_strategy in STAYS:
        action = Action.WARN
    return Decision(finding, action.at_most(policy.at_most))


def would_deny(decision: Decision) -> bool:
    """Whether a finding that passes for now is one that the built-in strict policy denies."""
    return decision.action is not Action.DENY and action_of(decision.finding, _STRICT) is Action.DENY


_STRICT = Policy()


def ratchet(
    new: Sequence[Decision], old: Iterable[Decision], former: Mapping[str, str] = MappingProxyType({})
) -> tuple[Decision, ...]:
    """
    Lowers a deny to a warning where the old object would have been denied for the same finding, or is exempt from that.

    What was admitted may stay, be cared for and be improved; only new harm can be refused. Identity is the rule and its
    stable subject, so reordering a list adds nothing and swapping the claim behind a volume's name does. Where there is
    more and less of it, more than before is new harm. What was only a warning before is new harm when it is denied now:
    else two updates, each of which passes, would lead where one does not. ``former`` maps a subject to the one that it had
    in the old object, where KubeVirt renamed what it names.
    """
    known: dict[tuple[str, str], int] = {}
    for each in old:
        if each.action is Action.DENY or each.exemption is not None:
            finding = each.finding
            known[finding.identity] = max(finding.harm, known.get(finding.identity, finding.harm))

    def is_known(finding: Finding) -> bool:
        rule, subject = finding.identity
        names = (subject, former.get(subject, subject))
        return any(known.get((rule, each), -math.inf) >= finding.harm for each in names)

    return tuple(
        Decision(each.finding, Action.WARN, each.exemption)
        if each.action is Action.DENY and is_known(each.finding)
        else each
        for each in new
    )


@cache
def rule_ids() -> Mapping[str, str]:
    """The id of each rule by its id and by its name."""
    from webhook.rules.register import RULES  # noqa: PLC0415 - most runs judge by some of the rules, and name none

    return {name: rule.id for rule in RULES for name in (rule.id, rule.name)}


def _overlaid(below: Mapping[str, Action], above: Mapping[str, Action]) -> dict[str, Action]:
    """Actions by rule, those of ``above`` first, however each side spells the rule."""
    ids = rule_ids()
    named = {ids.get(rule) for rule in above}
    return {**{rule: action for rule, action in below.items() if ids.get(rule) not in named}, **above}
