"""
The shape of an answer: what ``check -o json`` prints and ``POST /v1/check`` returns.

Every other format is made from it. ``apiVersion`` names the version of this shape; fields are only ever added.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.fixes.register import fixes_of
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.releases import describe
from webhook.kubevirt.verdict import Verdict
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.policy.policy import Action, Decision, Exemption
from webhook.report.printable import escaped, printable
from webhook.report.release_phrases import release_names

API_VERSION = "migratable/v1"


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the answer; every field is always present."""


class SourceReport(_Part, frozen=True):
    """Where an object was read: file (or ``-``), document number from 0, line from 1."""

    file: str
    document: int
    line: int


class VerdictReport(_Part, frozen=True):
    """KubeVirt's own answer for ``release``; ``liveMigratable`` is null where it is unproven."""

    live_migratable: bool | None
    reason: str | None
    release: str
    migration_method: str
    unproven: list[str]
    assumptions: list[str]


class ExemptionReport(_Part, frozen=True):
    """Why a finding is not enforced."""

    reason: str
    owner: str
    """Who answers for it: a name from the policy, else the file (and line) that says so."""
    until: str
    """``YYYY-MM-DD``; empty where it does not lapse."""
    kind: str = "policy"
    """``policy`` (or configuration), ``comment`` beside the finding, or ``baseline``."""


class FixReport(_Part, frozen=True):
    """A change that makes the finding go away."""

    title: str
    safe: bool
    """Whether nothing else can have been meant; the others are options, for somebody to choose."""
    patch: list[dict[str, Any]]
    """JSON Patch (RFC 6902) of the object; it tests what it changes first."""


class FindingReport(_Part, frozen=True):
    """One rule's outcome at one place; line and column from 1, null where there is no text behind the object."""

    rule: str
    name: str
    basis: str
    outcome: str
    """``violation`` or ``undetermined``."""
    reason: str | None
    severity: str
    action: str
    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    releases: str
    message: str
    remedy: str
    exemption: ExemptionReport | None
    fixes: list[FixReport] = []
    release_list: tuple[str, ...] = ()
    """The releases in which the finding holds, such as ``1.3``. ``releases`` says the same in words."""


class ObjectReport(_Part, frozen=True):
    """One judged object."""

    api_version: str
    kind: str
    namespace: str
    name: str
    source: SourceReport | None
    verdict: VerdictReport | None
    findings: list[FindingReport]


class ProblemReport(_Part, frozen=True):
    """Input that could not be read, so that nothing is lost silently."""

    message: str
    remedy: str
    file: str
    document: int | None
    line: int | None
    column: int | None
    path: str


class SummaryReport(_Part, frozen=True):
    """Counts of findings by what is done about them; ``unproven`` counts undetermined ones that nobody exempted."""

    objects: int
    deny: int
    warn: int
    audit: int
    unproven: int
    exempted: int
    problems: int


class Report(_Part, frozen=True):
    """The whole answer."""

    api_version: str
    profile: str
    release: str
    objects: list[ObjectReport]
    problems: list[ProblemReport]
    notes: list[str]
    summary: SummaryReport


Span: TypeAlias = tuple[int, int, int, int]
"""Start line and column, end line and column, from 1; the end is exclusive."""


class Examined(msgspec.Struct, frozen=True):
    """One object, judged and decided, with the means to find its lines."""

    api_version: str
    kind: str
    namespace: str
    name: str
    judgement: Judgement
    decisions: tuple[Decision, ...]
    source: SourceReport | None = None
    locate: Callable[[FieldPath], Span] | None = None
    raw: Json = None
    """The object as it was read, for fixes."""


def build(
    examined: Sequence[Examined], problems: Sequence[BadInput], *, profile: str, release: str, notes: Sequence[str] = ()
) -> Report:
    """The answer for some objects; text that came from objects is made printable."""
    return report_of(
        [object_report(each) for each in examined], problems, profile=profile, release=release, notes=notes
    )


def report_of(
    objects: list[ObjectReport],
    problems: Sequence[BadInput],
    *,
    profile: str,
    release: str,
    notes: Sequence[str] = (),
) -> Report:
    """The answer for objects that have been put into words already."""
    unread = [problem_report(each) for each in problems]
    return Report(API_VERSION, profile, release, objects, unread, list(notes), summarise(objects, unread))


def summarise(objects: Sequence[ObjectReport], problems: Sequence[ProblemReport]) -> SummaryReport:
    """The counts of an answer; an exempted finding counts as exempted and recorded, never as unproven."""
    findings = [finding for each in objects for finding in each.findings]
    return SummaryReport(
        len(objects),
        sum(each.action == Action.DENY for each in findings),
        sum(each.action == Action.WARN for each in findings),
        sum(each.action == Action.AUDIT for each in findings),
        sum(each.outcome == "undetermined" and each.exemption is None for each in findings),
        sum(each.exemption is not None for each in findings),
        len(problems),
    )


def object_report(examined: Examined) -> ObjectReport:
    """One object in words."""
    return ObjectReport(
        printable(examined.api_version),
        printable(examined.kind),
        printable(examined.namespace),
        printable(examined.name),
        examined.source,
        verdict_report(examined.judgement.verdict),
        [finding_report(each, examined.locate, examined.raw) for each in examined.decisions],
    )


def verdict_report(verdict: Verdict | None) -> VerdictReport | None:
    """A verdict in words."""
    if verdict is None:
        return None
    return VerdictReport(
        verdict.live_migratable,
        verdict.reason,
        str(verdict.release),
        verdict.migration_method,
        [printable(each) for each in verdict.unproven],
        [printable(each) for each in verdict.assumptions],
    )


def finding_report(
    decision: Decision, locate: Callable[[FieldPath], Span] | None = None, raw: Json = None
) -> FindingReport:
    """A finding in words, with its place in the text and the fixes of ``raw`` where there are any."""
    finding, exemption = decision.finding, decision.exemption
    line, column, end_line, end_column = locate(finding.path) if locate is not None else (None, None, None, None)
    return FindingReport(
        finding.rule.id,
        finding.rule.name,
        finding.basis,
        "undetermined" if finding.undetermined else "violation",
        finding.rule.reason,
        finding.rule.severity,
        decision.action,
        printable(dotted(finding.path)),
        line,
        column,
        end_line,
        end_column,
        describe(finding.releases),
        printable(finding.message),
        printable(finding.remedy),
        exemption_report(exemption) if exemption is not None else None,
        list(_fixes(finding, raw)),
        release_names(finding.releases),
    )


def _fixes(finding: Finding, raw: Json) -> Iterator[FixReport]:
    """A patch must hold names as they are: one that would hold an unprintable character is not made."""
    for fix in fixes_of(finding, raw):
        written = msgspec.json.encode([fix.title, fix.patch]).decode()
        if escaped(written) == written:
            yield FixReport(fix.title, fix.is_safe, list(fix.patch))


def exemption_report(exemption: Exemption) -> ExemptionReport:
    """An exemption in words."""
    return ExemptionReport(printable(exemption.reason), printable(exemption.owner), exemption.until)


def problem_report(problem: BadInput) -> ProblemReport:
    """As text that every output can hold."""
    return ProblemReport(
        printable(problem.message),
        printable(problem.remedy),
        printable(problem.source),
        problem.document,
        problem.line,
        problem.column,
        printable(problem.path),
    )
