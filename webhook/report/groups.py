"""The summary of an audit as text: how many VMs can be live-migrated, and the findings in groups."""

from collections.abc import Iterator
from shlex import quote
from typing import Final

from webhook.policy.policy import Action
from webhook.report import text
from webhook.report.audit_remarks import INCOMPLETE, remark_blocks
from webhook.report.audited import AuditReport
from webhook.report.grouping import (
    Group,
    Part,
    counted,
    generic,
    grouped,
    is_machine,
    machines_of,
    manages_kubevirt,
    names_of,
    namespaces_of,
    parts_of,
    scopes_of,
    short_name,
    some,
)
from webhook.report.kubectl import command_lines
from webhook.report.pen import BOLD, COLOURS, CYAN, GREEN, RED, Pen
from webhook.report.phrases import plural
from webhook.report.sentences import is_unproven

MOST_GROUPS: Final = 40
MOST_PARTS: Final = 8
"""The number of rules in a group that are shown."""
NAMES: Final = 3
NAMESPACES: Final = 5


def render(
    report: AuditReport, *, by: str = "reason", colour: bool = False, width: int = 100, quiet: bool = False
) -> str:
    """The summary with a final newline. With ``quiet``, the text contains only the groups."""
    pen = Pen(colour, width)
    groups = grouped(report, by)
    seen: set[str] = set()
    has_operator = manages_kubevirt(report.objects)
    blocks = ["\n".join(_group(group, by, pen, seen, has_operator)) for group in groups[:MOST_GROUPS]]
    if len(groups) > MOST_GROUPS:
        blocks.append(f"and {plural(len(groups) - MOST_GROUPS, by)} more: migratable audit -o json has all of them")
    if quiet:
        return "\n\n".join(blocks) + "\n" * bool(blocks)
    blocks.insert(0, "\n".join(_head(report, pen)))
    blocks += remark_blocks(report, pen)
    blocks.append("\n".join(_closing(report, groups, pen)))
    return "\n\n".join(blocks) + "\n"


def _head(report: AuditReport, pen: Pen) -> Iterator[str]:
    machines = machines_of(report)
    parts = [
        pen.paint(f"{machines.migratable} can be live-migrated", GREEN),
        pen.paint(f"{machines.refused} cannot", *([RED] if machines.refused else [])),
        pen.paint(f"{machines.unproven} unproven", *([CYAN] if machines.unproven else [])),
    ]
    yield pen.paint(f"{plural(machines.total, 'VM')}: ", BOLD) + ", ".join(parts)
    release = "any KubeVirt release" if report.release == "any" else f"KubeVirt {report.release}"
    yield from pen.wrap(f"{release}, profile {report.profile}, {', '.join(scopes_of(report))}", "")
    if report.is_incomplete:
        yield from (pen.paint(line, BOLD, RED) for line in pen.wrap(INCOMPLETE, ""))


def _group(group: Group, by: str, pen: Pen, seen: set[str], has_operator: bool) -> Iterator[str]:
    members = group.members
    places = namespaces_of(members)
    where = f" in {plural(len(places), 'namespace')}" if len(places) > 1 and by != "namespace" else ""
    yield from pen.title(f"{group.title}: {counted(members)}{where}")
    if len(places) > 1:
        yield from pen.wrap(some([f"{name} ({count})" for name, count in places], NAMESPACES), "  ", "namespaces: ")
    parts = parts_of(group)
    for part in parts[:MOST_PARTS]:
        yield from _part(part, by, pen, seen, has_operator)
    if len(parts) > MOST_PARTS:
        yield f"  and {plural(len(parts) - MOST_PARTS, 'rule')} more"


def _part(part: Part, by: str, pen: Pen, seen: set[str], has_operator: bool) -> Iterator[str]:
    finding = part.finding
    is_open = finding.outcome == "undetermined"
    label = f"{finding.action} {finding.rule} {finding.name}" + (" (unproven)" if is_open else "")
    shade = CYAN if is_unproven(finding) else COLOURS[Action(finding.action)]
    names = some(names_of(part, with_namespace=by != "namespace"), NAMES)
    reason = f" ({finding.reason})" if finding.reason and by != "reason" else ""
    shown = f"{finding.rule} {finding.outcome} {generic(finding.remedy)}"
    if shown in seen:
        yield f"  {pen.paint(label, BOLD, shade)}{reason}, {counted(part.members)}: {names}"
        return
    seen.add(shown)
    yield f"  {pen.paint(label, BOLD, shade)}{reason}"
    yield from pen.wrap(names, "    ", f"{counted(part.members)}: ")
    yield from pen.wrap(finding.message, "    ", "" if len(part.members) == 1 else "for example: ")
    if part.remedy and by != "remedy":
        yield from pen.wrap(part.remedy, "    ", "to settle it: " if is_open else "fix: ")
    subject = short_name(part.judged) if len(part.members) > 1 else ""
    yield from command_lines(part.judged, finding, pen, "    ", subject=subject, has_operator=has_operator)


def _closing(report: AuditReport, groups: list[Group], pen: Pen) -> Iterator[str]:
    for note in report.notes:
        yield from pen.wrap(note, "", "note: ")
    if groups:
        findings = (part.judged for group in groups for part in parts_of(group))
        machine = next((judged for judged in findings if is_machine(judged)), None)
        namespace = f" -n {quote(machine.namespace)}" if machine is not None else ""
        yield "Next steps:"
        yield f"  migratable audit{namespace} -o text    # each finding, with commands"
        if machine is not None:
            explain = f"migratable explain {quote(f'vm/{machine.name}')}{namespace}"
            yield f"  {explain}    # one VM, and the nodes it could move to"
        yield "  migratable drain --all    # the effect of node drains"
    yield text.summary(report, colour=pen.colour)
