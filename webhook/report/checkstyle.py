"""
The report as Checkstyle XML (``checkstyle version="4.3"``), which Jenkins, reviewdog and many other readers accept.

``source`` is ``migratable.`` followed by the rule id. A denied finding has severity ``error``, a warning ``warning``, and
every other finding ``info``.
"""

import xml.etree.ElementTree as Xml

from webhook.policy.policy import Action
from webhook.report.junit import legal
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import exempted, file_of, is_unproven, message, name_of, path_of, problem_message

VERSION = "4.3"


def render(report: Report) -> str:
    """An XML document that ends with a newline."""
    files: dict[str, list[Xml.Element]] = {}
    for judged in report.objects:
        for finding in judged.findings:
            files.setdefault(path_of(judged), []).append(_error(judged, finding))
    for problem in report.problems:
        files.setdefault(file_of(problem.file), []).append(_unreadable(problem))
    root = Xml.Element("checkstyle", {"version": VERSION})
    for file, errors in files.items():
        Xml.SubElement(root, "file", {"name": legal(file)}).extend(errors)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _error(judged: ObjectReport, finding: FindingReport) -> Xml.Element:
    line = finding.line or (max(judged.source.line, 1) if judged.source is not None else 1)
    if judged.source is not None and judged.source.rendered_from:
        line = finding.line or 1  # readers require a line; the message names the line in the rendered output
    text = f"{name_of(judged)}: {message(finding)}"
    if reason := exempted(finding):
        text += f"\n{reason}"
    return _element(line, finding.column, severity_of(finding), text, finding.rule)


def severity_of(finding: FindingReport) -> str:
    """``error``, ``warning`` or ``info``."""
    if finding.action == Action.DENY:
        return "error"
    return "warning" if finding.action == Action.WARN and not is_unproven(finding) else "info"


def _unreadable(problem: ProblemReport) -> Xml.Element:
    return _element(problem.line or 1, problem.column, "error", problem_message(problem), "unreadable-input")


def _element(line: int, column: int | None, severity: str, text: str, source: str) -> Xml.Element:
    place = {"line": str(line)} | ({"column": str(column)} if column is not None else {})
    return Xml.Element(
        "error", place | {"severity": severity, "message": legal(text), "source": f"migratable.{source}"}
    )
