"""The words, counts and groups that all formats of a drain share."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from webhook.drain.plan import SEVERITY, Detail, DrainReport, Machine, NodePlan, Outcome, Seconds
from webhook.report.phrases import plural
from webhook.report.printable import escaped

FIRST: Final = 3
"""The maximum number of first steps that a format for people shows."""
WORDS: Final = {
    Detail.RESTARTS: "starts again on another node",
    Detail.WAITS_FOR_NODE: "stays down until this node is back",
    Detail.STAYS_DOWN: "stays down",
    Detail.GONE: "is not created again",
    Detail.NOT_MIGRATABLE: "cannot be live-migrated",
    Detail.EXTERNAL: "an outside controller has to act",
    Detail.TARGET: "target of a migration that has not ended",
    Detail.HOTPLUG: "attachment pod of a hotplugged volume",
    Detail.MARKED: "marked for the evacuation of another node",
    Detail.BUDGET: "a PodDisruptionBudget refuses the eviction",
    Detail.QUOTA: "a ResourceQuota refuses the target pod",
    Detail.LIMIT_RANGE: "a LimitRange refuses the target pod",
    Detail.NO_NODE: "no other node fits",
    Detail.STARVED: "VMIs without a node hold the slots",
    Detail.MIGRATION_FAILS: "the target pod cannot be created",
    Detail.MAY_NOT_FIT: "fits in some orders of the migrations only",
    Detail.MISSING_FACT: "a fact is missing",
}
MODES: Final = {
    "together": "at the same time",
    "each": "each node alone, from the present state",
    "rolling": "one after the other",
}
_NO_VMI: Final = "Upgrade of KubeVirt: no VMI needs an action"
_MINUTE, _HOUR = 60, 3600


class Located(NamedTuple):
    """A VMI and the node that it leaves."""

    machine: Machine
    node: str

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.machine.namespace}/{self.machine.name}"


class Group(NamedTuple):
    """VMIs with the same outcome and the same remedy."""

    phrase: str
    remedy: str
    members: tuple[Located, ...]


def safe(report: DrainReport) -> DrainReport:
    """The report with all unprintable characters escaped. No format for people may print another report."""
    return msgspec.convert(_escaped(msgspec.to_builtins(report)), DrainReport)


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value


def needs_action(machine: Machine) -> bool:
    """Whether the VMI neither moves nor restarts, so that a user has to act or to accept that it is down."""
    return machine.outcome is not Outcome.MOVES and not restarts(machine)


def restarts(machine: Machine) -> bool:
    """Whether the VMI is shut down and starts again on another node."""
    return machine.outcome is Outcome.STOPS and machine.detail is Detail.RESTARTS


def located(report: DrainReport) -> list[Located]:
    """All VMIs, node by node."""
    return [Located(machine, node.name) for node in report.nodes for machine in node.machines]


def phrase(machine: Machine) -> str:
    """The outcome and the detail of a VMI, such as ``waits (no other node fits)``."""
    if machine.detail is None:
        return str(machine.outcome)
    return f"{machine.outcome} ({WORDS.get(machine.detail, str(machine.detail))})"


def groups(members: Iterable[Located], *, by_remedy: bool = True) -> list[Group]:
    """
    The VMIs that need an action, by outcome, detail and remedy. The most severe outcome is first.

    Remedies that differ only in the name of the VMI are one remedy, with ``NAME -n NAMESPACE`` in place of the name.
    """

    def key(one: Located) -> tuple[int, str, str]:
        return (
            -SEVERITY.index(one.machine.outcome),
            phrase(one.machine),
            common_remedy(one.machine) if by_remedy else "",
        )

    acting = sorted((one for one in members if needs_action(one.machine)), key=key)
    found = [(words, tuple(group)) for (_, words, _), group in groupby(acting, key)]
    return [Group(words, _remedy(same), same) for words, same in found]


def common_remedy(machine: Machine) -> str:
    """The remedy, with ``NAME -n NAMESPACE`` in place of the name of the VMI."""
    named = machine.remedy.replace(f"{machine.name} -n {machine.namespace}", "NAME -n NAMESPACE")
    return named.replace(f"{machine.namespace}/{machine.name}", "NAMESPACE/NAME")


def _remedy(members: Sequence[Located]) -> str:
    """The remedy of the group. If the remedies differ, that of the first VMI, with its name."""
    first = members[0]
    if all(one.machine.remedy == first.machine.remedy for one in members):
        return first.machine.remedy
    common = {common_remedy(one.machine) for one in members}
    return common.pop() if len(common) == 1 else f"For example, for {first.name}: {first.machine.remedy}"


def reason(machine: Machine) -> str:
    """The message with the reasons."""
    return " ".join(text for text in (machine.message, "; ".join(new_reasons(machine))) if text)


def counts(machines: Sequence[Machine]) -> str:
    """``6 VMIs: 3 move, 1 stops, 2 block``. An outcome without VMIs is not named."""
    numbers = {outcome: sum(one.outcome is outcome for one in machines) for outcome in SEVERITY}
    parts = [_verb(number, outcome) for outcome, number in numbers.items() if number]
    return plural(len(machines), "VMI") + (f": {', '.join(parts)}" if parts else "")


def totals(report: DrainReport) -> str:
    """``counts`` of a whole report. A rolling drain can evict a VMI more than once."""
    everything = located(report)
    number = len({one.name for one in everything})
    words = counts([one.machine for one in everything])
    if report.mode != "rolling" or number == len(everything):
        return words
    return f"{plural(len(everything), 'eviction')} of {plural(number, 'VMI')}:{words.partition(':')[2]}"


def _verb(number: int, outcome: Outcome) -> str:
    if outcome is Outcome.UNKNOWN:
        return f"{number} unknown"
    return f"{number} {outcome if number == 1 else outcome.removesuffix('s')}"


class Behind(NamedTuple):
    """VMIs with the same problem in an upgrade."""

    message: str
    remedy: str
    names: tuple[str, ...]
    """The VMIs as ``namespace/name (node)``."""


def left_behind(report: DrainReport) -> list[Behind]:
    """The VMIs that an upgrade leaves behind, those with the same message and remedy together."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in report.upgrade:
        found.setdefault((one.message, one.remedy), []).append(f"{one.namespace}/{one.name} ({one.node})")
    return [Behind(message, remedy, tuple(names)) for (message, remedy), names in found.items()]


def upgrade_title(report: DrainReport) -> str:
    """The headline of a report without a drain."""
    number = len({(one.namespace, one.name) for one in report.upgrade})
    needs = "needs" if number == 1 else "need"
    return f"Upgrade of KubeVirt: {plural(number, 'VMI')} {needs} an action" if number else _NO_VMI


NODE_VERDICTS: Final = {
    Outcome.BLOCKS: "the drain is blocked",
    Outcome.WAITS: "the drain does not end",
    Outcome.UNKNOWN: "cannot tell whether the drain ends",
    Outcome.STOPS: "VMIs restart or stay down",
    Outcome.MOVES: "every VMI moves",
}
"""The result of a drain by its outcome. ``verdict`` says more about a drain that stops VMIs."""


def verdict(nodes: Sequence[NodePlan]) -> str:
    """The result of the drain as a short phrase."""
    machines = [machine for node in nodes for machine in node.machines]
    outcome = max((node.outcome for node in nodes), key=SEVERITY.index, default=Outcome.MOVES)
    if outcome in (Outcome.BLOCKS, Outcome.WAITS, Outcome.UNKNOWN):
        return NODE_VERDICTS[outcome]
    if not machines:
        return "no VMI is affected"
    if outcome is Outcome.MOVES:
        return NODE_VERDICTS[outcome]
    if any(needs_action(one) for one in machines if one.outcome is Outcome.STOPS):
        return "the drain ends, but VMIs stay down"
    return "every VMI moves or restarts"


def time_of(node: NodePlan) -> str:
    """The time of the drain of a node."""
    if node.seconds is not None:
        return span(node.seconds)
    return "no end" if node.outcome in (Outcome.BLOCKS, Outcome.WAITS) else "not known"


def full_time_of(node: NodePlan) -> str:
    """The time of the drain of a node. If the drain does not end: also the time without the VMIs that hold it up."""
    return _with_rest(time_of(node), node.seconds_without)


def time_of_all(report: DrainReport) -> str:
    """The time of the whole drain, as ``full_time_of``. It is empty if each node is judged alone."""
    if report.mode == "each" or not report.nodes:
        return ""
    whole = _whole([node.seconds for node in report.nodes], report.mode)
    if whole is not None:
        return span(whole)
    endless = any(time_of(node) == "no end" for node in report.nodes)
    return _with_rest(
        "no end" if endless else "not known",
        _whole([node.seconds or node.seconds_without for node in report.nodes], report.mode),
    )


def _with_rest(words: str, rest: Seconds | None) -> str:
    if rest is None or rest.worst == 0:
        return words
    return f"{words}; without the VMIs that hold it up, {span(rest)}"


def _whole(times: Sequence[Seconds | None], mode: str) -> Seconds | None:
    """The time of all nodes together, or None if one of the times is not known."""
    known = [one for one in times if one is not None]
    if len(known) < len(times):
        return None
    whole = sum if mode == "rolling" else max
    limits = [one.worst for one in known if one.worst is not None]
    return Seconds(whole(one.best for one in known), whole(limits) if len(limits) == len(known) else None)


def span(seconds: Seconds) -> str:
    """A range of time, such as ``40 s to 10 min``."""
    best = duration(seconds.best)
    if seconds.worst is None:
        return f"{best} or more"
    limit = duration(seconds.worst)
    return best if best == limit else f"{best} to {limit}"


def duration(seconds: int) -> str:
    """A time in the unit that a person would choose: ``45 s``, ``12 min``, ``2 h 30 min``. Minutes are rounded up."""
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    minutes = -(-seconds // _MINUTE)
    if minutes < _HOUR // _MINUTE * 2:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def some(names: Sequence[str], most: int) -> str:
    """The first names, and the number of the others."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def targets(machines: Iterable[Machine]) -> str:
    """The nodes that could run the VMIs, at most ten of them."""
    machines = list(machines)
    names = sorted({name for machine in machines for name in machine.nodes})
    is_cut = any(machine.node_count > len(machine.nodes) for machine in machines)
    return some(names, 10) + (" and others" if is_cut and len(names) <= 10 else "")


class Quiet(NamedTuple):
    """VMIs that need no action, with the same remark."""

    names: tuple[str, ...]
    remark: str
    """Empty if there is nothing to remark."""


CAN_MOVE: Final = "Can move to"
CAN_RESTART: Final = "Can restart on"
OTHER_NODES: Final = "other nodes"
"""The destinations of VMIs if no node has a name."""


def quiet(machines: Iterable[Machine]) -> list[Quiet]:
    """The VMIs that move or restart, those with the same remark together."""
    found: dict[str, list[str]] = {}
    for one in machines:
        remark = " ".join(text for text in (one.message, common_remedy(one)) if text)
        found.setdefault(remark, []).append(f"{one.namespace}/{one.name}")
    return [Quiet(tuple(names), remark) for remark, names in found.items()]


def new_reasons(machine: Machine) -> list[str]:
    """The reasons that the message does not repeat."""
    return [text for text in machine.reasons if text not in machine.message]
