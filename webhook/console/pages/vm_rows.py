"""The rows of the list of VMs: which of them a filter chooses, and their order. This module renders nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from webhook.console.pages.query import Check, Parameters, anything, one_of, whole_number
from webhook.console.pages.seen import Seen
from webhook.console.pages.sorting import Key, one_of_columns, sort_rows
from webhook.console.pages.words import OUTCOMES, VERDICTS
from webhook.console.state import VM, MatchedPolicy, State
from webhook.drain.plan import Machine
from webhook.kubevirt.releases import Reason
from webhook.policy.policy import Action
from webhook.rules.register import RULES

NONE: Final = "none"
"""The value of ``reason`` for VMs without a reason, and of ``drain`` for VMs that no drain affects."""
ANSWERS: Final = ("yes", "no")
RULE_NAMES: Final = {rule.id: rule.name for rule in RULES}
RUNNING: Final = {"yes": "running", "no": "stopped"}
"""The words for whether a VM runs."""


class Row(NamedTuple):
    """A VM, the node on which it runs, and the effect of the node's drain."""

    vm: VM
    node: str = ""
    machine: Machine | None = None


_NOWHERE: Final[tuple[str, Machine | None]] = ("", None)
Predicate: TypeAlias = Callable[[Row], bool]

_ACTIONS: Final = {action: rank for rank, action in enumerate((*Action, ""))}
_VERDICTS: Final = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
_OUTCOMES: Final = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}


def _last(text: str) -> tuple[bool, str]:
    """The key of a text. Empty texts come last."""
    return not text, text


KEYS: Final[Mapping[str, "Key[Row]"]] = {
    "vm": lambda row: (row.vm.namespace, row.vm.name),
    "verdict": lambda row: _VERDICTS[row.vm.migratability],
    "reason": lambda row: _last(row.vm.reason),
    "findings": lambda row: (_ACTIONS[row.vm.action], row.vm.rules),
    "strategy": lambda row: _last(row.vm.strategy),
    "running": lambda row: not row.vm.is_running,
    "node": lambda row: _last(row.node),
    "drain": lambda row: len(_OUTCOMES) if row.machine is None else _OUTCOMES[row.machine.outcome],
}
"""The key of each column by which rows are sorted. Rows with equal keys keep the order of namespace and name."""
OF_NODES: Final = frozenset(("node", "drain"))
"""The columns and parameters for callers who may see nodes."""


def _text(value: str, _state: State) -> Predicate:
    words = frozenset(value.lower().split())  # an address has room for 1,000 words

    def has_all(row: Row) -> bool:
        name = f"{row.vm.namespace}/{row.vm.name}".lower()
        return all(word in name for word in words)

    return has_all


def _reason(value: str, _state: State) -> Predicate:
    wanted = "" if value == NONE else value
    return lambda row: row.vm.reason == wanted


def _drain(value: str, _state: State) -> Predicate:
    if value == NONE:
        return lambda row: row.machine is None
    return lambda row: row.machine is not None and row.machine.outcome == value


def _among(keys: Callable[[MatchedPolicy], Iterable[tuple[str, ...]]]) -> Callable[[str, State], Predicate]:
    def choose(value: str, state: State) -> Predicate:
        members = {key[:2] for policy in state.policies if policy.name == value for key in keys(policy)}
        return lambda row: (row.vm.namespace, row.vm.name) in members

    return choose


_FILTERS: Final[Mapping[str, Callable[[str, State], Predicate]]] = {
    "q": _text,
    "verdict": lambda value, _: lambda row: row.vm.migratability == value,
    "reason": _reason,
    "rule": lambda value, _: lambda row: value in row.vm.rules,
    "namespace": lambda value, _: lambda row: row.vm.namespace == value,
    "running": lambda value, _: lambda row: row.vm.is_running == (value == "yes"),
    "differs": lambda value, _: lambda row: row.vm.is_disputed == (value == "yes"),
    "node": lambda value, _: lambda row: row.node == value,
    "drain": _drain,
    "policy": _among(lambda policy: policy.decides),
    "loses": _among(lambda policy: policy.loses),
    "maybe": _among(lambda policy: policy.unknown),
}


def known_parameters(seen: Seen) -> dict[str, Check]:
    """The parameters of the list and the check of their values."""
    sight = seen.sight
    checks: dict[str, Check] = {
        "q": anything,
        "verdict": one_of(list(VERDICTS)),
        "reason": one_of([*Reason, NONE]),
        "rule": one_of(sorted(RULE_NAMES)),
        "namespace": anything,
        "running": one_of(ANSWERS),
        "differs": one_of(ANSWERS),
    }
    if sight.nodes:
        checks |= {"node": anything, "drain": one_of([*OUTCOMES, NONE])}
    if sight.policies:
        checks |= dict.fromkeys(("policy", "loses", "maybe"), anything)
    columns = [name for name in KEYS if sight.nodes or name not in OF_NODES]
    return checks | {"sort": one_of_columns(columns), "page": whole_number}


def rows_of(seen: Seen) -> list[Row]:
    """All visible rows, in the order of namespace and name."""
    drained = seen.drained
    return [Row(vm, *drained.get((vm.namespace, vm.name), _NOWHERE)) for vm in seen.state.vms]


def chosen(rows: Iterable[Row], parameters: Parameters, state: State) -> list[Row]:
    """The rows that all filters choose, sorted."""
    predicates = list(_predicates(parameters, state))
    remaining = [row for row in rows if all(predicate(row) for predicate in predicates)]
    sort_rows(remaining, KEYS, parameters["sort"])
    return remaining


def _predicates(parameters: Parameters, state: State) -> Iterator[Predicate]:
    for name, value in parameters.items():
        if name in _FILTERS:
            yield _FILTERS[name](value, state)
