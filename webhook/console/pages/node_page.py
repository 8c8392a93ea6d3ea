"""One node: the rehearsal of its drain, with the waves of migrations as a picture."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from msgspec.structs import replace

from webhook.console.pages.addresses import NODES, VMS, listed, vm_address
from webhook.console.pages.drains import action, first_steps, left_by_upgrade, rehearsed, remarks
from webhook.console.pages.errors import not_found
from webhook.console.pages.frame import notices, page, section
from webhook.console.pages.seen import Seen
from webhook.console.pages.words import outcome_badge
from webhook.drain.plan import DrainReport, Machine, NodePlan, Outcome
from webhook.report.drain.drain_picture import DEFINITIONS, picture
from webhook.report.drain.drain_words import (
    CAN_MOVE,
    CAN_RESTART,
    OTHER_NODES,
    Group,
    Located,
    counts,
    full_time_of,
    groups,
    quiet,
    reason,
    restarts,
    targets,
    verdict,
)
from webhook.report.phrases import plural
from webhook.surfaces.api.page.layout import trail
from webhook.surfaces.api.page.markup import Child, Html, drawing, element, join, prose

_MOST_GROUPS: Final = 30
"""The maximum number of groups with remedies of their own."""
_MOST_NAMES: Final = 50
"""The maximum number of VMIs that are named in one place. The list of VMs has all of them."""


def node_page(seen: Seen, name: str) -> tuple[int, bytes]:
    """The status and the page."""
    report = seen.state.drains.report
    node = next((one for one in report.nodes if one.name == name), None) if report is not None else None
    if report is None or node is None:
        return 404, not_found(seen, "node")
    content = page(
        seen,
        f"Drain of {name}",
        trail((NODES, "Nodes"), here=name),
        element("h1", f"Drain of {name}: {verdict([node])}"),
        notices(seen),
        element(
            "p",
            outcome_badge(node.outcome),
            f" {counts(node.machines)}. Time: {full_time_of(node)}.",
            class_="answer-line",
        ),
        rehearsed(seen.state.drains),
        element(
            "div",
            element("div", _first(report, node), *_acting(seen, node)),
            element(
                "div",
                _waves(node),
                *_quiet(seen, node),
                _behind(report, node),
                remarks((*node.assumptions, *report.assumptions), report.missing),
            ),
            class_="halves",
        ),
        here=NODES,
        command=f"migratable drain {quote(name)}",
    )
    return 200, content


def _first(report: DrainReport, node: NodePlan) -> Html | None:
    return first_steps([step.text for step in report.first if node.name in step.nodes])


def _acting(seen: Seen, node: NodePlan) -> Iterator[Html]:
    """The VMIs that need an action, those with the same outcome and remedy together."""
    found = groups(Located(one, node.name) for one in node.machines)
    rest = sum(len(group.members) for group in found[_MOST_GROUPS:])
    more = element("a", f"{plural(rest, 'more VMI')} need an action", href=listed(VMS, [("node", node.name)]))
    if found:
        boxes = [_group(seen, node, group) for group in found[:_MOST_GROUPS]]
        yield section("Needs an action", boxes, element("p", more) if rest else None)


def _group(seen: Seen, node: NodePlan, group: Group) -> Html:
    outcome = group.members[0].machine.outcome
    shown = group.members[:_MOST_NAMES]
    rest = len(group.members) - len(shown)
    more = listed(VMS, [("node", node.name), ("drain", outcome)])
    return element(
        "article",
        element("h3", outcome_badge(outcome, group.phrase), f" {plural(len(group.members), 'VMI')}"),
        action(group.remedy),
        element(
            "ul",
            (element("li", _name(seen, one.machine), _why(one.machine)) for one in shown),
            element("li", element("a", f"and {rest} more", href=more)) if rest else None,
        ),
        class_="finding",
    )


def _why(machine: Machine) -> Child:
    text = reason(machine)
    return join(": ", prose(text)) if text else None


def _name(seen: Seen, machine: Machine) -> Html:
    return _link(seen, f"{machine.namespace}/{machine.name}")


def _link(seen: Seen, full_name: str) -> Html:
    """The name of a VMI, as a link if the caller may see its namespace."""
    namespace, _, name = full_name.partition("/")
    if seen.sight.shows(namespace):
        return element("a", full_name, href=vm_address(namespace, name))
    return element("span", full_name)


def _waves(node: NodePlan) -> Html | None:
    drawn = picture(node)
    if not drawn:
        return None
    return section("Migrations over time", element("div", drawing(DEFINITIONS), drawing(drawn), class_="waves"))


def _quiet(seen: Seen, node: NodePlan) -> Iterator[Html]:
    kinds: tuple[tuple[str, Sequence[Machine]], ...] = (
        (CAN_MOVE, [one for one in node.machines if one.outcome is Outcome.MOVES]),
        (CAN_RESTART, [one for one in node.machines if restarts(one)]),
    )
    for title, machines in kinds:
        if machines:
            yield section(f"{title} {targets(machines) or OTHER_NODES}", _names(seen, machines))


def _names(seen: Seen, machines: Sequence[Machine]) -> Html:
    def item(names: Sequence[str], remark: str) -> Html:
        links: list[Child] = []
        for name in names[:_MOST_NAMES]:
            links += [", " if links else None, _link(seen, name)]
        rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else None
        return element("li", links, rest, join(": ", prose(remark)) if remark else None)

    found = quiet(machines)
    rest = sum(len(one.names) for one in found[_MOST_GROUPS:])
    return element(
        "ul",
        (item(one.names, one.remark) for one in found[:_MOST_GROUPS]),
        element("li", f"and {plural(rest, 'more VMI')}") if rest else None,
    )


def _behind(report: DrainReport, node: NodePlan) -> Html | None:
    return left_by_upgrade(replace(report, upgrade=tuple(one for one in report.upgrade if one.node == node.name)))
