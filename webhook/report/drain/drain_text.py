"""The rehearsal of a drain as text for a terminal: one node in detail, or several nodes as a table."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from webhook.drain.plan import Detail, DrainReport, Machine, NodePlan, Outcome, Step
from webhook.report.drain.drain_words import (
    FIRST,
    MODES,
    WORDS,
    Group,
    common_remedy,
    counts,
    full_time_of,
    groups,
    left_behind,
    located,
    needs_action,
    new_reasons,
    phrase,
    reason,
    restarts,
    safe,
    some,
    targets,
    time_of,
    time_of_all,
    totals,
    upgrade_title,
    verdict,
)
from webhook.report.phrases import plural

WIDTH: Final = 100
"""The maximum number of columns, unless a single word is longer."""
SCREEN: Final = 50
"""The number of lines of a screen. A longer text for several nodes has no reasons, then one remedy for each outcome."""
NAMES: Final = 10
"""The maximum number of VMs that are named if they need no action."""
ROWS: Final = 30
"""For more nodes than this, the table has only nodes that need an action."""
_COLUMNS: Final = (Outcome.MOVES, Outcome.STOPS, Outcome.WAITS, Outcome.BLOCKS, Outcome.UNKNOWN)


def render(report: DrainReport) -> str:
    """The text with a final newline. A report of one node names all its VMIs."""
    report = safe(report)
    if report.mode == "upgrade":
        lines = [f"{upgrade_title(report)}.", *_upgrade(report), *_closing(report, report.assumptions, SCREEN)]
    elif len(report.nodes) == 1:
        lines = list(_one(report, report.nodes[0]))
    else:
        for brevity in range(3):
            lines = list(_several(report, brevity))
            if len(lines) <= SCREEN:
                break
    return "\n".join(lines) + "\n"


def _one(report: DrainReport, node: NodePlan) -> Iterator[str]:
    yield from _wrap(f"{node.name}: {verdict([node])}. {counts(node.machines)}.")
    yield from _wrap(f"Time: {full_time_of(node)}. {_slots(node)}")
    yield from _first(report)
    for one in located(report):
        if needs_action(one.machine):
            yield ""
            yield from _wrap(f"{one.name}: {phrase(one.machine)}")
            yield from _wrap(one.machine.message, "    ")
            for text in new_reasons(one.machine):
                yield from _wrap(text, "    ", "reason: ")
            yield from _fix(one.machine.remedy, report.first[:FIRST])
    yield from _quiet(node)
    yield from _upgrade(report)
    assumptions = (*report.assumptions, *node.assumptions)
    yield from _closing(report, assumptions, len(assumptions))


def _slots(node: NodePlan) -> str:
    if not node.slots:
        return ""
    taken = f", {node.slots_taken} of them taken by other migrations" if node.slots_taken else ""
    return f"At most {plural(node.slots, 'migration')} at the same time{taken}."


def _quiet(node: NodePlan) -> Iterator[str]:
    """The VMIs that need no action: those that move, those that restart, and remarks on them."""
    moving = [one for one in node.machines if one.outcome is Outcome.MOVES]
    if moving:
        yield ""
        where = f" to {nodes}" if (nodes := targets(moving)) else ""
        yield from _wrap(f"{_names(moving)}.", "", f"{len(moving)} can move{where}: ")
        for text, group in _alike(moving):
            yield from _wrap(f"{_names(group)}: {text}", "    ", "note: ") if text else ()
    restarting = [one for one in node.machines if restarts(one)]
    if restarting:
        yield ""
        where = f" on {nodes}" if (nodes := targets(restarting)) else ""
        yield from _wrap(f"{_names(restarting)}.", "", f"{len(restarting)} can restart{where}: ")
        for text, group in _alike(restarting):
            label = "" if len(group) == len(restarting) else f"{_names(group)}: "
            yield from _wrap(f"{label}{text}", "    ")


def _names(machines: Sequence[Machine]) -> str:
    """The names, with the node if only one fits."""
    return ", ".join(
        f"{one.namespace}/{one.name}" + (f" (only {one.nodes[0]})" if one.node_count == 1 and one.nodes else "")
        for one in machines
    )


def _alike(machines: Sequence[Machine]) -> list[tuple[str, list[Machine]]]:
    """The VMIs with the same message and remedy."""
    found: dict[str, list[Machine]] = {}
    for one in machines:
        found.setdefault(" ".join(text for text in (one.message, common_remedy(one)) if text), []).append(one)
    return list(found.items())


def _several(report: DrainReport, brevity: int) -> Iterator[str]:
    everything = located(report)
    mode = f", {MODES[report.mode]}" if report.mode in MODES else ""
    yield from _wrap(f"{plural(len(report.nodes), 'node')}{mode}: {verdict(report.nodes)}. {totals(report)}.")
    if time := time_of_all(report):
        yield from _wrap(f"Time: {time}.")
    if report.nodes:
        yield ""
        yield from _table(report)
    yield from _first(report)
    acting = groups(everything, by_remedy=brevity < 2)
    restarting = [f"{one.name} ({one.node})" for one in everything if restarts(one.machine)]
    yield from [""] if acting or restarting else []
    for group in acting:
        yield from _group(group, report.first[:FIRST], with_reason=brevity == 0)
    yield from _restarting(restarting)
    yield from _upgrade(report)
    own = [text for node in report.nodes for text in node.assumptions]
    yield from _closing(report, tuple(dict.fromkeys((*report.assumptions, *own))), 1 if brevity else 4)


def _group(group: Group, first: Sequence[Step], *, with_reason: bool) -> Iterator[str]:
    names = ", ".join(f"{one.name} ({one.node})" for one in group.members)
    yield from _wrap(f"{group.phrase}: {names}")
    reasons = tuple(dict.fromkeys(reason(one.machine) for one in group.members))
    if with_reason:
        label = f"for example {group.members[0].name}: " if len(reasons) > 1 else ""
        yield from _wrap(f"{label}{reasons[0]}", "    ") if reasons[0] else ()
    yield from _fix(group.remedy, first)


def _fix(remedy: str, first: Sequence[Step]) -> list[str]:
    """The remedy. One of the first steps is not repeated."""
    step = next((at for at, one in enumerate(first, 1) if one.text.partition(": ")[2] == remedy), 0)
    return _wrap(f"step {step} above" if step and remedy else remedy, "    ", "fix: ")


def _restarting(names: Sequence[str]) -> list[str]:
    """The VMs that the drain shuts down and that start again, at most ``NAMES`` of them."""
    return _wrap(some(names, NAMES), "", f"stops ({WORDS[Detail.RESTARTS]}): ") if names else []


def _table(report: DrainReport) -> Iterator[str]:
    """A row for each node. A node name or a capacity that is too wide has a line of its own."""
    nodes = [one for one in report.nodes if len(report.nodes) <= ROWS or any(map(needs_action, one.machines))]
    head = ["node", "outcome", "VMIs", *map(str, _COLUMNS), "time"]
    rows = [[node.name, str(node.outcome), *_numbers(node), time_of(node)] for node in nodes]
    left = [", ".join(node.left) if report.mode == "rolling" else "" for node in nodes]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    whole = sum(widths) + 2 * len(widths)
    is_beside = any(left) and whole + max(map(len, left)) <= WIDTH
    is_above = whole > WIDTH
    widths[0] = 4 if is_above else widths[0]
    yield (_row(head, widths) + ("  capacity left" if is_beside else "")).rstrip()
    for row, rest in zip(rows, left, strict=True):
        if is_above:
            yield row[0]
        line = _row(["", *row[1:]] if is_above else row, widths)
        yield f"{line}  {rest}" if is_beside and rest else line.rstrip()
        if rest and not is_beside:
            yield from _wrap(rest, "      ", "left: ")
    if len(nodes) < len(report.nodes):
        yield f"and {plural(len(report.nodes) - len(nodes), 'node')} on which every VMI moves or restarts"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = range(2, 2 + 1 + len(_COLUMNS))
    return "  ".join(
        cell.rjust(width) if at in numbers else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _numbers(node: NodePlan) -> list[str]:
    totals = [sum(one.outcome is outcome for one in node.machines) for outcome in _COLUMNS]
    return [str(len(node.machines)), *(str(total) if total else "-" for total in totals)]


def _first(report: DrainReport) -> Iterator[str]:
    if not report.first:
        return
    yield ""
    yield "First:"
    for at, step in enumerate(report.first[:FIRST], 1):
        where = f" ({some(step.nodes, 3)})" if step.nodes and len(report.nodes) > 1 else ""
        yield from _wrap(f"{step.text}{where}", "  ", f"{at}. ")


def _upgrade(report: DrainReport) -> Iterator[str]:
    """The VMIs that an upgrade leaves behind. Those with the same problem share a paragraph."""
    if report.upgrade and report.mode != "upgrade":
        yield ""
        yield "Upgrade of KubeVirt:"
    for group in left_behind(report):
        more = len(group.names) - ROWS
        names = ", ".join(group.names[:ROWS]) + (f" and {more} more, which the JSON output lists" if more > 0 else "")
        yield from _wrap(f"{names}: {group.message}", "  ")
        yield from _wrap(group.remedy, "      ", "fix: ")


def _closing(report: DrainReport, assumptions: Sequence[str], most: int) -> Iterator[str]:
    if assumptions or report.missing or report.release:
        yield ""
    for text in assumptions[:most]:
        yield from _wrap(text, "", "assumed: ")
    if len(assumptions) > most:
        yield f"and {plural(len(assumptions) - most, 'more assumption')}, which the JSON output lists"
    if report.missing:
        yield from _wrap(f"{', '.join(report.missing)}.", "", "not provided: ")
    if report.release:
        yield from _wrap(f"{report.release}.", "", "KubeVirt release: ")


def _wrap(text: str, indent: str = "", label: str = "") -> list[str]:
    """``text`` after ``label``. Further lines begin below the first word of the text, and empty text gives no line."""
    if not text.strip():
        return []
    hanging = indent + " " * min(len(label), 12)
    return textwrap.wrap(
        label + text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
