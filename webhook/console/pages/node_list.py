"""The list of nodes: the effect of the drain of each node alone."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from webhook.console.pages.addresses import NODES, node_address
from webhook.console.pages.drains import NOT_YET, first_steps, left_by_upgrade, rehearsed, remarks
from webhook.console.pages.frame import notices, page, section
from webhook.console.pages.listing import Column, chips, choice, counted, header, pager, part_of, text_field
from webhook.console.pages.query import Check, Parameters, anything, one_of, whole_number
from webhook.console.pages.seen import Seen
from webhook.console.pages.sorting import Key, one_of_columns, sort_rows
from webhook.console.pages.words import OUTCOMES, number, outcome_badge
from webhook.drain.plan import DrainReport, NodePlan, Outcome
from webhook.report.drain.drain_words import time_of
from webhook.surfaces.api.page.markup import Child, Html, element

_RANKS: Final = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}


def _counter(outcome: Outcome) -> Callable[[NodePlan], int]:
    return lambda node: -sum(one.outcome is outcome for one in node.machines)


_KEYS: Final[Mapping[str, "Key[NodePlan]"]] = {
    "node": lambda node: node.name,
    "outcome": lambda node: (_RANKS[node.outcome], node.name),
    "vmis": lambda node: -len(node.machines),
    **{str(outcome): _counter(outcome) for outcome in OUTCOMES},
    "time": lambda node: (node.seconds is not None, -(node.seconds.worst or 10**9) if node.seconds else 0),
}
_COLUMNS: Final = (
    Column("node", "Node"),
    Column("outcome", "Drain"),
    Column("vmis", "VMIs", is_number=True),
    *(Column(str(outcome), words.capitalize(), is_number=True) for outcome, (_, words) in OUTCOMES.items()),
    Column("time", "Time"),
)
PARAMETERS: Final[Mapping[str, Check]] = {
    "q": anything,
    "outcome": one_of(list(OUTCOMES)),
    "namespace": anything,
    "sort": one_of_columns(_KEYS),
    "page": whole_number,
}


def node_list(seen: Seen, parameters: Parameters) -> bytes:
    """The page."""
    drains = seen.state.drains
    content = _content(drains.report, parameters) if drains.report is not None else _nothing(drains.problem)
    return page(
        seen,
        "Nodes",
        element("h1", "Nodes"),
        notices(seen),
        rehearsed(drains),
        *content,
        here=NODES,
        command="migratable drain --all",
    )


def _nothing(problem: str) -> Iterator[Child]:
    if not problem:
        yield element("p", NOT_YET)


def _content(report: DrainReport, parameters: Parameters) -> Iterator[Child]:
    yield element("p", "The effect of a drain of each node alone, from the present state.", class_="lead")
    yield first_steps([step.text for step in report.first])
    nodes = [node for node in report.nodes if _is_chosen(node, parameters)]
    nodes.sort(key=lambda node: (_RANKS[node.outcome], node.name))
    sort_rows(nodes, _KEYS, parameters["sort"])
    part = part_of(nodes, parameters["page"])
    yield section(
        "Drains",
        _form(parameters),
        chips(_active(parameters), NODES, parameters),
        counted(len(nodes), len(report.nodes), "node"),
        _table(part.items, parameters) if part.items else None,
        pager(part, NODES, parameters),
    )
    yield left_by_upgrade(report)
    yield from remarks(report.assumptions, report.missing)


def _is_chosen(node: NodePlan, parameters: Parameters) -> bool:
    return parameters["q"].lower() in node.name.lower() and parameters["outcome"] in ("", node.outcome)


def _form(parameters: Parameters) -> Html:
    outcomes = [(outcome, words) for outcome, (_, words) in OUTCOMES.items()]
    sort = parameters["sort"]
    return element(
        "form",
        element(
            "div",
            text_field("q", "Name", parameters["q"]),
            choice("outcome", "Drain", outcomes, parameters["outcome"]),
            element("button", "Filter", class_="main"),
            class_="fields",
        ),
        element("input", type="hidden", name="sort", value=sort) if sort else None,
        class_="filters",
        method="get",
        action=NODES,
        role="search",
    )


def _active(parameters: Parameters) -> Iterator[tuple[str, str, str]]:
    for name, label in (("q", "Name"), ("outcome", "Drain")):
        if parameters[name]:
            yield name, label, parameters[name]


def _table(nodes: Sequence[NodePlan], parameters: Parameters) -> Html:
    body = (element("tr", _cells(node)) for node in nodes)
    return element("table", header(_COLUMNS, NODES, parameters, "outcome"), element("tbody", body), class_="list stack")


def _cells(node: NodePlan) -> Iterator[Html]:
    counts = Counter(one.outcome for one in node.machines)
    yield element("th", element("a", node.name, href=node_address(node.name)), scope="row")
    yield element("td", outcome_badge(node.outcome))
    yield element("td", number(len(node.machines)), class_="n", data_label="VMIs")
    for outcome, (_, words) in OUTCOMES.items():
        number_of = number(counts[outcome]) if counts[outcome] else "–"
        yield element("td", number_of, class_="n", data_label=words.capitalize())
    yield element("td", time_of(node), data_label="Time")
