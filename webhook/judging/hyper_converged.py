"""
Judges HyperConverged CRs: applies the rules about the KubeVirt CR to the CR that HyperConverged's operator writes.

Each finding is at the HyperConverged field from which the operator sets the field of the KubeVirt CR. This module does no I/O.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from webhook.cni.attachments import migration_network_facts
from webhook.cni.changes import migration_network_change
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.judging.finding import Finding, Judgement, finding_of, findings_about
from webhook.judging.machines import merge
from webhook.kubevirt.hyperconverged.problems import Problem, problems_of, reworded
from webhook.kubevirt.hyperconverged.translate import Written, settings_of, written_kubevirt
from webhook.kubevirt.releases import KNOWN, Releases, behaviours, newest, only
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH, hyper_converged_place
from webhook.kubevirt.settings.settings import settings_facts
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.path import FieldPath
from webhook.rules.cluster import MIGRATION_NETWORK_CHANGE_RULES, MIGRATION_NETWORK_RULES, SETTINGS_RULES
from webhook.rules.rule import Undetermined, Violation
from webhook.rules.settings import configuration_ignored, progress_above_budget

_ROLLOUT: FieldPath = ("spec", "configuration", "vmRolloutStrategy")
_METHODS: FieldPath = ("spec", "workloadUpdateStrategy", "workloadUpdateMethods")
_ANNOTATION: FieldPath = ("metadata", "annotations", JSON_PATCH)
_BY_ID = {rule.id: rule for rule in SETTINGS_RULES}


def judge_hyper_converged(judged: HyperConverged, world: World, releases: Releases) -> Judgement:
    """All findings about a HyperConverged CR. The judgement has no verdict."""
    findings: list[Finding] = []
    for behaviour in behaviours(releases):
        group = only(behaviour.release)
        written = written_kubevirt(judged, behaviour.release)
        cr = _known(written)
        found = list(findings_about(SETTINGS_RULES, settings_facts(cr, group), group))
        network = migration_network_facts(cr, world)
        if network is not None:
            found.extend(findings_about(MIGRATION_NETWORK_RULES, network, group))
        findings.extend(_moved(found, judged, written))
    findings.extend(_unpatched(judged, releases))
    own = (finding for problem in problems_of(judged, releases) if (finding := _finding(problem, releases)) is not None)
    return Judgement((*own, *merge(findings)))


def judge_hyper_converged_change(old: HyperConverged, new: HyperConverged, releases: Releases) -> tuple[Finding, ...]:
    """Findings about an update of a HyperConverged CR."""
    release = newest(releases).release
    before, after = written_kubevirt(old, release), written_kubevirt(new, release)
    change = migration_network_change(_known(before), _known(after))
    if change is None:
        return ()
    return tuple(_moved(findings_about(MIGRATION_NETWORK_CHANGE_RULES, change, releases), new, after))


def _unpatched(judged: HyperConverged, releases: Releases) -> Iterator[Finding]:
    """An undetermined finding if the annotation cannot be applied, because its values are then not judged."""
    written = written_kubevirt(judged, newest(releases).release).kubevirt
    if isinstance(written, Unknown):
        outcome = Undetermined(_ANNOTATION, written.why, written.settle, "jsonpatch")
        finding = finding_of(configuration_ignored.RULE, outcome, releases)
        if finding is not None:
            yield finding


def _known(written: Written) -> KubeVirt:
    return written.unpatched if isinstance(written.kubevirt, Unknown) else written.kubevirt


def _moved(findings: Iterable[Finding], judged: HyperConverged, written: Written) -> Iterator[Finding]:
    """
    The findings at the fields of the HyperConverged CR.

    Findings about values that only the operator chooses are left out, because the user cannot change these values.
    """
    for finding in findings:
        path = _place(finding.path, judged, written)
        if path is not None and not (finding.rule is progress_above_budget.RULE and _is_default(finding.path, judged)):
            yield replace(
                finding,
                path=path,
                message=reworded(finding.message, judged),
                remedy=reworded(finding.remedy, judged),
            )


def _place(path: FieldPath, judged: HyperConverged, written: Written) -> FieldPath | None:
    if any(path[: len(changed)] == changed or changed[: len(path)] == path for changed in written.patched):
        return _ANNOTATION
    place = hyper_converged_place(_METHODS if path == _ROLLOUT else path)
    if place is None:
        return None
    return place.v1 if judged.is_v1 else place.v1beta1


def _is_default(path: FieldPath, judged: HyperConverged) -> bool:
    """Whether the value at ``path`` of the KubeVirt CR is a default, so that the HyperConverged CR does not set it."""
    written = settings_of(judged).migrations
    return isinstance(written, dict) and path[-1] not in written


def _finding(problem: Problem, releases: Releases) -> Finding | None:
    violation = Violation(
        problem.path, problem.message, problem.subject, problem.remedy, releases=problem.releases & KNOWN
    )
    return finding_of(_BY_ID[problem.rule], violation, releases)
