"""Builds the report on judged objects, and on unreadable input."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import msgspec

from webhook.errors import BadInput
from webhook.facts.objects_world import Choice
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.releases import describe, release_names
from webhook.kubevirt.verdict import NOT_MIGRATABLE, StorageVerdict, Verdict
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.policy.policy import Decision, Exemption
from webhook.report.model import (
    API_VERSION,
    ExemptionReport,
    FindingReport,
    FixReport,
    ObjectReport,
    ProblemReport,
    ReferenceReport,
    Report,
    SourceReport,
    Span,
    StorageVerdictReport,
    VerdictReport,
    summarise,
)
from webhook.report.printable import escaped, printable

if TYPE_CHECKING:
    from webhook.fixes.fix import Fix


class Examined(msgspec.Struct, frozen=True):
    """A judged object with the decisions of the policy, and a function that finds places in its text."""

    api_version: str
    kind: str
    namespace: str
    name: str
    judgement: Judgement
    decisions: tuple[Decision, ...]
    source: SourceReport | None = None
    locate: Callable[[FieldPath], Span] | None = None
    raw: Json = None
    """The object as it was read. Fixes are computed from this value."""
    release: str = ""
    """The label of the release that the object was judged for."""
    notes: tuple[str, ...] = ()
    """Notes about this release."""
    choices: Sequence[Choice] = ()
    within: FieldPath = ()
    """
    The path of an object inside another object. The paths of its findings begin with this path, but paths in its patches do
    not.
    """


def report_of(
    objects: Sequence[ObjectReport],
    problems: Sequence[BadInput],
    *,
    profile: str,
    release: str,
    notes: Sequence[str] = (),
) -> Report:
    """The report with these objects and problems, and their counts."""
    unreadable = [problem_report(problem) for problem in problems]
    return Report(API_VERSION, profile, release, objects, unreadable, list(notes), summarise(objects, unreadable))


def object_report(examined: Examined) -> ObjectReport:
    """A judged object as text. Text from the object is made printable."""
    return ObjectReport(
        printable(examined.api_version),
        printable(examined.kind),
        printable(examined.namespace),
        printable(examined.name),
        examined.source,
        verdict_report(examined.judgement.verdict),
        [finding_report(decision, examined.locate, examined.raw, examined.within) for decision in examined.decisions],
        examined.release,
        [reference_report(choice) for choice in examined.choices],
    )


def reference_report(choice: Choice) -> ReferenceReport:
    """A choice as text."""
    return ReferenceReport(
        choice.kind,
        printable(choice.namespace),
        printable(choice.name),
        printable(choice.source) or None,
        [printable(other) for other in choice.others],
    )


@lru_cache(maxsize=1024)
def verdict_report(verdict: Verdict | None) -> VerdictReport | None:
    """A verdict as text. Most VMs have one of a few verdicts, so their reports share it."""
    if verdict is None:
        return None
    return VerdictReport(
        verdict.live_migratable,
        verdict.reason,
        str(verdict.release),
        verdict.migration_method,
        [printable(reason) for reason in verdict.unproven],
        [printable(assumption) for assumption in verdict.assumptions],
        list(verdict.possible),
        _storage_report(verdict.storage),
    )


def _storage_report(storage: StorageVerdict | None) -> StorageVerdictReport | None:
    if storage is None:
        return None
    reason = NOT_MIGRATABLE if storage.live_migratable is False else None
    return StorageVerdictReport(storage.live_migratable, reason, list(storage.reasons), list(storage.possible))


def finding_report(
    decision: Decision,
    locate: Callable[[FieldPath], Span] | None = None,
    raw: Json = None,
    within: FieldPath = (),
) -> FindingReport:
    """A finding as text, with its place and its fixes for ``raw``. Its path begins with ``within``."""
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
        printable(dotted((*within, *finding.path))),
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


@cache
def _fixes_of() -> "Callable[[Finding, Json], Sequence[Fix]]":
    from webhook.fixes.register import fixes_of  # noqa: PLC0415 - a check without findings does not need it

    return fixes_of


def _fixes(finding: Finding, raw: Json) -> Iterator[FixReport]:
    """The fixes of a finding. A patch cannot escape characters, so a fix with an unprintable character is left out."""
    for fix in _fixes_of()(finding, raw):
        encoded = msgspec.json.encode([fix.title, fix.patch]).decode()
        if escaped(encoded) == encoded:
            yield FixReport(fix.title, fix.is_safe, list(fix.patch))


def exemption_report(exemption: Exemption) -> ExemptionReport:
    """An exemption as text."""
    return ExemptionReport(printable(exemption.reason), printable(exemption.owner), exemption.until)


def problem_report(problem: BadInput) -> ProblemReport:
    """A problem as printable text."""
    return ProblemReport(
        printable(problem.message),
        printable(problem.remedy),
        printable(problem.source),
        problem.document,
        problem.line,
        problem.column,
        printable(problem.path),
    )
