"""
The policy file, and the enforcement action that it gives to each finding: deny, warn, audit or off.

A rule states a fact about a VM; the policy sets the action for it. This module does no I/O and reads no clock: today's date is
an argument.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache, cached_property
from itertools import islice, product
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Json, Kubernetes
from webhook.rules.rule import Basis, Severity

if TYPE_CHECKING:
    from webhook.defaults.default import DefaultOptions

STRATEGIES_WITHOUT_MIGRATION = frozenset(("None", "External"))
"""A node drain never live-migrates a VM with one of these values of evictionStrategy (all releases)."""


class Action(StrEnum):
    """The enforcement action for a finding, strongest first."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"
    OFF = "off"

    def at_most(self, limit: "Action") -> "Action":
        """This action, or ``limit`` if ``limit`` is weaker."""
        return self if self is limit or _RANKS[self] >= _RANKS[limit] else limit


_RANKS: Mapping[Action, int] = {action: rank for rank, action in enumerate(Action)}
"""The rank of each action. The strongest action has rank 0."""


class Profile(StrEnum):
    """A built-in set of actions for findings."""

    STRICT = "strict"
    """
    Denies findings that block live migration in the KubeVirt release, findings on the fixed list, and settings that cannot
    work.
    """
    EXACT = "exact"
    """Denies only findings that block live migration in the KubeVirt release. Other findings are warnings."""


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exempts findings until ``until``. Exempted findings are listed and counted, but never lead to a denial."""

    rule: str
    reason: str
    owner: str
    until: str
    """The last day on which the entry applies (``YYYY-MM-DD``)."""
    namespace: str | None = None
    name: str | None = None
    kind: str | None = None

    def covers(self, finding: Finding, subject: "PolicySubject", today: str) -> bool:
        """Whether the entry exempts this finding about this object today (``YYYY-MM-DD``)."""
        rule = finding.rule.id, finding.rule.name
        return self.until >= today and self.matches(rule, subject.kind, subject.namespace, subject.name)

    def matches(self, rule: tuple[str, str], kind: str, namespace: str, name: str) -> bool:
        """Whether the entry matches findings of this rule (id, name) about this object, regardless of the date."""
        return (
            self.rule in rule
            and self.namespace in (None, namespace)
            and self.name in (None, name)
            and self.kind in (None, kind)
        )


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Lowers denials to ``warn`` or ``audit`` for one account until a date, for example for a backup tool."""

    account: str
    """The whole username, as the API server authenticated it. Patterns are not supported."""
    reason: str
    owner: str
    until: str
    """The last day on which the entry applies (``YYYY-MM-DD``)."""
    at_most: Action = Action.WARN
    """``warn`` or ``audit``: the strongest action for the account's requests."""
    namespace: str | None = None

    def covers(self, username: str, namespace: str, today: str) -> bool:
        """Whether the entry applies today (``YYYY-MM-DD``) to a request from this user about an object in this namespace."""
        return self.account == username and self.until >= today and self.namespace in (None, namespace)


class NamespacePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Overrides for namespaces that have one of these names or all of these labels."""

    names: list[str] = []
    labels: dict[str, str] = {}
    profile: Profile | None = None
    actions: dict[str, Action] = {}
    unproven: Action | None = None
    unreadable: Action | None = None
    hotplug: Action | None = None
    at_most: Action | None = None

    def covers(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        """Whether the entry applies to the namespace. Unknown labels (None) do not match."""
        if namespace in self.names:
            return True
        return bool(self.labels) and labels is not None and self.labels.items() <= labels.items()


MAX_HELP = 200
"""The maximum number of characters in ``help``, so that it fits into a warning."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", dict=True):
    """The policy file. The cluster and CI use the same file."""

    profile: Profile = Profile.STRICT
    actions: dict[str, Action] = {}
    """Actions by rule id or name, which override the profile."""
    unproven: Action = Action.WARN
    """The action for an unproven result. A result is unproven if a fact is missing."""
    unreadable: Action = Action.DENY
    """
    The strongest action for a result that depends on an existing but unreadable object.

    The result counts as a violation, so that users cannot avoid a denial by making an object unreadable.
    """
    hotplug: Action = Action.WARN
    """The strongest action for findings about volumes that are plugged into a running VM (``status.volumeRequests``)."""
    at_most: Action = Action.DENY
    """The strongest action for any finding, regardless of other keys. Start with audit, then use warn, then deny."""
    honour_eviction_strategy: bool = False
    """Whether a VM with evictionStrategy None or External gets warnings instead of denials."""
    namespaces: list[NamespacePolicy] = []
    """The first entry that matches a namespace applies. If that entry does not set a key, the top-level value applies."""
    default_eviction_strategy: str | None = None
    """The evictionStrategy to add to VMs and VMIs without one, unless they cannot be live-migrated."""
    default_migration_settings: bool = True
    """Whether absent migration settings of the KubeVirt CR are filled in."""
    migration_settings: dict[str, Json] = {}
    """Values to fill in instead of the defaults of the KubeVirt release."""
    help: str = ""
    """The help line at the end of denials and warnings: a URL or a contact."""
    exemptions: list[Exemption] = []
    accounts: list[Account] = []
    """Only admission uses this key. Files and the dry-run API have no account that the API server authenticated."""

    @property
    def default_options(self) -> "DefaultOptions":
        """The defaults to fill in."""
        from webhook.defaults.default import DefaultOptions  # noqa: PLC0415 - only admission fills in defaults

        return DefaultOptions(self.default_eviction_strategy, self.default_migration_settings, self.migration_settings)

    def exemptions_about(self, subject: "PolicySubject") -> list[Exemption]:
        """The exemptions that can cover findings about an object, in the order of the file, also if they have expired."""
        by_place = self._exemptions_by_place
        places = product((None, subject.namespace), (None, subject.name)) if by_place else ()
        found = [entry for place in places for entry in by_place.get(place, ())]
        return [exemption for _, exemption in sorted(found, key=itemgetter(0))]

    @cached_property
    def _exemptions_by_place(self) -> Mapping[tuple[str | None, str | None], list[tuple[int, Exemption]]]:
        """The exemptions with their positions, by namespace and name. A policy can exempt each of thousands of VMs."""
        by_place: dict[tuple[str | None, str | None], list[tuple[int, Exemption]]] = {}
        for at, exemption in enumerate(self.exemptions):
            by_place.setdefault((exemption.namespace, exemption.name), []).append((at, exemption))
        return by_place

    @cached_property
    def reads_labels(self) -> bool:
        """Whether any entry selects namespaces by label."""
        return any(entry.labels for entry in self.namespaces)

    def within(self, namespace: str, labels: Mapping[str, str] | None = None) -> "Policy":
        """The policy that applies in a namespace."""
        if not self.namespaces:
            return self
        by_name, by_label = self._entries
        numbers = [] if (named := by_name.get(namespace)) is None else [named]
        for label in (labels or {}).items():
            numbers += [at for at in by_label.get(label, ()) if self.namespaces[at].covers(namespace, labels)]
        return self.under(self.namespaces[min(numbers)]) if numbers else self

    @cached_property
    def _entries(self) -> tuple[Mapping[str, int], Mapping[tuple[str, str], list[int]]]:
        """The number of the first entry with each name, and the numbers of the entries whose first label is each label."""
        by_name: dict[str, int] = {}
        by_label: dict[tuple[str, str], list[int]] = {}
        for at, entry in enumerate(self.namespaces):
            for name in entry.names:
                by_name.setdefault(name, at)
            for label in islice(entry.labels.items(), 1):
                by_label.setdefault(label, []).append(at)
        return by_name, by_label

    def under(self, entry: NamespacePolicy) -> "Policy":
        """The policy that applies in the namespaces of one entry."""
        return msgspec.structs.replace(
            self,
            profile=entry.profile or self.profile,
            actions=_overridden(self.actions, entry.actions),
            unproven=entry.unproven or self.unproven,
            unreadable=entry.unreadable or self.unreadable,
            hotplug=entry.hotplug or self.hotplug,
            at_most=entry.at_most or self.at_most,
        )

    def account_of(self, username: str, namespace: str, today: str) -> Account | None:
        """The entry with the weakest ``atMost`` of all entries that apply today to a request from this user."""
        if not self.accounts:
            return None
        matches = [account for account in self.accounts if account.covers(username, namespace, today)]
        return max(matches, key=lambda match: (list(Action).index(match.at_most), match.until), default=None)

    def with_profile(self, profile: Profile) -> "Policy":
        """The same policy with another profile."""
        return msgspec.structs.replace(self, profile=profile)


class PolicySubject(msgspec.Struct, frozen=True):
    """The properties of an object that the decisions about its findings depend on."""

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str] | None = None
    """The labels of its namespace; None if they are unknown or not needed."""
    eviction_strategy: str | None = None
    """The evictionStrategy in the VM."""


def policy_subject(
    judged: Kubernetes, kind: str, namespace: str, name: str, labels: Mapping[str, str] | None
) -> PolicySubject:
    """The properties of an object that the policy depends on. ``labels`` are the labels of its namespace."""
    vmi = subject_of(judged)
    return PolicySubject(kind, namespace, name, labels, vmi.spec.eviction_strategy if vmi is not None else None)


def strongest_action(policy: Policy, subject: PolicySubject, *, plugs: bool = False) -> Action:
    """
    The strongest action that any finding about an object can get. With ``plugs``, only findings about plugged-in volumes
    count.

    If the labels of the namespace are unknown, every entry with labels is considered.
    """
    own = policy.within(subject.namespace, subject.labels)
    if subject.labels is not None or not policy.reads_labels:
        return _strongest(own, subject, plugs=plugs)
    candidates = [own, *(policy.under(entry) for entry in policy.namespaces if entry.labels)]
    return min((_strongest(candidate, subject, plugs=plugs) for candidate in candidates), key=_RANKS.__getitem__)


def _strongest(policy: Policy, subject: PolicySubject, *, plugs: bool) -> Action:
    strongest = policy.at_most
    if len(policy.actions) >= _number_of_rules():  # otherwise, a rule without an action of its own can deny
        strongest = _strongest_of_all_rules(policy).at_most(policy.at_most)
    if plugs:
        strongest = strongest.at_most(policy.hotplug)
    is_never_migrated = policy.honour_eviction_strategy and subject.eviction_strategy in STRATEGIES_WITHOUT_MIGRATION
    return strongest.at_most(Action.WARN) if is_never_migrated else strongest


def _strongest_of_all_rules(policy: Policy) -> Action:
    """The strongest action of a policy that can name an action for each rule."""
    chosen = {rule_ids().get(rule, rule): action for rule, action in policy.actions.items()}
    actions = {*chosen.values()} if chosen.keys() >= set(rule_ids().values()) else {Action.DENY}
    if not actions.isdisjoint((Action.DENY, Action.WARN)):
        actions.add(policy.unproven)
    return min(actions, key=_RANKS.__getitem__)


@cache
def _number_of_rules() -> int:
    return len(set(rule_ids().values()))


class Lowered(StrEnum):
    """The reason why admission lowers a denial to a weaker action."""

    KUBEVIRT = "kubevirt"
    """A service account of KubeVirt writes the object, and no user requested this write."""
    HYPER_CONVERGED = "hyperconverged"
    """HyperConverged's operator writes the object. This operator would retry a denied write forever."""
    VOLUME_MIGRATION = "volume-migration"
    """The update cancels a volume migration: the volume names its old PVC again."""
    ACCOUNT = "account"
    """The policy file lists the account under ``accounts``."""


class Decision(msgspec.Struct, frozen=True):
    """A finding and its enforcement action."""

    finding: Finding
    action: Action
    exemption: Exemption | None = None
    lowered: Lowered | None = None
    """Why admission lowered a denial."""
    place: str = ""
    """The path that a warning shows instead of the path of the finding."""
    denied_when_enforced: bool = False
    """Whether the finding would be denied without the policy's ``atMost: warn``."""

    def at_most(self, limit: Action) -> "Decision":
        """This decision, with no stronger action than ``limit``."""
        enforced = self.denied_when_enforced and limit is Action.DENY
        return msgspec.structs.replace(self, action=self.action.at_most(limit), denied_when_enforced=enforced)

    def for_account(self, account: Account) -> "Decision":
        """This decision, with no stronger action than the ``atMost`` of ``account``."""
        lowered = self.lowered or (Lowered.ACCOUNT if self.action is Action.DENY else None)
        return msgspec.structs.replace(self.at_most(account.at_most), lowered=lowered)


def action_of(finding: Finding, policy: Policy) -> Action:
    """
    The action that the policy gives to a finding. If the policy has no action for the rule, the action of the profile applies.

    A profile never denies an undetermined result. Only ``unproven: deny`` denies such a result. For a result that depends on an
    unreadable object, ``unreadable`` is the strongest action.
    """
    rule = finding.rule
    chosen = policy.actions.get(rule.id) or policy.actions.get(rule.name)
    if finding.undetermined and not finding.unreadable:
        weaker = chosen if chosen in (Action.AUDIT, Action.OFF) else None
        return weaker or policy.unproven
    action = chosen or _action_of_profile(finding, policy.profile)
    return action.at_most(policy.unreadable) if finding.unreadable else action


def _action_of_profile(finding: Finding, profile: Profile) -> Action:
    if finding.is_tolerated:
        return Action.WARN
    if finding.basis is Basis.KUBEVIRT:
        return Action.DENY
    if profile is Profile.STRICT and (finding.basis is Basis.BASELINE or finding.rule.severity is Severity.ERROR):
        return Action.DENY
    return Action.WARN


def decide_all(judgement: Judgement, policy: Policy, subject: PolicySubject, today: str) -> tuple[Decision, ...]:
    """
    The decisions about the findings of one object, in the order of the findings. Decisions with action ``off`` are left
    out.
    """
    local = policy.within(subject.namespace, subject.labels)
    exemptions = policy.exemptions_about(subject) if judgement.findings else ()
    return tuple(
        decision
        for finding in judgement.findings
        if (decision := decide(finding, local, subject, today, exemptions)).action is not Action.OFF
    )


def decide(
    finding: Finding, policy: Policy, subject: PolicySubject, today: str, exemptions: Sequence[Exemption]
) -> Decision:
    """The decision about one finding. The action for an exempt finding is audit."""
    action = action_of(finding, policy)
    if action is not Action.OFF:
        for exemption in exemptions:
            if exemption.covers(finding, subject, today):
                return Decision(finding, Action.AUDIT, exemption)
    if (
        action is Action.DENY
        and policy.honour_eviction_strategy
        and subject.eviction_strategy in STRATEGIES_WITHOUT_MIGRATION
    ):
        action = Action.WARN
    limited = action.at_most(policy.at_most)
    return Decision(finding, limited, denied_when_enforced=action is Action.DENY and limited is Action.WARN)


def would_deny(decision: Decision) -> bool:
    """Whether the built-in strict policy would deny a finding that the current policy does not deny."""
    return decision.action is not Action.DENY and action_of(decision.finding, _STRICT) is Action.DENY


_STRICT = Policy()


@cache
def rule_ids() -> Mapping[str, str]:
    """Maps the id and the name of each rule to its id."""
    from webhook.rules.register import RULES  # noqa: PLC0415 - most runs use some rules only

    return {name: rule.id for rule in RULES for name in (rule.id, rule.name)}


def _overridden(actions: Mapping[str, Action], overrides: Mapping[str, Action]) -> dict[str, Action]:
    """The actions by rule; ``overrides`` replace ``actions``. Both arguments can name a rule by id or by name."""
    ids = rule_ids()
    overridden = {ids.get(rule) for rule in overrides}
    return {**{rule: action for rule, action in actions.items() if ids.get(rule) not in overridden}, **overrides}
