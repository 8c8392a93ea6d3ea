"""
Places of rendered objects in the repository: the origin of the field if it is known, otherwise the kustomization or the
template. Line numbers of the rendered output do not apply to these files.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report


class Origin(msgspec.Struct, frozen=True):
    """A place in a file of the repository that a rendered field comes from. The end is exclusive."""

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


FindOrigin: TypeAlias = Callable[[str, int, FindingReport], Origin | None]
"""Returns the origin of a finding in a rendered text, by the name of the text and the number of the document."""


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


def placed_in_repository(report: Report, rendered: Mapping[str, str], find: FindOrigin) -> Report:
    """
    The report for tools that show the repository. The place of a finding is its origin. Without an origin, the place is the
    kustomization or the template, without a line.

    The messages of findings about rendered objects name the rendering. If findings of one object have their origins in several
    files, the report contains the object once for each file.
    """
    objects = [part for judged in report.objects for part in _placed(judged, find)]
    problems = [
        _without_line(problem, rendered[problem.file]) if problem.file in rendered else problem
        for problem in report.problems
    ]
    return replace(report, objects=objects, problems=problems)


def _placed(judged: ObjectReport, find: FindOrigin) -> Iterator[ObjectReport]:
    source = judged.source
    if source is None or not source.rendered_from:
        yield judged
        return
    by_file: dict[str, list[FindingReport]] = {} if judged.findings else {source.rendered_from: []}
    for finding in judged.findings:
        origin = find(source.file, source.document, finding) or Origin(source.rendered_from, 0)
        place = f"line {finding.line or source.line} of the rendered output"
        if origin.file != source.rendered_from:
            place = f"rendered by {source.rendered_from}"
        by_file.setdefault(origin.file, []).append(
            replace(
                finding,
                line=origin.line or None,
                column=origin.column,
                end_line=origin.end_line,
                end_column=origin.end_column,
                message=f"{finding.message} ({place})",
            )
        )
    for file, findings in by_file.items():
        yield replace(judged, source=replace(source, file=file), findings=findings)


def _without_line(problem: ProblemReport, place: str) -> ProblemReport:
    line = f" (line {problem.line} of the rendered output)" if problem.line is not None else ""
    return replace(problem, file=place, line=None, column=None, message=f"{problem.message}{line}")
