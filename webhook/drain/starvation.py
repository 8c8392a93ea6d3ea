"""
VMIs that move only between the attempts of VMIs without a node, which hold slots for 300 seconds at a time.

Source: ``handleTargetPodCreation`` and ``handlePendingPodTimeout`` of ``pkg/virt-controller/watch/migration/migration.go``,
v1.3.1 to v1.9.0.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from webhook.drain.evictions import Key
from webhook.drain.plan import Detail, Machine, Outcome


def starved(
    machines: Mapping[str, Sequence[Machine]], slots: Mapping[str, int], in_cluster: int, started: Collection[Key]
) -> dict[str, list[Machine]]:
    """
    The VMIs of nodes that are drained together, of which those that move wait if no slot is left for them.

    ``slots`` and ``in_cluster`` are the numbers of migrations that can start now from each node and in the cluster. The VMIs
    ``started`` have a slot already.
    """
    holders = {
        node: [f"{one.namespace}/{one.name}" for one in members if one.detail is Detail.NO_NODE]
        for node, members in machines.items()
    }
    held = sum(min(len(names), slots[node]) for node, names in holders.items())
    everyone = [name for names in holders.values() for name in names]
    found: dict[str, list[Machine]] = {}
    for node, members in machines.items():
        message = ""
        if holders[node] and len(holders[node]) >= slots[node]:
            message = _message(holders[node], f"{slots[node]} slots of the node")
        elif everyone and held >= in_cluster:
            message = _message(everyone, f"{in_cluster} slots of the cluster")
        found[node] = [_waiting(one, message) if message and _moves(one, started) else one for one in members]
    return found


def _moves(machine: Machine, started: Collection[Key]) -> bool:
    is_new = (machine.namespace, machine.name) not in started
    return machine.outcome is Outcome.MOVES and machine.detail is None and is_new


def _waiting(machine: Machine, message: str) -> Machine:
    return replace(machine, outcome=Outcome.WAITS, detail=Detail.STARVED, message=message)


def _message(holders: Sequence[str], slots: str) -> str:
    names = ", ".join(holders[:3]) + (" and others" if len(holders) > 3 else "")
    return (
        f"{names} fit no node and can hold all {slots} for 300 seconds at a time, so this VMI moves only between their "
        "attempts."
    )
