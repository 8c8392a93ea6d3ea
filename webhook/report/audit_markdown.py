"""The parts of the Markdown report that only an audit has: VMs by verdict, groups, commands, disagreements, unread kinds."""

from collections.abc import Iterator
from itertools import islice

from webhook.report.audit_remarks import INCOMPLETE, condition_phrase, missing_rights, unread_notes
from webhook.report.audited import AuditReport
from webhook.report.grouping import (
    counted,
    grouped,
    machines_of,
    manages_kubevirt,
    names_of,
    namespaces_of,
    parts_of,
    rank_of,
    scopes_of,
    some,
)
from webhook.report.kubectl import Command, commands_for
from webhook.report.markdown import cell, table
from webhook.report.phrases import plural
from webhook.report.sentences import is_unproven, name_of

MAX_COMMANDS = 100
NAMES = 3


def head(report: AuditReport, by: str) -> Iterator[str]:
    """The number of VMs by verdict, the audited part of the cluster, and the groups."""
    machines = machines_of(report)
    yield ""
    yield (
        f"{plural(machines.total, 'VM')} in {cell(', '.join(scopes_of(report)))}: {machines.migratable} can be live-migrated, "
        f"{machines.refused} cannot, {machines.unproven} unproven."
    )
    if report.is_incomplete:
        yield from ("", f"**{INCOMPLETE}**")
    groups = grouped(report, by)
    if not groups:
        return
    rows = []
    for group in groups:
        parts = parts_of(group)
        strongest = min((part.finding for part in parts), key=rank_of)
        remedies = dict.fromkeys(part.remedy for part in parts if part.remedy)
        places = [f"{name} ({count})" for name, count in namespaces_of(group.members)]
        objects = some([name for part in parts for name in dict.fromkeys(names_of(part))], NAMES)
        rows.append(
            (
                "unproven" if is_unproven(strongest) else strongest.action,
                group.title,
                counted(group.members),
                some(places, NAMES),
                objects,
                " ".join(remedies),
            )
        )
    yield from ("", f"### By {by}")
    yield from table(("", by.capitalize(), "Number", "Namespaces", "Objects", "How to fix it"), rows, len(rows))
    yield from ("", "### Findings")


def commands(report: AuditReport) -> Iterator[str]:
    """The commands, as indented code: no content of an object can end such a block."""
    has_operator = manages_kubevirt(report.objects)
    found = (
        (f"{finding.rule} {finding.name}, {name_of(judged)}", command)
        for judged in report.objects
        for finding in judged.findings
        for command in commands_for(judged, finding, has_operator=has_operator)
    )
    for at, (title, command) in enumerate(islice(found, MAX_COMMANDS + 1)):
        if at == 0:
            yield from ("", "### Commands")
        if at == MAX_COMMANDS:
            yield from ("", "The text output has more commands.")
            return
        yield from _command(title, command)


def _command(title: str, command: Command) -> Iterator[str]:
    yield ""
    yield f"{cell(title)}, {command.label}: {cell(command.title)}"
    if command.line:
        yield from ("", f"    {command.line}")
    if command.remark:
        yield from ("", f"{cell(command.remark)}.")


def remarks(report: AuditReport) -> Iterator[str]:
    """Conditions that differ from the verdict, and kinds that were not read."""
    if report.disagreements:
        yield from ("", "### Conditions that differ from the verdict")
        rows = (
            (
                f"{one.namespace}/{one.name}",
                one.condition,
                condition_phrase(one.observed),
                condition_phrase(one.verdict),
            )
            for one in report.disagreements
        )
        yield from table(("VM", "Condition", "KubeVirt", "Verdict"), rows, len(report.disagreements))
    if report.unread:
        yield from ("", "### Not read")
        yield from ("", *(f"- {cell(why)}" for why in unread_notes(report.unread)))
        if remedy := missing_rights(report.unread):
            yield from ("", remedy)
