"""The actions to take before a drain, the most urgent first."""

from collections.abc import Iterable
from typing import Final

from webhook.drain.plan import Detail, Machine, NodePlan, Outcome, Step

_URGENCY: Final = (
    Detail.NO_NODE,
    Detail.MIGRATION_FAILS,
    Detail.NOT_MIGRATABLE,
    Detail.BUDGET,
    Detail.EXTERNAL,
    Detail.TARGET,
    Detail.HOTPLUG,
    Detail.QUOTA,
    Detail.LIMIT_RANGE,
    Detail.WAITS_FOR_NODE,
    Detail.STAYS_DOWN,
    Detail.GONE,
    Detail.MAY_NOT_FIT,
    Detail.MISSING_FACT,
)
"""
The details that need an action. VMIs without a node are first, because they hold slots for 300 seconds at a time and delay all
others.
"""
_NAMED: Final = 3
"""The number of VMIs that an action names."""
_AFTER_ALL = len(_URGENCY)


def _needs_step(machine: Machine) -> bool:
    """
    Whether the drain does not end, or the VM does not run again, unless an administrator acts on this VM. A starved VM moves
    after a step for the VMs that hold the slots.
    """
    return machine.outcome is not Outcome.MOVES and machine.detail not in {Detail.RESTARTS, Detail.STARVED}


def by_urgency(machines: Iterable[Machine]) -> tuple[Machine, ...]:
    """The VMIs in the order of a report: the most urgent first, then by name."""
    return tuple(sorted(machines, key=lambda machine: (_rank(machine), machine.namespace, machine.name)))


def first_steps(nodes: Iterable[NodePlan], most: int = 3) -> tuple[Step, ...]:
    """At most ``most`` actions. VMIs with the same problem and the same kind of remedy are one action."""
    groups: dict[tuple[Detail | None, str], list[tuple[Machine, str]]] = {}
    for node in nodes:
        for machine in node.machines:
            if _needs_step(machine):
                groups.setdefault((machine.detail, _without_name(machine)), []).append((machine, node.name))
    ranked = sorted(groups.values(), key=lambda members: (_rank(members[0][0]), -len(members), members[0][0].name))
    return tuple(_step(members) for members in ranked[:most])


def _rank(machine: Machine) -> int:
    if not _needs_step(machine):
        return _AFTER_ALL + (machine.outcome is Outcome.MOVES)
    return _URGENCY.index(machine.detail) if machine.detail in _URGENCY else _AFTER_ALL - 1


def _without_name(machine: Machine) -> str:
    return machine.remedy.replace(machine.name, "").replace(machine.namespace, "")


def _step(members: list[tuple[Machine, str]]) -> Step:
    machine = members[0][0]
    names = tuple(sorted({f"{one.namespace}/{one.name}" for one, _ in members}))
    nodes = tuple(sorted({node for _, node in members}))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Step(f"{', '.join(names[:_NAMED])}{more}: {machine.remedy or machine.message}", names, nodes)
