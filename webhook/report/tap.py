"""
The report in the Test Anything Protocol, version 13, which readers of version 14 also accept.

Each finding is a test point, and each object without findings is also a test point. A denied finding is ``not ok``. A
warning is ``not ok`` with TODO, which does not fail the run. An unproven or exempted finding is SKIP, with the reason.
"""

from collections.abc import Iterator

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, is_unproven, message, name_of, place_of, problem_message
from webhook.yaml import writer


def render(report: Report) -> str:
    """The whole stream: version, plan, and numbered test points."""
    points = [point for judged in report.objects for point in _points(judged)]
    points += [_unreadable(problem) for problem in report.problems]
    plan = f"1..{len(points)}" + ("" if points else " # SKIP no objects to judge")
    lines = ["TAP version 13", plan]
    for number, (ok, title, directive, details) in enumerate(points, 1):
        lines.append(f"{ok} {number} - {_title(title)}" + (f" # {_line(directive)}" if directive else ""))
        if details:
            lines += ["  ---", *(f"  {line}" for line in writer.dump(details).splitlines()), "  ..."]
    lines += [f"# {_line(note)}" for note in report.notes]
    return "\n".join(lines) + "\n"


_Point = tuple[str, str, str, "dict[str, writer.Plain]"]


def _points(judged: ObjectReport) -> Iterator[_Point]:
    if not judged.findings:
        yield "ok", f"{name_of(judged)} {place_of(judged)}".rstrip(), "", {}
    for finding in judged.findings:
        title = f"{finding.rule} {finding.name}, {name_of(judged)} {finding.path}".rstrip()
        details: dict[str, writer.Plain] = {
            "message": message(finding),
            "severity": "fail" if finding.action == Action.DENY else "comment",
        }
        if place := place_of(judged, finding):
            details["at"] = place
        ok, directive = _outcome(finding)
        yield ok, title, directive, details


def _outcome(finding: FindingReport) -> tuple[str, str]:
    if reason := exempted(finding):
        return "ok", f"SKIP {reason}"
    if finding.action == Action.DENY:
        return "not ok", ""
    if is_unproven(finding):
        return "ok", "SKIP unproven"
    return "not ok", "TODO a warning" if finding.action == Action.WARN else "TODO noted"


def _unreadable(problem: ProblemReport) -> _Point:
    details: dict[str, writer.Plain] = {
        "message": problem_message(problem),
        "severity": "fail",
        "at": file_of(problem.file) + (f":{problem.line}" if problem.line is not None else ""),
    }
    return "not ok", f"{file_of(problem.file)} can be read", "", details


def _title(text: str) -> str:
    """A title without ``#``, so that a name cannot look like a directive."""
    return _line(text).replace("#", "\\u0023")


def _line(text: str) -> str:
    """The text on one line, with unprintable characters escaped."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
