"""The report in GitLab Code Quality format (the fields of Code Climate issues that GitLab reads)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

import msgspec

from webhook.policy.policy import Action
from webhook.report.fingerprint import fingerprinted
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, is_unproven, message, name_of, path_of, problem_message

Json: TypeAlias = dict[str, Any]


def render(report: Report) -> str:
    """An indented JSON list that ends with a newline."""
    issues = [_issue(judged, finding, prints.own) for judged, finding, prints in fingerprinted(report)]
    issues += [_unreadable(*fingerprint) for fingerprint in _fingerprinted(report.problems)]
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
        return {"path": path_of(judged), "lines": {"begin": 1}}
    path = file_of(judged.source.file)
    if judged.source.rendered_from and finding.line is None:  # GitLab requires a line
        return {"path": path, "lines": {"begin": 1}}
    if finding.line is None or finding.column is None:
        return {"path": path, "lines": {"begin": finding.line or max(judged.source.line, 1)}}
    begin = {"line": finding.line, "column": finding.column}
    if finding.end_line is None or finding.end_column is None:
        return {"path": path, "positions": {"begin": begin}}
    return {
        "path": path,
        "positions": {"begin": begin, "end": {"line": finding.end_line, "column": finding.end_column}},
    }


def _fingerprinted(problems: Sequence[ProblemReport]) -> Iterator[tuple[ProblemReport, str]]:
    """
    Each problem with a fingerprint. The fingerprint stays the same if other files, lines, or numbers in the message change.
    """
    seen: Counter[str] = Counter()
    for problem in problems:
        parts = (file_of(problem.file), problem.path, re.sub(r"\d+", "0", problem.message))
        identity = sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:32]
        seen[identity] += 1
        yield problem, f"unreadable:{identity}:{seen[identity]}"


def _unreadable(problem: ProblemReport, fingerprint: str) -> Json:
    file = file_of(problem.file)
    return {
        "type": "issue",
        "check_name": "unreadable-input",
        "description": problem_message(problem),
        "categories": ["Bug Risk"],
        "severity": "blocker",
        "fingerprint": fingerprint,
        "location": {"path": file, "lines": {"begin": problem.line or 1}},
    }
