"""
Places of rendered objects in the repository: the kustomization or the template. Line numbers of the rendered output do not
apply to these files.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report, SourceReport


def with_templates(report: Report, rendered: Mapping[str, str]) -> Report:
    """
    The report in which each rendered object names its source. ``rendered`` maps the name of each rendered text to its source.
    """
    objects = [
        replace(judged, source=replace(judged.source, rendered_from=rendered[judged.source.file]))
        if judged.source is not None and judged.source.file in rendered
        else judged
        for judged in report.objects
    ]
    return replace(report, objects=objects)


def placed_in_repository(report: Report, rendered: Mapping[str, str]) -> Report:
    """
    The report for tools that show the repository. The place of a rendered object is its source, without a line.

    The messages of findings about such an object contain the line in the rendered output.
    """
    objects = [
        _placed(judged, judged.source) if judged.source is not None and judged.source.rendered_from else judged
        for judged in report.objects
    ]
    problems = [
        _without_line(problem, rendered[problem.file]) if problem.file in rendered else problem
        for problem in report.problems
    ]
    return replace(report, objects=objects, problems=problems)


def _placed(judged: ObjectReport, source: SourceReport) -> ObjectReport:
    findings = [
        replace(
            finding,
            line=None,
            column=None,
            end_line=None,
            end_column=None,
            message=f"{finding.message} ({_line(finding, source)} of the rendered output)",
        )
        for finding in judged.findings
    ]
    return replace(judged, source=replace(source, file=source.rendered_from), findings=findings)


def _line(finding: FindingReport, source: SourceReport) -> str:
    return f"line {finding.line or source.line}"


def _without_line(problem: ProblemReport, place: str) -> ProblemReport:
    line = f" (line {problem.line} of the rendered output)" if problem.line is not None else ""
    return replace(problem, file=place, line=None, column=None, message=f"{problem.message}{line}")
