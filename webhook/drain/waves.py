"""
The time that the migrations of a drain take together.

KubeVirt starts the next migration when one ends, and its order is undefined. So the time is a range that holds for every order.
Source: ``handleTargetPodCreation`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.3.1 to v1.9.0.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from webhook.drain.plan import Seconds

ASKS_AGAIN: Final = 5
"""The seconds after which ``kubectl drain`` requests an eviction again (``pkg/drain/drain.go`` of kubectl v1.34)."""
UNSCHEDULABLE: Final = 300
"""The seconds for which an unschedulable target pod holds its slots."""


def together(moves: Mapping[str, Sequence[Seconds]], outbound: int, in_cluster: int) -> dict[str, Seconds | None]:
    """
    The time until the last VMI has left, for each of the nodes that are drained at the same time.

    ``outbound`` and ``in_cluster`` are the numbers of migrations that can run at the same time from one node and in the cluster.
    A node without migrations takes no time. The result for a node is None if no migration can start.
    """
    if outbound <= 0 or in_cluster <= 0:
        return {node: Seconds(0, 0) if not times else None for node, times in moves.items()}
    slots = min(outbound, in_cluster)
    is_shared = sum(min(len(times), outbound) for times in moves.values()) > in_cluster
    everything = [one for times in moves.values() for one in times]
    return {
        node: Seconds(_shortest(times, slots), _longest(times, slots, everything, in_cluster if is_shared else 0))
        if times
        else Seconds(0, 0)
        for node, times in moves.items()
    }


def _shortest(times: Sequence[Seconds], slots: int) -> int:
    """The least time in which migrations can end, with ``slots`` of them at the same time. There is at least one."""
    best = [one.best for one in times]
    return max(-(-sum(best) // slots), *best)


def _longest(times: Sequence[Seconds], slots: int, everything: Sequence[Seconds], in_cluster: int) -> int | None:
    """
    The most time that migrations of one node can take (Graham's bound). The last migration waits only while all slots of its
    node are taken, or all slots of the cluster if ``in_cluster`` is not 0. The result is None if a migration has no limit.
    """
    worst = [one.worst for one in times]
    limits = [one for one in worst if one is not None]
    if len(limits) < len(worst):
        return None
    longest = max(limits)
    waiting = (sum(limits) - longest) // slots
    if in_cluster:
        others = [one.worst for one in everything]
        known = [one for one in others if one is not None]
        if len(known) < len(others):
            return None
        waiting += (sum(known) - longest) // in_cluster
    return waiting + longest + ASKS_AGAIN
