"""
The report as GitHub Actions workflow commands, which become annotations of a pull request.

The runner ignores the columns of a place with several lines, so such a place is printed without columns. GitHub shows only
a few annotations for each step. To see all findings, also use ``sarif`` or ``markdown``.
"""

from collections.abc import Iterator

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, is_unproven, message, name_of, problem_message


def render(report: Report, *, omit_exempted: bool = False) -> str:
    """One line for each finding, problem and note."""
    lines = [
        _command(*_annotation(judged, finding))
        for judged in report.objects
        for finding in judged.findings
        if not (omit_exempted and finding.exemption is not None)
    ]
    lines += [_command("error", _place(problem), problem_message(problem)) for problem in report.problems]
    lines += [_command("notice", {}, note) for note in report.notes]
    return "".join(f"{line}\n" for line in lines)


def _annotation(judged: ObjectReport, finding: FindingReport) -> tuple[str, dict[str, str], str]:
    text = f"{name_of(judged)}" + (f", {finding.path}" if finding.path else "") + f"\n{message(finding)}"
    if reason := exempted(finding):
        text += f"\n{reason}"
    properties = {"title": f"{finding.rule} {finding.name}"} | dict(_where(judged, finding))
    return _level(finding), properties, text


def _level(finding: FindingReport) -> str:
    if finding.action == Action.DENY:
        return "error"
    return "warning" if finding.action == Action.WARN and not is_unproven(finding) else "notice"


def _where(judged: ObjectReport, finding: FindingReport) -> Iterator[tuple[str, str]]:
    if judged.source is None or judged.source.file in ("", "-"):
        return
    yield "file", file_of(judged.source.file)
    if judged.source.rendered_from and finding.line is None:
        return
    yield "line", str(finding.line or max(judged.source.line, 1))
    if finding.line is None or finding.end_line is None:
        return
    last = finding.end_line - 1 if finding.end_column == 1 and finding.end_line > finding.line else finding.end_line
    yield "endLine", str(last)
    if last == finding.line and finding.column is not None and finding.end_line == last:
        yield "col", str(finding.column)
        if finding.end_column is not None:
            yield "endColumn", str(finding.end_column)


def _place(problem: ProblemReport) -> dict[str, str]:
    place = {"title": "unreadable input"}
    if problem.file not in ("", "-"):
        place["file"] = file_of(problem.file)
        if problem.line is not None:
            place["line"] = str(problem.line)
    return place


def _command(level: str, properties: dict[str, str], text: str) -> str:
    pairs = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level}{' ' if pairs else ''}{pairs}::{_data(text)}"


def _data(text: str) -> str:
    """A message, escaped like in ``@actions/core``."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
