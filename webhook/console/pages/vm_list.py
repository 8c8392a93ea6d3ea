"""The list of VMs: filtered, sorted and cut into pages by the server."""

from collections.abc import Iterator, Sequence
from typing import Final

from webhook.console.pages.addresses import VMS, node_address, vm_address
from webhook.console.pages.frame import notices, page
from webhook.console.pages.listing import Column, counted, header, pager, part_of
from webhook.console.pages.query import Parameters
from webhook.console.pages.seen import Seen
from webhook.console.pages.vm_filters import filter_form, filters_in_force
from webhook.console.pages.vm_rows import OF_NODES, Row, chosen, rows_of
from webhook.console.pages.words import ACTIONS, VM_KINDS, none_of, outcome_badge, verdict_badge
from webhook.policy.policy import Action
from webhook.surfaces.api.page.layout import MARKS
from webhook.surfaces.api.page.markup import Child, Html, element, shortened

_COLUMNS: Final = (
    Column("vm", "VM"),
    Column("verdict", "Verdict"),
    Column("reason", "Reason"),
    Column("findings", "Findings"),
    Column("strategy", "evictionStrategy"),
    Column("running", "Running"),
    Column("node", "Node"),
    Column("drain", "If drained"),
)

_MOST_STRATEGY: Final = 60
"""Maximum number of characters of an evictionStrategy, which can be any text."""


def vm_list(seen: Seen, parameters: Parameters) -> bytes:
    """The page."""
    rows = rows_of(seen)
    remaining = chosen(rows, parameters, seen.state)
    part = part_of(remaining, parameters["page"])
    return page(
        seen,
        "VMs",
        element("h1", "VMs"),
        notices(seen),
        filter_form(rows, parameters, has_nodes=seen.sight.nodes),
        filters_in_force(parameters),
        counted(len(remaining), len(rows), "VM"),
        _table(part.items, parameters, has_nodes=seen.sight.nodes)
        if part.items
        else _nothing(seen, has_rows=bool(rows)),
        pager(part, VMS, parameters),
        here=VMS,
    )


def _nothing(seen: Seen, *, has_rows: bool) -> Html:
    return element("p", "No VM matches.") if has_rows else none_of("VMs", seen.state.unread, *VM_KINDS)


def _table(rows: Sequence[Row], parameters: Parameters, *, has_nodes: bool) -> Html:
    columns = [one for one in _COLUMNS if has_nodes or one.key not in OF_NODES]
    body = (element("tr", _cells(row, has_nodes=has_nodes)) for row in rows)
    return element("table", header(columns, VMS, parameters, "vm"), element("tbody", body), class_="list stack")


def _cells(row: Row, *, has_nodes: bool) -> Iterator[Child]:
    vm = row.vm
    name = element("a", vm.name, href=vm_address(vm.namespace, vm.name))
    yield element(
        "th", element("span", f"{vm.namespace}/", class_="space") if vm.namespace else None, name, scope="row"
    )
    yield element(
        "td", verdict_badge(vm.migratability), element("span", "differs", class_="small") if vm.is_disputed else None
    )
    yield _cell("Reason", _breakable(vm.reason))
    yield _cell("Findings", _findings(row))
    yield _cell("evictionStrategy", shortened(vm.strategy, _MOST_STRATEGY))
    yield _cell("Running", "yes" if vm.is_running else "no")
    if has_nodes:
        yield _cell("Node", element("a", row.node, href=node_address(row.node)) if row.node else None)
        yield _cell("If drained", outcome_badge(row.machine.outcome) if row.machine is not None else None)


def _cell(label: str, content: Child) -> Html:
    return element("td", content or element("span", "–", class_="none"), data_label=label)


def _breakable(reason: str) -> Child:
    """A reason of KubeVirt, which a narrow column breaks before ``NotLiveMigratable``."""
    subject, not_live, rest = reason.partition("NotLive")
    return (subject, element("wbr"), not_live, rest) if not_live else reason


def _findings(row: Row) -> Child:
    if not row.vm.rules:
        return None
    state, words = ACTIONS[Action(row.vm.action)] if row.vm.action else ("note", "recorded")
    return element(
        "span",
        element("span", MARKS[state], class_="mark", role="img", aria_label=words),
        " ",
        ", ".join(row.vm.rules),
        class_=f"found-rules {state}",
    )
