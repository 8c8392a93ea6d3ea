"""
The rehearsal of a drain as one HTML file, which opens without script and loads nothing.

The file is also well-formed XML. All text is escaped by ``_text``; tags come from this module and ``drain_picture`` only.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from webhook.drain.plan import SEVERITY, DrainReport, Machine, NodePlan, Outcome
from webhook.report.drain.drain_picture import DEFINITIONS, picture
from webhook.report.drain.drain_words import (
    CAN_MOVE,
    CAN_RESTART,
    FIRST,
    MODES,
    OTHER_NODES,
    Located,
    counts,
    full_time_of,
    needs_action,
    new_reasons,
    phrase,
    quiet,
    restarts,
    safe,
    targets,
    time_of,
    time_of_all,
    totals,
    upgrade_title,
    verdict,
)
from webhook.report.phrases import plural

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --moves: #1b5e20; --stops: #8f5300; --unknown: #3f4a94;
  --waits: #a13d00; --blocks: #b71c1c; --bar: #90caf9; --least: #1565c0; }
@media (prefers-color-scheme: dark) { :root { --moves: #81c784; --stops: #ffb74d; --unknown: #a8b4ff; --waits: #ff9e6b;
  --blocks: #ff8a80; --bar: #1e4976; --least: #64b5f6; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; overflow-wrap: anywhere; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .3rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p, ul, ol, dl { margin: .3rem 0; }
li { margin: .25rem 0; }
code { font: .9em ui-monospace, monospace; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; white-space: nowrap; }
th.n, td.n { text-align: right; }
.badge { border: 1px solid; border-radius: 4px; font-size: .85rem; font-weight: 600; padding: 0 .4rem; white-space: nowrap; }
.moves { color: var(--moves); } .stops { color: var(--stops); } .unknown { color: var(--unknown); }
.waits { color: var(--waits); } .blocks { color: var(--blocks); }
details { border: 1px solid var(--line); border-radius: 8px; margin: .7rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; }
article { border-left: 4px solid; margin: .8rem 0; padding-left: .7rem; }
article > * { color: CanvasText; }
article > h3 .badge { color: inherit; }
article.moves, article.stops, article.unknown, article.waits, article.blocks { border-color: currentColor; }
.small { font-size: .9rem; opacity: .85; }
figure { margin: .8rem 0; }
figcaption { font-size: .85rem; opacity: .85; }
svg { display: block; height: auto; max-width: 640px; width: 100%; }
svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
.lane { fill: var(--soft); } .mark { stroke: var(--line); } .move { fill: var(--bar); } .least { fill: var(--least); }
html .defs { height: 0; position: absolute; width: 0; } .stripe { fill: var(--waits); }
.begin { stop-color: var(--least); } .end { stop-color: var(--least); stop-opacity: 0; }
.open { fill: url(#fade); } .hold { fill: url(#hatch); stroke: var(--waits); } .taken { fill: #888a; }
@media print { details > * { display: block; } }
"""


def render(report: DrainReport) -> str:
    """The file with a final newline."""
    report = safe(report)
    names = report.nodes[0].name if len(report.nodes) == 1 else plural(len(report.nodes), "node")
    title = upgrade_title(report) if report.mode == "upgrade" else f"Drain of {names}: {verdict(report.nodes)}"
    body = "\n".join(_body(report, title))
    return (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{DEFINITIONS}\n{body}\n</body>\n</html>\n"
    )


def _text(text: object) -> str:
    return escape(str(text), quote=True)


def _body(report: DrainReport, title: str) -> Iterator[str]:
    mode = f" Nodes are drained {MODES[report.mode]}." if len(report.nodes) > 1 and report.mode in MODES else ""
    time = f" Time: {time_of_all(report)}." if time_of_all(report) else ""
    summary = f"<p>{_text(totals(report))}.{_text(mode)}{_text(time)}</p>" if report.mode != "upgrade" else ""
    yield f"<header><h1>{_text(title)}</h1>{summary}</header>"
    if report.first:
        steps = "".join(f"<li>{_text(step.text)}</li>" for step in report.first[:FIRST])
        yield f"<h2>First</h2><ol>{steps}</ol>"
    if len(report.nodes) > 1:
        yield "<h2>Nodes</h2>"
        yield from _table(report)
    for node in report.nodes:
        yield from _node(report, node)
    if report.upgrade and report.mode != "upgrade":
        yield "<h2>Upgrade of KubeVirt</h2>"
    for one in report.upgrade:
        yield f'<article class="unknown"><h3>{_text(f"{one.namespace}/{one.name}")} on {_text(one.node)}</h3>'
        yield f"<p>{_text(one.message)}</p>{_action(one.remedy)}</article>"
    yield from _listed("Assumptions", report.assumptions)
    yield from _listed("Not provided", report.missing)
    if report.release:
        yield f'<p class="small">KubeVirt release: {_text(report.release)}.</p>'
    if report.source:
        yield f'<p class="small">Objects: {_text(report.source)}.</p>'


def _table(report: DrainReport) -> Iterator[str]:
    is_rolling = report.mode == "rolling"
    order = tuple(reversed(SEVERITY))
    head = [
        "<th>Node</th><th>Outcome</th>",
        *_numbers("th", ("VMIs", *(one.capitalize() for one in order))),
        "<th>Time</th>",
    ]
    yield f'<div class="scroll"><table><thead><tr>{"".join(head)}{"<th>Capacity left</th>" * is_rolling}</tr></thead><tbody>'
    for node in report.nodes:
        totals = [sum(one.outcome is outcome for one in node.machines) for outcome in order]
        numbers = "".join(_numbers("td", (len(node.machines), *(total or "–" for total in totals))))
        left = f"<td>{_text(', '.join(node.left))}</td>" if is_rolling else ""
        yield f"<tr><td>{_text(node.name)}</td><td>{_badge(node.outcome)}</td>{numbers}<td>{_text(time_of(node))}</td>{left}</tr>"
    yield "</tbody></table></div>"


def _numbers(tag: str, cells: Iterable[object]) -> Iterator[str]:
    return (f'<{tag} class="n">{_text(cell)}</{tag}>' for cell in cells)


def _badge(outcome: Outcome, words: str = "") -> str:
    return f'<span class="badge {outcome}">{_text(words or outcome)}</span>'


def _node(report: DrainReport, node: NodePlan) -> Iterator[str]:
    """One node. Only nodes with VMIs that need an action are open at first."""
    acting = [one for one in node.machines if needs_action(one)]
    is_open = ' open="open"' if acting or len(report.nodes) == 1 else ""
    yield f"<details{is_open}><summary><strong>{_text(node.name)}</strong> {_badge(node.outcome)} "
    yield f"{_text(counts(node.machines))}. Time: {_text(full_time_of(node))}.</summary>"
    for one in acting:
        yield from _acting(one)
    yield picture(node)
    yield from _quiet(CAN_MOVE, [one for one in node.machines if one.outcome is Outcome.MOVES])
    yield from _quiet(CAN_RESTART, [one for one in node.machines if restarts(one)])
    yield from _listed("Assumptions for this node", node.assumptions, "h3")
    yield "</details>"


def _acting(machine: Machine) -> Iterator[str]:
    name = Located(machine, "").name
    yield f'<article class="{machine.outcome}"><h3>{_text(name)}</h3>'
    yield f'<p><span class="{machine.outcome}"><strong>{_text(phrase(machine))}</strong></span></p>'
    yield f"<p>{_text(machine.message)}</p>" if machine.message else ""
    if reasons := new_reasons(machine):
        yield f"<ul>{''.join(f'<li>{_text(reason)}</li>' for reason in reasons)}</ul>"
    yield f"{_action(machine.remedy)}</article>"


def _action(remedy: str) -> str:
    return f"<p><strong>Action:</strong> {_text(remedy)}</p>" if remedy else ""


def _quiet(title: str, machines: Sequence[Machine]) -> Iterator[str]:
    """The VMIs that move or restart, those with the same remark together."""
    if not machines:
        return
    where = targets(machines) or OTHER_NODES
    yield f"<p><strong>{_text(f'{title} {where}')}:</strong></p><ul>"
    yield from (
        f"<li>{_text(', '.join(one.names))}{_text(f': {one.remark}' if one.remark else '')}</li>"
        for one in quiet(machines)
    )
    yield "</ul>"


def _listed(title: str, texts: Sequence[str], tag: str = "h2") -> Iterator[str]:
    if texts:
        items = "".join(f"<li>{_text(text)}</li>" for text in texts)
        yield f'<{tag}>{title}</{tag}><ul class="small">{items}</ul>'
