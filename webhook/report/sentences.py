"""Sentences and names that several formats share."""

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, ProblemReport


def sentence(text: str) -> str:
    """
    The text with a full stop, unless it is a question. The first letter does not change, because the first word can be a
    field name.
    """
    return text if text.endswith("?") else text.removesuffix(".") + "."


def message(finding: FindingReport) -> str:
    """The message and, on a second line, the remedy. Many viewers show only this text."""
    if finding.outcome == "undetermined":
        first = sentence(f"Cannot tell yet: {finding.message}")
        return f"{first}\n{sentence(f'To settle it: {finding.remedy}')}" if finding.remedy else first
    first = sentence(finding.message)
    return f"{first}\n{sentence(finding.remedy)}" if finding.remedy else first


def problem_message(problem: ProblemReport) -> str:
    """Why input is unreadable: the field if it is known, the error, and the remedy."""
    field = f"{problem.path}: " if problem.path else ""
    return f"{field}{sentence(problem.message)} {problem.remedy}".strip()


def place_of_problem(problem: ProblemReport) -> str:
    """The place of a problem: ``vm.yaml:15:9``, or the document number if the line is unknown."""
    file = file_of(problem.file)
    if problem.line is None:
        return f"{file} (document {problem.document + 1})" if problem.document else file
    return f"{file}:{problem.line}" + (f":{problem.column}" if problem.column is not None else "")


def name_of(judged: ObjectReport) -> str:
    """The name of an object: ``VirtualMachine tenant/web``."""
    name = judged.name or "(no name)"
    return f"{judged.kind} {judged.namespace}/{name}" if judged.namespace else f"{judged.kind} {name}"


def exempted(finding: FindingReport) -> str:
    """The exemption of a finding as a phrase. The phrase is empty if the finding has no exemption."""
    exemption = finding.exemption
    if exemption is None:
        return ""
    if exemption.kind == "baseline":
        return f"in the baseline {exemption.owner}"
    until = f" until {exemption.until}" if exemption.until else ""
    return f"exempted{until} by {exemption.owner}: {exemption.reason}"


def is_unproven(finding: FindingReport) -> bool:
    """Whether the finding is undetermined and not denied."""
    return finding.outcome == "undetermined" and finding.action != Action.DENY


def file_of(name: str) -> str:
    """The file name for viewers: without ``./``, and ``stdin`` for standard input."""
    return "stdin" if name in ("", "-") else name.removeprefix("./")


def path_of(judged: ObjectReport) -> str:
    """
    The path of an object for readers that require one: the file, or ``VirtualMachine/tenant/web`` for an object without a file.
    """
    if judged.source is not None:
        return file_of(judged.source.file)
    return "/".join(part for part in (judged.kind, judged.namespace, judged.name or "(no name)") if part)


def place_of(judged: ObjectReport, finding: FindingReport | None = None) -> str:
    """
    The place of a finding: ``vm.yaml:15:9``.

    If the finding has no line, the object's line is used. If there is no file, the result is empty.
    """
    if judged.source is None:
        return ""
    file = file_of(judged.source.file)
    has_line = finding is not None and finding.line is not None
    if judged.source.rendered_from == judged.source.file and not has_line:  # the origin is unknown
        return file
    if finding is None or finding.line is None:
        return f"{file}:{max(judged.source.line, 1)}"
    return f"{file}:{finding.line}" + (f":{finding.column}" if finding.column is not None else "")
