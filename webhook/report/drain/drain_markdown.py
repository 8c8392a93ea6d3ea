"""The rehearsal of a drain as Markdown for a change request: what to do first, the nodes, and the VMIs with their remedies."""

from collections.abc import Iterable, Iterator, Sequence

from webhook.drain.plan import SEVERITY, DrainReport, Machine, NodePlan, Outcome
from webhook.report.drain.drain_words import (
    FIRST,
    MODES,
    common_remedy,
    located,
    needs_action,
    phrase,
    reason,
    restarts,
    safe,
    targets,
    time_of,
    time_of_all,
    totals,
    upgrade_title,
    verdict,
)
from webhook.report.markdown import cell
from webhook.report.phrases import plural


def render(report: DrainReport) -> str:
    """A Markdown document with a final newline. Each VMI that needs an action has a row."""
    return "\n".join(_lines(safe(report))) + "\n"


def _lines(report: DrainReport) -> Iterator[str]:
    if report.mode == "upgrade":
        yield from _without_drain(report)
        return
    names = report.nodes[0].name if len(report.nodes) == 1 else plural(len(report.nodes), "node")
    mode = f", {MODES[report.mode]}" if len(report.nodes) > 1 and report.mode in MODES else ""
    yield f"## Drain of {cell(names)}{mode}: {verdict(report.nodes)}"
    yield ""
    yield f"{totals(report)}."
    if time := time_of_all(report):
        yield f"Time: {time}."
    if report.release:
        yield f"KubeVirt release: {cell(report.release)}."
    if report.source:
        yield f"Objects: {cell(report.source)}."
    if report.first:
        yield from ("", "### First", "")
        yield from (f"- [ ] {cell(step.text)}" for step in report.first[:FIRST])
    yield from _nodes(report)
    yield from _acting(report)
    yield from _quiet(report)
    if report.upgrade:
        yield from ("", "### Upgrade of KubeVirt")
        yield from _upgrade(report)
    yield from _listed("Assumptions", _assumptions(report))
    yield from _listed("Not provided", list(report.missing))


def _without_drain(report: DrainReport) -> Iterator[str]:
    yield f"## {upgrade_title(report)}"
    if report.release:
        yield from ("", f"KubeVirt release: {cell(report.release)}.")
    if report.source:
        yield f"Objects: {cell(report.source)}."
    yield from _upgrade(report)
    yield from _listed("Assumptions", _assumptions(report))
    yield from _listed("Not provided", list(report.missing))


def _upgrade(report: DrainReport) -> Iterator[str]:
    rows = [(f"{one.namespace}/{one.name}", one.node, one.message, one.remedy) for one in report.upgrade]
    if rows:
        yield from _table(("VMI", "Node", "Problem", "Action"), rows)


def _nodes(report: DrainReport) -> Iterator[str]:
    is_rolling = report.mode == "rolling"
    head = ["Node", "Outcome", "VMIs", *(outcome.capitalize() for outcome in reversed(SEVERITY)), "Time"]
    yield from ("", "### Nodes")
    rows = [[*_row(node), *([", ".join(node.left)] if is_rolling else [])] for node in report.nodes]
    yield from _table([*head, *(["Capacity left"] if is_rolling else [])], rows)


def _row(node: NodePlan) -> list[str]:
    totals = [sum(one.outcome is outcome for one in node.machines) for outcome in reversed(SEVERITY)]
    return [node.name, str(node.outcome), *map(str, (len(node.machines), *totals)), time_of(node)]


def _acting(report: DrainReport) -> Iterator[str]:
    acting = [one for one in located(report) if needs_action(one.machine)]
    if not acting:
        return
    acting.sort(key=lambda one: -SEVERITY.index(one.machine.outcome))
    yield from ("", "### VMIs that need an action")
    rows = [(one.name, one.node, phrase(one.machine), reason(one.machine), one.machine.remedy) for one in acting]
    yield from _table(("VMI", "Node", "Outcome", "Reason", "Action"), rows)


def _quiet(report: DrainReport) -> Iterator[str]:
    """The VMIs that move or restart, by node, with their remarks."""
    quiet = [(node, [one for one in node.machines if not needs_action(one)]) for node in report.nodes]
    if not any(machines for _, machines in quiet):
        return
    yield from ("", "### VMIs that move or restart")
    rows: list[tuple[str, str, str, str, str]] = []
    for node, machines in quiet:
        found: dict[tuple[bool, str], list[Machine]] = {}
        for one in machines:
            remark = " ".join(text for text in (one.message, common_remedy(one)) if text)
            found.setdefault((restarts(one), remark), []).append(one)
        for (is_restarting, remark), same in found.items():
            names = ", ".join(f"{one.namespace}/{one.name}" for one in same)
            rows.append(
                (node.name, str(Outcome.STOPS if is_restarting else Outcome.MOVES), names, targets(same), remark)
            )
    yield from _table(("Node", "Outcome", "VMIs", "To", "Remark"), rows)


def _assumptions(report: DrainReport) -> list[str]:
    own = [text for node in report.nodes for text in node.assumptions]
    return list(dict.fromkeys((*report.assumptions, *own)))


def _listed(title: str, texts: list[str]) -> Iterator[str]:
    if texts:
        yield from ("", f"### {title}", "")
        yield from (f"- {cell(text)}" for text in texts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table without a maximum of rows, because every VMI that needs an action is named."""
    yield from ("", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}")
    yield from (f"| {' | '.join(map(cell, row))} |" for row in rows)
