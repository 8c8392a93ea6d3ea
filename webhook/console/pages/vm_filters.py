"""The filters of the list of VMs: a plain form, and the filters in force."""

from collections.abc import Iterator, Sequence
from typing import Final

from webhook.console.pages.addresses import VMS
from webhook.console.pages.listing import chips, choice, text_field
from webhook.console.pages.query import Parameters
from webhook.console.pages.vm_rows import NONE, RULE_NAMES, RUNNING, Row
from webhook.console.pages.words import OUTCOMES, VERDICTS
from webhook.surfaces.api.page.markup import Html, element

MOST_OPTIONS: Final = 100
"""The maximum number of namespaces and nodes in a menu. Beyond it, their names are typed."""
_NO_REASON: Final = "no reason known"
_NO_DRAIN: Final = "not affected"
_LABELS: Final = {
    "q": "Name",
    "verdict": "Verdict",
    "reason": "Reason",
    "rule": "Rule",
    "namespace": "Namespace",
    "running": "Running",
    "differs": "Condition differs from the verdict",
    "node": "Node",
    "drain": "If its node is drained",
    "policy": "MigrationPolicy in force",
    "loses": "MigrationPolicy not in force",
    "maybe": "MigrationPolicy may be in force",
}


def filter_form(rows: Sequence[Row], parameters: Parameters, *, has_nodes: bool) -> Html:
    """The form. Its menus have the values of the visible rows."""
    fields = list(_fields(rows, parameters, has_nodes=has_nodes))
    first, others = fields[:2], fields[2:]
    hidden = (
        element("input", type="hidden", name=name, value=value)
        for name, value in parameters.items()
        if name in ("sort", "policy", "loses", "maybe", "differs")
    )
    is_open = any(parameters[name] for name in ("reason", "rule", "namespace", "running", "node", "drain"))
    return element(
        "form",
        element("div", first, element("button", "Filter", class_="main"), class_="fields"),
        element(
            "details",
            element("summary", "More filters"),
            element("div", others, class_="fields all"),
            open=is_open,
            id="more",
        ),
        hidden,
        class_="filters",
        method="get",
        action=VMS,
        role="search",
    )


def _fields(rows: Sequence[Row], parameters: Parameters, *, has_nodes: bool) -> Iterator[Html]:
    yield text_field("q", _LABELS["q"], parameters["q"], hint="namespace/name")
    yield choice(
        "verdict", _LABELS["verdict"], [(key, words) for key, (_, words) in VERDICTS.items()], parameters["verdict"]
    )
    reasons = {row.vm.reason or NONE for row in rows}
    yield _menu("reason", reasons, parameters, {NONE: _NO_REASON})
    yield _menu("rule", {rule for row in rows for rule in row.vm.rules}, parameters, _rule_labels())
    yield _names("namespace", {row.vm.namespace for row in rows}, parameters)
    yield choice("running", _LABELS["running"], RUNNING.items(), parameters["running"])
    if has_nodes:
        yield _names("node", {row.node for row in rows}, parameters)
        outcomes = [(outcome, words) for outcome, (_, words) in OUTCOMES.items()]
        yield choice("drain", _LABELS["drain"], [*outcomes, (NONE, _NO_DRAIN)], parameters["drain"])


def _menu(name: str, values: set[str], parameters: Parameters, words: dict[str, str]) -> Html:
    """A menu of the values that exist, and of the chosen value."""
    options = sorted((values | {parameters[name]}) - {""}, key=lambda value: (value == NONE, value))
    return choice(name, _LABELS[name], [(value, words.get(value, value)) for value in options], parameters[name])


def _names(name: str, values: set[str], parameters: Parameters) -> Html:
    if len(values) <= MOST_OPTIONS:
        return _menu(name, values, parameters, {})
    return text_field(name, _LABELS[name], parameters[name])


def _rule_labels() -> dict[str, str]:
    return {rule: f"{rule} {name}" for rule, name in RULE_NAMES.items()}


def filters_in_force(parameters: Parameters) -> Html | None:
    """The filters, each with a link that removes it."""
    return chips(_active(parameters), VMS, parameters)


def _active(parameters: Parameters) -> Iterator[tuple[str, str, str]]:
    for name, value in parameters.items():
        if name in _LABELS:
            yield name, _LABELS[name], _value(name, value)


def _value(name: str, value: str) -> str:
    if name == "verdict":
        return next(words for verdict, (_, words) in VERDICTS.items() if verdict == value)
    if value == NONE and name in ("reason", "drain"):
        return _NO_REASON if name == "reason" else _NO_DRAIN
    if name == "running":
        return RUNNING[value]
    return value
