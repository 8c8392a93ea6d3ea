"""The sentences that all machine formats share."""

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, ProblemReport


def sentence(text: str) -> str:
    """With a full stop, unless it is a question; otherwise as it is: field names keep their small first letter."""
    return text if text.endswith("?") else text.removesuffix(".") + "."


def message(finding: FindingReport) -> str:
    """What is wrong and, on a second line, what to write instead: many viewers show nothing but this."""
    if finding.outcome == "undetermined":
        said = sentence(f"Cannot tell yet: {finding.message}")
        return f"{said}\n{sentence(f'To settle it: {finding.remedy}')}" if finding.remedy else said
    said = sentence(finding.message)
    return f"{said}\n{sentence(finding.remedy)}" if finding.remedy else said


def problem_message(problem: ProblemReport) -> str:
    """What could not be read, of which field if that is known, and what to do about it."""
    field = f"{problem.path}: " if problem.path else ""
    return f"{field}{sentence(problem.message)} {problem.remedy}".strip()


def place_of_problem(problem: ProblemReport) -> str:
    """``vm.yaml:15:9``; the document, where no line is known of it."""
    file = file_of(problem.file)
    if problem.line is None:
        return f"{file} (document {problem.document + 1})" if problem.document else file
    return f"{file}:{problem.line}" + (f":{problem.column}" if problem.column is not None else "")


def name_of(judged: ObjectReport) -> str:
    """``VirtualMachine tenant/web``; a namespace is never taken for the name."""
    name = judged.name or "(no name)"
    return f"{judged.kind} {judged.namespace}/{name}" if judged.namespace else f"{judged.kind} {name}"


def exempted(finding: FindingReport) -> str:
    """Who answers for the finding and why; empty where nobody does."""
    exemption = finding.exemption
    if exemption is None:
        return ""
    if exemption.kind == "baseline":
        return f"in the baseline {exemption.owner}"
    until = f" until {exemption.until}" if exemption.until else ""
    return f"exempted{until} by {exemption.owner}: {exemption.reason}"


def is_unproven(finding: FindingReport) -> bool:
    """Whether it says only what could not be found out, and nothing is denied for it."""
    return finding.outcome == "undetermined" and finding.action != Action.DENY


def file_of(name: str) -> str:
    """The file as viewers look for it: without ``./``; standard input by that name."""
    return "stdin" if name in ("", "-") else name.removeprefix("./")


def place_of(judged: ObjectReport, finding: FindingReport | None = None) -> str:
    """``vm.yaml:15:9``; the object's own line where the finding has none, empty without a file."""
    if judged.source is None:
        return ""
    file = file_of(judged.source.file)
    if finding is None or finding.line is None:
        return f"{file}:{max(judged.source.line, 1)}"
    return f"{file}:{finding.line}" + (f":{finding.column}" if finding.column is not None else "")
