"""
Exempts findings of a report by comments in the manifests. This file does no I/O.

An exempted finding stays in the report, with its reason, and is counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from msgspec.structs import replace

from webhook.policy.exemptions import WARNING_DAYS
from webhook.policy.policy import Action, Exemption, Policy, PolicySubject
from webhook.report.model import ExemptionReport, FindingReport, ObjectReport, Report, summarise
from webhook.report.printable import printable
from webhook.report.rule_names import find_rule, hint
from webhook.report.sentences import name_of

R = TypeVar("R", bound=Report)
_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*migratable:\s*(.*?)\s*$")
_ALLOW = re.compile(
    r"allow\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)(?:\s+until\s+(?P<until>\S+?))?\s*(?::\s*(?P<reason>.*))?"
)
_ONLY_COMMENT = re.compile(r"\s*#")
_PATTERN = re.compile(r"[*?\[\]^$|]")
"""Pattern characters. No object name contains them."""
FORM = "# migratable: allow RULE [until YYYY-MM-DD]: REASON"


@dataclass(slots=True)
class Allowance:
    """
    A comment that exempts findings of some rules.

    It exempts findings on its line or the next line, and in an object that starts there. It also exempts findings whose lines
    contain it.
    """

    rules: tuple[str, ...]
    reason: str
    until: str
    line: int
    used: bool = False
    lines: tuple[int, int] | None = None
    """The first and last line of the exempted findings, if the comment is inside these lines."""


@dataclass(slots=True)
class Comments:
    """The allowances in one file, by the line to which they apply."""

    file: str
    by_line: dict[int, list[Allowance]] = field(default_factory=dict)
    invalid: list[str] = field(default_factory=list)

    def for_line(self, line: int, rule: str) -> Allowance | None:
        """The allowance for findings of a rule that start on ``line``."""
        return next((allowance for allowance in self.by_line.get(line, ()) if rule in allowance.rules), None)

    @property
    def notes(self) -> Iterator[str]:
        """Notes on invalid comments, and on comments without effect."""
        yield from self.invalid
        noted: set[int] = set()
        for allowances in self.by_line.values():
            for allowance in allowances:
                if not allowance.used and allowance.line not in noted:
                    noted.add(allowance.line)
                    rules = ", ".join(allowance.rules)
                    yield f"{self.file}:{allowance.line}: this comment exempts nothing: there is no finding of {rules} here"


def comments_in(lines: Sequence[str], file: str, today: str) -> Comments:
    """The allowances in the lines of a file. An invalid or expired allowance becomes a note."""
    comments = Comments(file)
    for at, text in enumerate(lines):
        if "migratable:" not in text or (comment := _COMMENT.search(text)) is None:
            continue
        allowance = _allowance(comment[1], at + 1, comments, today)
        if allowance is not None:
            comments.by_line.setdefault(_target(lines, at), []).append(allowance)
    return comments


def _target(lines: Sequence[str], at: int) -> int:
    """The line (from 1) to which a comment applies: its own line, or the next line with content."""
    while at < len(lines) - 1 and (_ONLY_COMMENT.match(lines[at]) or not lines[at].strip()):
        at += 1
    return at + 1


def _allowance(text: str, line: int, comments: Comments, today: str) -> Allowance | None:
    prefix = f"{comments.file}:{line}: this comment exempts nothing:"
    match = _ALLOW.fullmatch(text)
    if match is None:
        comments.invalid.append(f"{prefix} invalid form; write {FORM}")
        return None
    return allowance_of(match, line, prefix, FORM, comments.invalid, today)


def allowance_of(
    match: re.Match[str], line: int, prefix: str, form: str, invalid: list[str], today: str
) -> Allowance | None:
    """
    The allowance with the groups ``rules``, ``reason`` and ``until`` of ``match``. If the comment has no effect, the result is
    None, and a note is added to ``invalid``.
    """
    rules = []
    for word in re.split(r"\s*,\s*", match["rules"]):
        rule = find_rule(word)
        if rule is None:
            invalid.append(f"{prefix} unknown rule {word!r}{hint(word)}")
        else:
            rules.append(rule)
    until = match["until"] or ""
    if not (match["reason"] or "").strip():
        invalid.append(f"{prefix} the reason is missing; write {form}")
    elif until and not _is_date(until):
        invalid.append(f"{prefix} invalid date {until!r}; write YYYY-MM-DD")
    elif until and until < today:
        invalid.append(f"{prefix} it expired on {until}")
    elif rules:
        return Allowance(tuple(rules), printable(match["reason"].strip()), until, line)
    return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def with_expiry_notes(report: R, exemptions: Sequence[Exemption], today: str) -> R:
    """The report with notes on its exemptions that have expired or expire soon."""
    return with_objects(report, report.objects, _expiry_notes(report, exemptions, today))


def _expiry_notes(report: Report, exemptions: Sequence[Exemption], today: str) -> Iterator[str]:
    """A note for all exemptions with the same rule, owner, reason and last day: one file can exempt thousands of VMs."""
    soon = (date.fromisoformat(today) + timedelta(days=WARNING_DAYS)).isoformat()
    expiring = [exemption for exemption in exemptions if exemption.until <= soon]
    covered: dict[tuple[str, ...], list[str]] = {_terms(exemption): [] for exemption in expiring}
    policy = Policy(exemptions=expiring)
    for judged in report.objects if expiring else ():
        matching = policy.exemptions_about(PolicySubject(judged.kind, judged.namespace, judged.name))
        for finding in judged.findings:
            rule = finding.rule, finding.name
            for terms in {_terms(one) for one in matching if _matches(one, rule, judged)}:
                covered[terms].append(f"{finding.rule} for {name_of(judged)}")
    for (_, owner, reason, until), names in covered.items():
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            expiry = f"expired on {until}" if until < today else f"expires after {until}"
            conditions = f"owner: {printable(owner)}, reason: {printable(reason)}"
            yield f"the exemption of {names[0]}{more} {expiry} ({conditions})"


def _terms(exemption: Exemption) -> tuple[str, str, str, str]:
    return exemption.rule, exemption.owner, exemption.reason, exemption.until


def _matches(exemption: Exemption, rule: tuple[str, str], judged: ObjectReport) -> bool:
    return exemption.matches(rule, judged.kind, judged.namespace, judged.name)


def unused_exemptions(report: Report, exemptions: Sequence[Exemption], *, is_whole: bool) -> Iterator[str]:
    """
    A note for each exemption that covers no finding of the report.

    If ``is_whole`` is false, the report covers only a part of the files. Then a note is made only for a name that no object can
    have.
    """
    used = _used(report, exemptions) if is_whole else set()
    for exemption in exemptions:
        names = [name for name in (exemption.namespace, exemption.name) if name and _PATTERN.search(name)]
        if names or (is_whole and exemption not in used):
            parts = [part for part in (exemption.kind, exemption.namespace, exemption.name) if part]
            subject = f"{exemption.rule}{' for ' + ' '.join(parts) if parts else ''}"
            reason = (
                f"{names[0]!r} is compared literally; patterns are not supported"
                if names
                else "there is no such finding"
            )
            yield printable(f"the exemption of {subject} (owner: {exemption.owner}) exempts nothing: {reason}")


def _used(report: Report, exemptions: Sequence[Exemption]) -> set[Exemption]:
    """The exemptions that cover a finding, regardless of their expiry."""
    used: set[Exemption] = set()
    policy = Policy(exemptions=list(exemptions))
    for judged in report.objects if exemptions else ():
        if judged.findings:
            matching = policy.exemptions_about(PolicySubject(judged.kind, judged.namespace, judged.name))
            for finding in judged.findings:
                rule = finding.rule, finding.name
                used.update(one for one in matching if _matches(one, rule, judged))
    return used


def exempt_by_comments(report: Report, comments: Mapping[str, Comments]) -> Report:
    """The report, with findings exempted by comments. Notes name invalid and unused comments."""
    if not comments:
        return report
    objects = [
        _with_comments(judged, comments.get(judged.source.file)) if judged.source else judged
        for judged in report.objects
    ]
    notes = [note for file in comments.values() for note in file.notes]
    return with_objects(report, objects, notes)


def _with_comments(judged: ObjectReport, comments: Comments | None) -> ObjectReport:
    if comments is None or judged.source is None:
        return judged
    findings = [_with_allowance(finding, judged.source.line, comments) for finding in judged.findings]
    for at in sorted(range(len(findings)), key=lambda at: _line_count(findings[at])):
        findings[at] = _with_inner_allowance(findings[at], comments)
    return replace(judged, findings=findings)


def _with_allowance(finding: FindingReport, first_line: int, comments: Comments) -> FindingReport:
    if finding.exemption is not None:
        return finding
    for line in (finding.line, first_line):
        allowance = comments.for_line(line, finding.rule) if line is not None else None
        if allowance is not None:
            return _exempted_by(allowance, finding, comments)
    return finding


def _line_count(finding: FindingReport) -> int:
    return (finding.end_line or 0) - (finding.line or 0)


def _with_inner_allowance(finding: FindingReport, comments: Comments) -> FindingReport:
    """Exempts a finding by a comment inside it, unless a smaller finding has used the comment."""
    if finding.exemption is not None or finding.line is None or finding.end_line is None:
        return finding
    lines = finding.line, finding.end_line
    for line, allowances in comments.by_line.items():
        if lines[0] < line <= lines[1]:
            for allowance in allowances:
                if finding.rule in allowance.rules and (not allowance.used or allowance.lines == lines):
                    allowance.lines = lines
                    return _exempted_by(allowance, finding, comments)
    return finding


def _exempted_by(allowance: Allowance, finding: FindingReport, comments: Comments) -> FindingReport:
    allowance.used = True
    owner = f"{comments.file}:{allowance.line}"
    return exempted_finding(finding, ExemptionReport(allowance.reason, owner, allowance.until, "comment"))


def exempted_finding(finding: FindingReport, exemption: ExemptionReport) -> FindingReport:
    """The finding with the exemption. The action of the finding becomes audit."""
    return replace(finding, action=Action.AUDIT.value, exemption=exemption)


def with_objects(report: R, objects: Sequence[ObjectReport], notes: Iterable[str] = ()) -> R:
    """The report with other objects, new counts and further notes."""
    return replace(report, objects=objects, notes=[*report.notes, *notes], summary=summarise(objects, report.problems))
