"""
Exempts findings of an answer: by comments in the manifests, and by a baseline.

Nothing is left out: an exempted finding is recorded with its reason, and counted. This file does no I/O.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from msgspec.structs import replace

from webhook.policy.policy import Action, Exemption
from webhook.report.model import ExemptionReport, FindingReport, ObjectReport, Report, summarise
from webhook.report.printable import printable
from webhook.report.rule_names import find_rule, hint
from webhook.report.sentences import name_of

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*migratable:\s*(.*?)\s*$")
_ALLOW = re.compile(
    r"allow\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)(?:\s+until\s+(?P<until>\S+?))?\s*(?::\s*(?P<reason>.*))?"
)
_ONLY_COMMENT = re.compile(r"\s*#")
SOON = 14
"""Days before an exemption expires in which it is announced."""
FORM = "# migratable: allow RULE [until YYYY-MM-DD]: REASON"


@dataclass(slots=True)
class Allowance:
    """A comment that exempts findings of some rules on its line, below it, or of the object that it stands above."""

    rules: tuple[str, ...]
    reason: str
    until: str
    line: int
    used: bool = False


@dataclass(slots=True)
class Comments:
    """The allowances in one file, by the lines that they are about."""

    file: str
    by_line: dict[int, list[Allowance]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def about(self, line: int, rule: str) -> Allowance | None:
        """The allowance for findings of a rule that begin on ``line``."""
        return next((each for each in self.by_line.get(line, ()) if rule in each.rules), None)

    @property
    def notes(self) -> Iterator[str]:
        """What somebody should know about the comments: wrong ones, and ones that exempted nothing."""
        yield from self.wrong
        told: set[int] = set()
        for allowances in self.by_line.values():
            for each in allowances:
                if not each.used and each.line not in told:
                    told.add(each.line)
                    rules = ", ".join(each.rules)
                    yield f"{self.file}:{each.line}: this comment exempts nothing: there is no finding of {rules} here"


def comments_in(lines: Sequence[str], file: str, today: str) -> Comments:
    """The allowances in a file's lines; one that has expired, has no reason or names no rule is reported instead."""
    found = Comments(file)
    for at, text in enumerate(lines):
        if "migratable:" not in text or (comment := _COMMENT.search(text)) is None:
            continue
        allowance = _allowance(comment[1], at + 1, found, today)
        if allowance is not None:
            found.by_line.setdefault(_target(lines, at), []).append(allowance)
    return found


def _target(lines: Sequence[str], at: int) -> int:
    """The line (from 1) that a comment is about: its own, or the next one that is not only a comment or empty."""
    while at < len(lines) - 1 and (_ONLY_COMMENT.match(lines[at]) or not lines[at].strip()):
        at += 1
    return at + 1


def _allowance(written: str, line: int, found: Comments, today: str) -> Allowance | None:
    told = f"{found.file}:{line}: this comment exempts nothing:"
    read = _ALLOW.fullmatch(written)
    if read is None:
        found.wrong.append(f"{told} invalid form; write {FORM}")
        return None
    rules = []
    for word in re.split(r"\s*,\s*", read["rules"]):
        rule = find_rule(word)
        if rule is None:
            found.wrong.append(f"{told} unknown rule {word!r}{hint(word)}")
        else:
            rules.append(rule)
    until = read["until"] or ""
    if not (read["reason"] or "").strip():
        found.wrong.append(f"{told} the reason is missing; write {FORM}")
    elif until and not _is_date(until):
        found.wrong.append(f"{told} invalid date {until!r}; write YYYY-MM-DD")
    elif until and until < today:
        found.wrong.append(f"{told} it expired on {until}")
    elif rules:
        return Allowance(tuple(rules), printable(read["reason"].strip()), until, line)
    return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def warn_of_lapses(report: Report, exemptions: Sequence[Exemption], today: str) -> Report:
    """The answer with notes about exemptions that expired or expire soon and have findings here."""
    return with_objects(report, report.objects, _lapses(report, exemptions, today))


def _lapses(report: Report, exemptions: Sequence[Exemption], today: str) -> Iterator[str]:
    soon = (date.fromisoformat(today) + timedelta(days=SOON)).isoformat()
    for each in exemptions:
        if each.until > soon:
            continue
        covered = [
            (judged, found) for judged in report.objects for found in judged.findings if _covers(each, judged, found)
        ]
        if covered:
            judged, finding = covered[0]
            more = f" and {len(covered) - 1} more" if len(covered) > 1 else ""
            when = f"expired on {each.until}" if each.until < today else f"expires after {each.until}"
            whom = f"{finding.rule} for {name_of(judged)}{more}"
            yield f"the exemption of {whom} {when} (owner: {printable(each.owner)}, reason: {printable(each.reason)})"


def _covers(exemption: Exemption, judged: ObjectReport, finding: FindingReport) -> bool:
    return (
        exemption.rule in (finding.rule, finding.name)
        and exemption.namespace in (None, judged.namespace)
        and exemption.name in (None, judged.name)
        and exemption.kind in (None, judged.kind)
    )


def exempt_by_comments(report: Report, comments: Mapping[str, Comments]) -> Report:
    """The answer in which findings beside a comment are exempted; notes tell of comments that are wrong or unused."""
    if not comments:
        return report
    objects = [_commented(each, comments.get(each.source.file)) if each.source else each for each in report.objects]
    notes = [note for each in comments.values() for note in each.notes]
    return with_objects(report, objects, notes)


def _commented(judged: ObjectReport, comments: Comments | None) -> ObjectReport:
    if comments is None or judged.source is None:
        return judged
    return replace(judged, findings=[_allowed(each, judged.source.line, comments) for each in judged.findings])


def _allowed(finding: FindingReport, first_line: int, comments: Comments) -> FindingReport:
    if finding.exemption is not None:
        return finding
    for line in (finding.line, first_line):
        allowance = comments.about(line, finding.rule) if line is not None else None
        if allowance is not None:
            allowance.used = True
            owner = f"{comments.file}:{allowance.line}"
            return exempted_finding(finding, ExemptionReport(allowance.reason, owner, allowance.until, "comment"))
    return finding


def exempted_finding(finding: FindingReport, exemption: ExemptionReport) -> FindingReport:
    """The finding, recorded and no more."""
    return replace(finding, action=Action.AUDIT.value, exemption=exemption)


def with_objects(report: Report, objects: Sequence[ObjectReport], notes: Iterable[str] = ()) -> Report:
    """The answer with other objects, counted anew, and further notes."""
    listed = list(objects)
    return replace(report, objects=listed, notes=[*report.notes, *notes], summary=summarise(listed, report.problems))
