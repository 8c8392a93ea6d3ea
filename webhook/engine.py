"""
One engine for every door: facts in, findings and verdict out.

This file does no I/O. The same object and the same world give the same findings, whoever asks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from webhook.facts.drain import DrainFacts
from webhook.facts.manifest import ManifestFacts
from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.attachments import migration_network_facts, network_facts
from webhook.kubevirt.expand import expand
from webhook.kubevirt.fields import strange
from webhook.kubevirt.network_changes import migration_network_change, network_change
from webhook.kubevirt.owners import owner_of
from webhook.kubevirt.policies import policy_facts
from webhook.kubevirt.releases import Releases, newest, only
from webhook.kubevirt.settings import settings_facts
from webhook.kubevirt.subject import Subject, subject_of
from webhook.kubevirt.time_allowed import budget_facts
from webhook.kubevirt.verdict import Verdict, decide, migration_method
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.path import FieldPath
from webhook.rules import about
from webhook.rules.rule import About, Assumption, Basis, Outcome, Rule, Undetermined, Violation


class Finding(msgspec.Struct, frozen=True):
    """One rule's outcome at one place of one object."""

    rule: Rule
    basis: Basis
    path: FieldPath
    message: str
    remedy: str
    subject: str
    releases: Releases
    """The asked releases for which it holds."""
    undetermined: bool = False
    harm: int = 0
    """How much is wrong (``Violation.harm``)."""

    @property
    def identity(self) -> tuple[str, str]:
        """What the ratchet compares: never index or wording."""
        return self.rule.id, self.subject


class Judgement(msgspec.Struct, frozen=True):
    """Everything that can be said of one object."""

    findings: tuple[Finding, ...]
    verdict: Verdict | None = None
    """None for kinds that carry no VMI."""


MOST_VIOLATIONS = 10_000
"""
Of one rule in one object. KubeVirt's definitions bound neither the ports of an interface nor the GPUs of a VM, and the
120,000 that 3 MiB hold would keep all others waiting for seconds; what is undetermined does not count, so it hides nothing.
"""
_VMI_RULES = about(About.VMI)
_DRAIN_RULES = about(About.DRAIN)
_BUDGET_RULES = about(About.BUDGET)
_SETTINGS_RULES = about(About.SETTINGS)
_POLICY_RULES = about(About.POLICY)
_NETWORK_RULES = about(About.NETWORK)
_MIGRATION_NETWORK_RULES = about(About.MIGRATION_NETWORK)
_NETWORK_CHANGE_RULES = about(About.NETWORK_CHANGE)
_MIGRATION_NETWORK_CHANGE_RULES = about(About.MIGRATION_NETWORK_CHANGE)
_MANIFEST_RULES = about(About.MANIFEST)


def judge(judged: Kubernetes, world: World, releases: Releases) -> Judgement:
    """
    All findings about ``judged`` in ``releases``, and the verdict of the newest of them.

    ``releases`` must not be empty. Never raises for an object that could be read.
    """
    subject = subject_of(judged)
    if subject is not None:
        return _judge_vmi(subject, world, releases)
    if isinstance(judged, NetworkAttachmentDefinition):
        return Judgement(owned(judged, _findings(_NETWORK_RULES, network_facts(judged, world), releases)))
    if isinstance(judged, KubeVirt):
        findings = list(_findings(_SETTINGS_RULES, settings_facts(judged, releases), releases))
        network = migration_network_facts(judged, world)
        if network is not None:
            findings.extend(_findings(_MIGRATION_NETWORK_RULES, network, releases))
        return Judgement(owned(judged, findings))
    if isinstance(judged, MigrationPolicy):
        return Judgement(tuple(_findings(_POLICY_RULES, policy_facts(judged, world, releases), releases)))
    return Judgement(())


def judge_change(old: Kubernetes, new: Kubernetes, world: World, releases: Releases) -> tuple[Finding, ...]:
    """
    What can be said of an update beside what ``judge`` says of its outcome; nothing where nothing of weight changes.

    Manifests have no old object, so nobody asks this of them.
    """
    if isinstance(old, KubeVirt) and isinstance(new, KubeVirt):
        change, rules = migration_network_change(old, new), _MIGRATION_NETWORK_CHANGE_RULES
    elif isinstance(old, NetworkAttachmentDefinition) and isinstance(new, NetworkAttachmentDefinition):
        change, rules = network_change(old, new, world), _NETWORK_CHANGE_RULES
    else:
        return ()
    return owned(new, _findings(rules, change, releases)) if change is not None else ()


def _findings(rules: Iterable[Rule], facts: object, releases: Releases) -> Iterator[Finding]:
    """What rules say of facts that are the same in all releases."""
    for rule in rules:
        for outcome in rule.check(facts):
            if not isinstance(outcome, Assumption) and (finding := finding_of(rule, outcome, releases)) is not None:
                yield finding


def owned(judged: Kubernetes, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with word of the operator that writes the object and would undo a change made in it."""
    owner = owner_of(judged)
    if owner is None:
        return tuple(findings)
    word = f"{owner.name} writes this {'CR' if isinstance(judged, KubeVirt) else 'network'} and undoes changes in it"
    return tuple(
        each if each.undetermined else replace(each, remedy=f"{each.remedy} {word}: {owner.place(each.path)}.")
        for each in findings
    )


def _judge_vmi(subject: Subject, world: World, releases: Releases) -> Judgement:
    findings: list[Finding] = []
    assumptions: list[str] = []
    expansions = tuple(expand(subject, world, releases))
    last = expansions[-1]  # of the newest releases: the verdict's
    for rule in _VMI_RULES:
        for facts in expansions:
            enough = len(findings) + MOST_VIOLATIONS
            for outcome in rule.check(facts):
                if isinstance(outcome, Assumption):
                    if facts is last and outcome.text not in assumptions:
                        assumptions.append(outcome.text)
                elif (finding := finding_of(rule, outcome, releases & facts.releases)) is not None:
                    findings.append(finding)
                    if len(findings) >= enough and not finding.undetermined:
                        break
    merged = merge(findings)
    if last.architecture_assumed:
        assumptions.append(f"the VM runs on {last.architecture} (architecture is not written)")
    verdict = _verdict(merged, last, releases, tuple(assumptions))
    drain = _drain_facts(last, verdict)
    for rule in _DRAIN_RULES:
        for outcome in rule.check(drain):
            if not isinstance(outcome, Assumption) and (finding := finding_of(rule, outcome, releases)) is not None:
                merged.append(finding)
    if verdict.live_migratable is not False:
        budget = budget_facts(last, world)
        if budget is not None:
            merged.extend(_findings(_BUDGET_RULES, replace(budget, releases=releases), releases))
    return Judgement(tuple(merged), verdict)


def judge_manifest(raw: Mapping[str, Json], releases: Releases) -> Judgement:
    """
    What can be said of a manifest by its names alone: of kinds that are not read, and of keys that nobody reads.

    API servers refuse or drop such things before admission, so only who judges manifests asks.
    """
    api_version, kind = str(raw.get("apiVersion", "")), str(raw.get("kind", ""))
    facts = ManifestFacts(api_version, kind, releases, *strange(kind, raw))
    return Judgement(
        tuple(
            finding
            for rule in _MANIFEST_RULES
            for outcome in rule.check(facts)
            if not isinstance(outcome, Assumption) and (finding := finding_of(rule, outcome, releases)) is not None
        )
    )


def finding_of(rule: Rule, outcome: Violation | Undetermined, asked: Releases) -> Finding | None:
    """
    The finding that an outcome makes in the asked releases, or None where it does not hold in any of them.

    Basis is ``kubevirt`` where an asked release refuses; else ``baseline`` for the fixed list, which holds whatever the
    release; a rule that no release refuses and that is not on the list is ``advice``.
    """
    refusing = asked & rule.kubevirt & outcome.releases
    if refusing:
        basis, holding = Basis.KUBEVIRT, refusing
    elif rule.baseline:
        basis, holding = Basis.BASELINE, asked
        if isinstance(outcome, Undetermined) and rule.kubevirt:
            return None
    elif not rule.kubevirt and asked & outcome.releases:
        basis, holding = Basis.ADVICE, asked & outcome.releases
    else:
        return None
    if isinstance(outcome, Undetermined):
        return Finding(
            rule, basis, outcome.path, outcome.why, outcome.settle, outcome.subject, holding, undetermined=True
        )
    return Finding(
        rule,
        basis,
        outcome.path,
        outcome.message,
        outcome.remedy or rule.remediation,
        outcome.subject,
        holding,
        harm=outcome.harm,
    )


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """
    One finding for what holds in several groups of releases, in the words of the newest of them.

    Findings of one rule come oldest release first; order of first appearance is kept.
    """
    merged: dict[tuple[str, str, FieldPath, bool], Finding] = {}
    for finding in findings:
        key = (*finding.identity, finding.path, finding.undetermined)
        same = merged.get(key)
        if same is None:
            merged[key] = finding
        else:
            basis = Basis.KUBEVIRT if Basis.KUBEVIRT in (same.basis, finding.basis) else same.basis
            releases = (
                same.releases | finding.releases
                if same.basis is finding.basis
                else next(each.releases for each in (same, finding) if each.basis is basis)
            )
            merged[key] = replace(finding, basis=basis, releases=releases)
    return list(merged.values())


def _verdict(
    findings: Sequence[Finding], facts: MigrationFacts, releases: Releases, assumptions: tuple[str, ...]
) -> Verdict:
    behaviour = newest(releases)
    release = only(behaviour.release)
    deciding = [each for each in findings if each.basis is Basis.KUBEVIRT and each.releases & release]
    refusing = {each.rule.reason for each in deciding if not each.undetermined and each.rule.reason is not None}
    unproven = tuple(each.message for each in deciding if each.undetermined)
    return decide(behaviour, refusing, unproven, assumptions, migration_method(facts, release))


def _drain_facts(facts: MigrationFacts, verdict: Verdict) -> DrainFacts:
    """The strategy in force: the VMI's own, else the cluster's, else None (KubeVirt's default, all releases)."""
    own = facts.spec.eviction_strategy
    strategy: Fact[str]
    if own is not None:
        strategy = own
    elif isinstance(facts.configuration, Unknown):
        strategy = facts.configuration
    else:
        strategy = facts.configuration.eviction_strategy or "None"
    return DrainFacts(facts.base, strategy, own is not None, verdict.live_migratable)


def outcomes_of(rule: Rule, facts: object) -> list[Outcome]:
    """What one rule says of facts, for tests and pages."""
    return list(rule.check(facts))
