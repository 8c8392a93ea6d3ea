"""
The report in the Reviewdog Diagnostic Format (``rdjson``), for reviewdog.

In this format, columns count UTF-8 bytes, so they are computed from the text of the file. Without the text, columns are left
out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.report.checkstyle import severity_of
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, message, name_of, path_of, problem_message
from webhook.rules.register import RULES

Json: TypeAlias = dict[str, Any]


def render(report: Report, lines: Mapping[str, Sequence[str]]) -> str:
    """An indented JSON object that ends with a newline. ``lines`` contains the lines of each file."""
    pages = {rule.id: rule.reference for rule in RULES}
    diagnostics = [
        _diagnostic(judged, finding, lines, pages.get(finding.rule, ""))
        for judged in report.objects
        for finding in judged.findings
    ]
    diagnostics += [_unreadable(problem) for problem in report.problems]
    document = {"source": {"name": "migratable"}, "diagnostics": diagnostics}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _diagnostic(judged: ObjectReport, finding: FindingReport, lines: Mapping[str, Sequence[str]], page: str) -> Json:
    text = f"{name_of(judged)}: {message(finding)}"
    if reason := exempted(finding):
        text += f"\n{reason}"
    return {
        "message": text,
        "location": _location(judged, finding, lines),
        "severity": severity_of(finding).upper(),
        "code": {"value": finding.rule, **({"url": page} if page else {})},
    }


def _location(judged: ObjectReport, finding: FindingReport, lines: Mapping[str, Sequence[str]]) -> Json:
    if judged.source is None:
        return {"path": path_of(judged)}
    file = judged.source.file
    if judged.source.rendered_from and finding.line is None:
        return {"path": file_of(file)}
    start = _position(finding.line or max(judged.source.line, 1), finding.column, lines.get(file, ()))
    if finding.end_line is None or finding.end_column is None or "column" not in start:
        return {"path": file_of(file), "range": {"start": start}}
    end = _position(finding.end_line, finding.end_column, lines.get(file, ()))
    return {"path": file_of(file), "range": {"start": start, "end": end}}


def _position(line: int, column: int | None, lines: Sequence[str]) -> Json:
    if column is None or (line > len(lines) and column > 1) or not lines:
        return {"line": line}
    before = lines[line - 1][: column - 1] if column > 1 else ""
    return {"line": line, "column": len(before.encode(errors="replace")) + 1}


def _unreadable(problem: ProblemReport) -> Json:
    location: Json = {"path": file_of(problem.file)}
    if problem.line is not None:
        location["range"] = {"start": {"line": problem.line}}
    return {
        "message": problem_message(problem),
        "location": location,
        "severity": "ERROR",
        "code": {"value": "unreadable-input"},
    }
