"""The report with one line for each finding and problem: place, action, rule, object and message."""

from webhook.report.model import FindingReport, ObjectReport, Report
from webhook.report.sentences import exempted, name_of, place_of, place_of_problem, problem_message


def render(report: Report) -> str:
    """Lines such as ``vm.yaml:8:9: deny LM101 bridge-on-pod-network: VirtualMachine web: interface …``."""
    lines = [_line(judged, finding) for judged in report.objects for finding in judged.findings]
    lines += [f"{place_of_problem(problem)}: error: {problem_message(problem)}" for problem in report.problems]
    return "".join(f"{' '.join(line.splitlines())}\n" for line in lines)


def _line(judged: ObjectReport, finding: FindingReport) -> str:
    place = f"{place_of(judged, finding)}: " if judged.source is not None else ""
    unproven = " (unproven)" if finding.outcome == "undetermined" else ""
    reason = exempted(finding)
    kind = "exempted" if reason else finding.action
    end = f" ({reason})" if reason else ""
    return f"{place}{kind} {finding.rule} {finding.name}{unproven}: {name_of(judged)}: {finding.message}{end}"
