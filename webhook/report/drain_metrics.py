"""
The drain of each node as metrics. This file does no I/O.

An outcome that is not known is ``unknown``, and never ``moves``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from webhook.drain.plan import SEVERITY, Outcome
from webhook.objects.fleet_kinds import ESSENTIAL, FLEET_BY_CLASS
from webhook.report.metrics_text import Family, single

KINDS: Final = tuple(FLEET_BY_CLASS[kind].kind for kind in ESSENTIAL)
"""The kinds without which the outcome of a node is unknown."""


class DrainedVM(msgspec.Struct, frozen=True):
    """The part of a VM in a ``DrainReport`` that is counted."""

    outcome: Outcome


class DrainedNode(msgspec.Struct, frozen=True):
    """The part of a node in a ``DrainReport`` that is counted."""

    name: str
    outcome: Outcome
    machines: tuple[DrainedVM, ...] = ()


class NodeDrains(msgspec.Struct, frozen=True, rename="camel"):
    """The parts of a ``DrainReport`` in mode ``each`` that are counted."""

    nodes: tuple[DrainedNode, ...] = ()
    missing: tuple[str, ...] = ()
    """The kinds that could not be read, each with the reason, for the log."""
    missing_kinds: tuple[str, ...] = ()


def unknown_drains(before: NodeDrains, why: str) -> NodeDrains:
    """The result if no drain could be rehearsed: all nodes of the last result have an unknown outcome."""
    nodes = tuple(DrainedNode(node.name, Outcome.UNKNOWN) for node in before.nodes)
    return NodeDrains(nodes, tuple(f"{kind}: {why}" for kind in KINDS), KINDS)


def families(drains: NodeDrains, rehearsed_at: float | None) -> Iterator[Family]:
    """
    The metrics. Each node has one series for each outcome, so that a query can tell a change from a gap.

    ``rehearsed_at`` is the time of the last rehearsal that succeeded, in seconds since 1970.
    """
    outcomes = {node.name: _known(node.outcome, drains.missing_kinds) for node in drains.nodes}
    yield Family(
        "migratable_node_drain",
        "1 for the outcome of the node's drain: moves, stops, unknown, waits or blocks (the worst outcome of its VMs).",
        ("node", "outcome"),
        {(node, outcome.value): int(outcome is known) for node, known in outcomes.items() for outcome in SEVERITY},
    )
    yield Family(
        "migratable_node_drain_vms",
        "VMs of the node with this outcome of a drain.",
        ("node", "outcome"),
        _vms(drains.nodes),
    )
    yield Family(
        "migratable_node_drain_unread",
        "1 if the kind could not be read, so that the outcome of nodes is unknown. The log contains the reason.",
        ("kind",),
        {(kind,): int(kind in drains.missing_kinds) for kind in KINDS},
    )
    if rehearsed_at is not None:
        yield single(
            "migratable_node_drain_timestamp_seconds",
            "Unix time of the last rehearsal of the drain of each node.",
            rehearsed_at,
        )


def _known(outcome: Outcome, missing: Iterable[str]) -> Outcome:
    """The outcome of a node. If a kind is missing, VMs can be missing, and only a worse outcome than unknown is certain."""
    return max(outcome, Outcome.UNKNOWN, key=SEVERITY.index) if missing else outcome


def _vms(nodes: Iterable[DrainedNode]) -> dict[tuple[str, ...], int]:
    return {
        (node.name, outcome.value): count
        for node in nodes
        for outcome, count in Counter(vm.outcome for vm in node.machines).items()
    }
