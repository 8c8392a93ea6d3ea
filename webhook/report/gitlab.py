"""The report in GitLab Code Quality format (the fields of Code Climate issues that GitLab reads)."""

from typing import Any, TypeAlias

import msgspec

from webhook.policy.policy import Action
from webhook.report.fingerprint import fingerprinted
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, is_unproven, message, name_of, problem_message

Json: TypeAlias = dict[str, Any]


def render(report: Report) -> str:
    """An indented JSON list that ends with a newline."""
    issues = [_issue(*fingerprint) for fingerprint in fingerprinted(report)]
    issues += [_unreadable(problem, at) for at, problem in enumerate(report.problems)]
    return msgspec.json.format(msgspec.json.encode(issues), indent=2).decode() + "\n"


def _issue(judged: ObjectReport, finding: FindingReport, fingerprint: str) -> Json:
    text = f"{name_of(judged)}: {message(finding)}"
    if reason := exempted(finding):
        text += f" ({reason})"
    return {
        "type": "issue",
        "check_name": finding.rule,
        "description": text.replace("\n", " "),
        "categories": ["Compatibility"],
        "severity": _severity(finding),
        "fingerprint": fingerprint,
        "location": _location(judged, finding),
    }


def _severity(finding: FindingReport) -> str:
    if finding.action == Action.DENY:
        return "critical"
    if finding.action == Action.WARN:
        return "minor" if is_unproven(finding) else "major"
    return "info"


def _location(judged: ObjectReport, finding: FindingReport) -> Json:
    if judged.source is None:
        return {"path": "request", "lines": {"begin": 1}}
    path = file_of(judged.source.file)
    if finding.line is None or finding.column is None:
        return {"path": path, "lines": {"begin": finding.line or max(judged.source.line, 1)}}
    begin = {"line": finding.line, "column": finding.column}
    if finding.end_line is None or finding.end_column is None:
        return {"path": path, "positions": {"begin": begin}}
    return {
        "path": path,
        "positions": {"begin": begin, "end": {"line": finding.end_line, "column": finding.end_column}},
    }


def _unreadable(problem: ProblemReport, at: int) -> Json:
    file = file_of(problem.file)
    return {
        "type": "issue",
        "check_name": "unreadable-input",
        "description": problem_message(problem),
        "categories": ["Bug Risk"],
        "severity": "blocker",
        "fingerprint": f"unreadable:{file}:{at}",
        "location": {"path": file, "lines": {"begin": problem.line or 1}},
    }
