"""Disagreements with KubeVirt and unread kinds of an audit: as text, and as notes for formats without a place for them."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from webhook.objects.fleet_kinds import FLEET_KINDS
from webhook.report.audited import AuditReport, ConditionReport, DisagreementReport, UnreadReport
from webhook.report.pen import Pen
from webhook.report.phrases import plural
from webhook.report.printable import printable

MOST_DISAGREEMENTS: Final = 10
INCOMPLETE: Final = "The audit is incomplete: objects that belong to it could not be listed, and were not judged."


def with_notes(report: AuditReport) -> AuditReport:
    """The report with a note for each unread kind and each of the first disagreements."""
    notes = unread_notes(report.unread)
    notes += [f"{one.namespace}/{one.name}: {difference(one)}" for one in report.disagreements[:MOST_DISAGREEMENTS]]
    if len(report.disagreements) > MOST_DISAGREEMENTS:
        notes.append(f"{len(report.disagreements) - MOST_DISAGREEMENTS} more conditions differ from the verdict")
    return replace(report, notes=[*report.notes, *notes])


def unread_notes(unread: Sequence[UnreadReport]) -> list[str]:
    """One line for each namespace and reason, with all kinds that could not be read there for this reason."""
    kinds: dict[str, list[str]] = {}
    for one in unread:
        place = f" in namespace {one.namespace}" if one.namespace else ""
        kinds.setdefault(f"{one.reason}{place}", []).append(one.kind)
    return [f"not read ({reason}): {', '.join(names)}" for reason, names in kinds.items()]


def missing_rights(unread: Sequence[UnreadReport]) -> str:
    """The instruction to grant the missing permissions, or an empty text if none is missing."""
    refused = {one.kind for one in unread if one.is_refused}
    resources = [f"{kind.plural}.{kind.group}".rstrip(".") for kind in FLEET_KINDS if kind.kind in refused]
    return f"Grant the account the verb list for {', '.join(resources)}." if resources else ""


def remark_blocks(report: AuditReport, pen: Pen) -> list[str]:
    """The disagreements and the unread kinds as text, each with a title. Empty if there are none."""
    return [block for lines in (_disagreements, _unread) if (block := "\n".join(lines(report, pen)))]


def _disagreements(report: AuditReport, pen: Pen) -> Iterator[str]:
    differing = report.disagreements
    if not differing:
        return
    machines = {(one.namespace, one.name) for one in differing}
    yield from pen.title(f"KubeVirt's condition differs from the verdict: {plural(len(machines), 'VM')}")
    for one in differing[:MOST_DISAGREEMENTS]:
        yield from pen.wrap(difference(one), "  ", f"{one.namespace}/{one.name}: ")
    if len(differing) > MOST_DISAGREEMENTS:
        yield f"  and {len(differing) - MOST_DISAGREEMENTS} more"


def difference(one: DisagreementReport) -> str:
    """Both values of a condition."""
    return f"{one.condition} is {condition_phrase(one.observed)} in KubeVirt, and {condition_phrase(one.verdict)} in the verdict"


def condition_phrase(condition: ConditionReport) -> str:
    """The status of a condition, with its reason if it has one."""
    return f"{condition.status} ({printable(condition.reason)})" if condition.reason else str(condition.status)


def _unread(report: AuditReport, pen: Pen) -> Iterator[str]:
    if report.unread:
        yield from pen.title("Results that depend on these kinds are unproven:")
    for why in unread_notes(report.unread):
        yield from pen.wrap(why, "  ")
    if remedy := missing_rights(report.unread):
        yield from pen.wrap(remedy, "  ")
