"""The report as Markdown for the summary of a CI job: counts, findings, exemptions, and unreadable input."""

import re
from collections.abc import Iterable, Iterator, Sequence

from webhook.report import text
from webhook.report.audited import AuditReport
from webhook.report.model import FindingReport, ObjectReport, Report
from webhook.report.sentences import is_unproven, name_of, place_of, place_of_problem, problem_message

MAX_ROWS = 500
"""The maximum number of rows in one table. GitHub accepts summaries of at most 1 MiB."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@!])")
_LINK = re.compile(r"(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def render(report: Report, *, by: str = "reason") -> str:
    """A Markdown section with a heading and a final newline. ``by`` is the grouping for the report of an audit."""
    return "\n".join(_lines(report, by)) + "\n"


def _lines(report: Report, by: str) -> Iterator[str]:
    yield f"## Migratable: {text.summary(report)}"
    yield ""
    yield f"KubeVirt release: {cell(report.release)}. Profile: {cell(report.profile)}."
    head, commands, remarks = _audit_parts(report, by)
    yield from head
    findings = [(judged, finding) for judged in report.objects for finding in judged.findings]
    live = [(judged, finding) for judged, finding in findings if finding.exemption is None]
    if live:
        yield from _findings(live, has_places=not isinstance(report, AuditReport))
    yield from commands
    exempt = [(judged, finding) for judged, finding in findings if finding.exemption is not None]
    if exempt:
        yield from ("", "### Exempted")
        yield from table(
            ("Rule", "Object", "Problem", "Reason", "Owner", "Until"),
            (
                (_rule(f), _object(o, f), f.message, f.exemption.reason, f.exemption.owner, f.exemption.until)
                for o, f in exempt
                if f.exemption is not None
            ),
            len(exempt),
        )
    if report.problems:
        yield from ("", "### Unreadable input")
        problems = ((place_of_problem(problem), problem_message(problem)) for problem in report.problems)
        yield from table(("Where", "Error and fix"), problems, len(report.problems))
    yield from remarks
    for note in report.notes:
        yield from ("", f"Note: {cell(note)}.")


def _audit_parts(report: Report, by: str) -> tuple[Iterable[str], Iterable[str], Iterable[str]]:
    """The parts that only the report of an audit has: before the findings, after them, and at the end."""
    if not isinstance(report, AuditReport):
        return (), (), ()
    from webhook.report import audit_markdown  # noqa: PLC0415 - imports this module

    return audit_markdown.head(report, by), audit_markdown.commands(report), audit_markdown.remarks(report)


def _findings(live: Sequence[tuple[ObjectReport, FindingReport]], *, has_places: bool) -> Iterator[str]:
    """Findings without an exemption. The objects of a cluster have no place in a file."""
    if has_places:
        rows = ((_action(f), _rule(f), _object(o, f), place_of(o, f), f.message, f.remedy) for o, f in live)
        yield from table(("", "Rule", "Object", "Where", "Problem", "How to fix it"), rows, len(live))
    else:
        short = ((_action(f), _rule(f), _object(o, f), f.message, f.remedy) for o, f in live)
        yield from table(("", "Rule", "Object", "Problem", "How to fix it"), short, len(live))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], total: int) -> Iterator[str]:
    """A table with at most ``MAX_ROWS`` of ``total`` rows."""
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for at, row in enumerate(rows):
        if at == MAX_ROWS:
            yield from ("", f"and {total - MAX_ROWS} more")
            return
        yield f"| {' | '.join(map(cell, row))} |"


def _action(finding: FindingReport) -> str:
    return "unproven" if is_unproven(finding) else finding.action


def _rule(finding: FindingReport) -> str:
    return f"{finding.rule} {finding.name}"


def _object(judged: ObjectReport, finding: FindingReport) -> str:
    return f"{name_of(judged)} {finding.path}".rstrip()


def cell(content: str) -> str:
    """Text, escaped so that Markdown does not read it as markup, a link or the end of a cell."""
    line = "".join(char if char.isprintable() else " " for char in content)
    return _LINK.sub(lambda match: f"\\{match[0]}", _SPECIAL.sub(r"\\\1", line))
