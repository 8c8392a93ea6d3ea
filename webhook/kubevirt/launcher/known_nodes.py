"""
The facts about the nodes of a cluster that do not depend on a VM.

A world returns the same nodes again until a node changes, and a cluster has many VMs. So the facts about the latest nodes are
kept. This module does no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from webhook.facts.derived import Derived
from webhook.facts.target import NodeSizes
from webhook.kubevirt.launcher.selectors import family_of
from webhook.objects.nad import SCHEDULABLE, Node
from webhook.objects.scheduling import NodeTerm
from webhook.scheduling.fit import Place, Pod, fits, is_selected
from webhook.scheduling.taints import UNSCHEDULABLE

_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "kubevirt.io/drain", "ToBeDeleted")
"""Taints that mark a node in maintenance or with a fault. They can be gone when the next migration starts."""
_MOST_PODS: Final = 4096
"""The number of different pods whose nodes are kept."""
_MOST_GROUPS: Final = 4


class Fitting:
    """The nodes that fit a pod. Pods with equal selectors, affinity and tolerations share one object."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.allocatable: Sequence[tuple[str, Mapping[str, int]]] | None = None
        """The names of the nodes with a known size, and their allocatable amounts. Set by ``room``."""
        self.sizes: dict[tuple[tuple[str, int], ...], NodeSizes] = {}
        """The sizes of the nodes, by the amounts that a pod requests. Set by ``room``."""


class NodeGroup:
    """Some nodes of a cluster, with an index of their labels for the VMs that select few of them."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.places = tuple(map(place_of, nodes))
        self.keys = frozenset(key for node in nodes for key in node.meta.labels or ())
        """The names of the labels of all nodes."""
        self.families = frozenset(map(family_of, self.keys))
        """The families of the labels of all nodes (``family_of``)."""
        self._fitting: dict[bytes, Fitting] = {}
        self._by_label: dict[tuple[str, str], list[int]] | None = None

    def selected(self, pod: Pod) -> Iterator[Node]:
        """The nodes that the ``nodeSelector`` and the node affinity of a pod select, in order."""
        for number in self._near(pod):
            if is_selected(pod, self.places[number]):
                yield self.nodes[number]

    def fitting(self, pod: Pod) -> Fitting:
        """The nodes that fit a pod."""
        key = msgspec.msgpack.encode((sorted(pod.node_selector.items()), pod.terms, pod.tolerations, pod.node_name))
        known = self._fitting.get(key)
        if known is None:
            if len(self._fitting) >= _MOST_PODS:
                self._fitting.clear()
            nodes = tuple(self.nodes[number] for number in self._near(pod) if fits(pod, self.places[number]))
            known = self._fitting[key] = Fitting(nodes)
        return known

    def _near(self, pod: Pod) -> Sequence[int]:
        """The numbers of nodes, among them all that the pod selects. The requirement with the fewest nodes is looked up."""
        alternatives: list[Sequence[tuple[str, str]]] = [[label] for label in pod.node_selector.items()]
        if pod.terms is not None and (listed := _listed(pod.terms)) is not None:
            alternatives.append(listed)
        if not alternatives:
            return range(len(self.nodes))
        by_label = self._by_label
        if by_label is None:
            by_label = {}
            for number, place in enumerate(self.places):
                for label in place.labels.items():
                    by_label.setdefault(label, []).append(number)
            self._by_label = by_label  # only when it is complete, because several threads can judge
        fewest = min(alternatives, key=lambda labels: sum(len(by_label.get(label, ())) for label in labels))
        return sorted({number for label in fewest for number in by_label.get(label, ())})


def _listed(terms: Iterable[NodeTerm]) -> Sequence[tuple[str, str]] | None:
    """Labels of which each selected node has one. None if a term lists no values."""
    labels: list[tuple[str, str]] = []
    for term in terms:
        listed = next((one for one in term.match_expressions or () if one.operator == "In"), None)
        if listed is None:
            return None
        labels += [(listed.key, value) for value in listed.values or ()]
    return labels


class _States(msgspec.Struct, frozen=True):
    """The facts about all nodes."""

    known: tuple[Node, ...]
    running: tuple[Node, ...]
    closed: Mapping[str, str]
    has_sizes: bool


_groups: tuple[NodeGroup, ...] = ()
"""The latest groups of nodes, such as those that run VMs."""


def _states(nodes: tuple[Node, ...]) -> _States:
    known = tuple(node for node in nodes if SCHEDULABLE in (node.meta.labels or ())) or nodes
    is_labelled = any(SCHEDULABLE in (node.meta.labels or ()) for node in nodes)
    running = tuple(node for node in nodes if node.traits.schedulable) if is_labelled else nodes
    closed = {node.name: reason for node in known if (reason := _unavailable(node))}
    has_sizes = any(node.status is not None and node.status.allocatable for node in nodes)
    return _States(known, running, closed, has_sizes)


_STATES: Final = Derived(_states)


def group_of(nodes: Sequence[Node]) -> NodeGroup:
    """The facts about some nodes."""
    global _groups  # noqa: PLW0603 - replaced as a whole
    known = _groups
    for group in known:
        if group.nodes is nodes:
            return group
    made = NodeGroup(nodes if isinstance(nodes, tuple) else tuple(nodes))
    _groups = (made, *known[: _MOST_GROUPS - 1])
    return made


def running_vms(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes that run VMs. If no node has the label ``kubevirt.io/schedulable``, these are all nodes."""
    return _STATES.of(nodes).running


def known_to_run_vms(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """
    The nodes on which virt-handler runs or ran. If no node has the label ``kubevirt.io/schedulable``, these are all nodes.
    """
    return _STATES.of(nodes).known


def closed_nodes(nodes: tuple[Node, ...]) -> Mapping[str, str]:
    """The nodes known to run VMs on which no VM can start now, each with the reason as the predicate of a sentence."""
    return _STATES.of(nodes).closed


def have_sizes(nodes: tuple[Node, ...]) -> bool:
    """Whether ``status.allocatable`` of a node is known."""
    return _STATES.of(nodes).has_sizes


def place_of(node: Node) -> Place:
    """The labels and the lasting taints of a node."""
    taints = (node.spec.taints if node.spec is not None else None) or ()
    lasting = tuple(taint for taint in taints if not taint.key.startswith(_PASSING)) if taints else ()
    return Place(node.name, node.meta.labels or {}, lasting)


def _unavailable(node: Node) -> str:
    if (node.meta.labels or {}).get(SCHEDULABLE, "true") != "true":
        return f"label {SCHEDULABLE} is not true"
    spec = node.spec
    is_cordoned = spec is not None and (
        spec.unschedulable or any(taint.key == UNSCHEDULABLE.key for taint in spec.taints or ())
    )
    return "cordoned" if is_cordoned else ""
