"""References that are unproven, because different objects with the same name are equally near. This file does no I/O."""

from collections.abc import Iterable, Iterator, Sequence

from webhook.report.model import ObjectReport, ReferenceReport, Report
from webhook.report.sentences import name_of, place_of

_MAX_NOTES = 10


def tie_notes(objects: Sequence[ObjectReport]) -> list[str]:
    """A note for each name that different, equally near objects have."""
    by_name: dict[tuple[str, ...], list[ObjectReport]] = {}
    for judged in objects:
        for reference in ties_of(judged):
            by_name.setdefault((_named(reference), *reference.others), []).append(judged)
    notes = [
        f"{' and '.join(files)} {'contain' if len(files) > 1 else 'contains'} different objects for {name}. "
        f"It is unproven which of them {_users(judged)} uses. Keep only one, or check each environment on its own"
        for (name, *files), judged in sorted(by_name.items(), key=lambda item: item[0])
    ]
    hidden = len(notes) - _MAX_NOTES
    return (
        notes
        if hidden <= 0
        else [*notes[:_MAX_NOTES], f"{hidden} more names have different objects in equally near files"]
    )


def has_ties(report: Report) -> bool:
    """
    Whether a reference is unproven because different objects are equally near. Objects with an exempted unproven finding
    are ignored.
    """
    return any(
        next(ties_of(judged), None) is not None
        and not any(finding.outcome == "undetermined" and finding.exemption is not None for finding in judged.findings)
        for judged in report.objects
    )


def ties_of(judged: ObjectReport) -> Iterator[ReferenceReport]:
    """The references for which different objects are equally near."""
    return (reference for reference in judged.references if reference.file is None)


def described(reference: ReferenceReport) -> str:
    """The file that a reference resolved to, as a phrase."""
    others = ", ".join(reference.others)
    if reference.file is None:
        return f"{_named(reference)}: unproven, because {others} contain different objects"
    return f"{_named(reference)} is from {reference.file}, the nearest file; others: {others}"


def _named(reference: ReferenceReport) -> str:
    if reference.kind == "KubeVirt":
        return "the KubeVirt CR"
    name = f"{reference.namespace}/{reference.name}" if reference.namespace else reference.name
    return f"{reference.kind} {name}"


def _users(objects: Iterable[ObjectReport]) -> str:
    first, *rest = sorted({f"{name_of(judged)} ({place_of(judged)})" for judged in objects})
    return f"{first} and {len(rest)} more" if rest else first
