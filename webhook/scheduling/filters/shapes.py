"""
The nodes that the taints, selectors and node affinity of a pod exclude, whatever runs there.

These depend on fields that many pods share, so the result is kept. Source: ``nodename``, ``tainttoleration`` and
``nodeaffinity`` in ``pkg/scheduler/framework/plugins``, Kubernetes v1.34.2.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from webhook.objects.pods import Pod, PodSpec
from webhook.objects.scheduling import NodeTerm, Taint
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.node_selectors import NODE_NAME, matches, selects
from webhook.scheduling.taints import UNSCHEDULABLE, untolerated
from webhook.scheduling.verdicts import UNTOLERATED, Refusal, Refused, refused

NODE_AFFINITY: Final = "NodeAffinity"
CONFLICT: Final = Refusal(NODE_AFFINITY, "pod affinity terms conflict")
_UNMATCHED: Final = refused(NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector")
_NOT_NAMED: Final = refused(NODE_AFFINITY, "node(s) didn't satisfy plugin(s) [NodeAffinity]")
_OTHER_NODE: Final = refused("NodeName", "node(s) didn't match the requested node name")
_CORDONED: Final = refused("NodeUnschedulable", "node(s) were unschedulable")
_KEPT: Final = 256
"""The number of shapes that are kept. A shape takes about 16 bytes per node."""
_encoder: Final = msgspec.json.Encoder()


class Shape:
    """For each node by its position: whether the pod selects and tolerates it, and why not."""

    __slots__ = ("_tolerations", "is_selected", "refusals", "rejection", "tolerates_cordon")

    def __init__(self, spec: PodSpec, nodes: Sequence[NodeInfo]) -> None:
        terms = _terms(spec)
        named = _named_nodes(terms)
        self._tolerations = tuple(spec.tolerations or ())
        self.tolerates_cordon = untolerated((UNSCHEDULABLE,), self._tolerations) is None
        self.rejection: Refusal | None = CONFLICT if named is not None and not named else None
        """The reason why the pod fits no node of any cluster."""
        self.is_selected = [_is_selected(spec, terms, node) for node in nodes]
        self.refusals: list[Refused | None] = []
        """By node. The plugin NodeUnschedulable is not included, because nodes are cordoned during a rehearsal."""
        for node, is_selected in zip(nodes, self.is_selected, strict=True):
            if named is not None and node.name not in named:
                self.refusals.append(_NOT_NAMED)
            elif spec.node_name and spec.node_name != node.name:
                self.refusals.append(_OTHER_NODE)
            elif (taint := untolerated(_lasting(node), self._tolerations)) is not None:
                self.refusals.append(_untolerated(taint))
            else:
                self.refusals.append(None if is_selected else _UNMATCHED)

    def refusal(self, node: NodeInfo) -> Refused | None:
        """The first refusal of a node by these plugins."""
        first = self.refusals[node.index]
        if self.tolerates_cordon or first is _NOT_NAMED or not (node.is_unschedulable or node.has_cordon_taint):
            return first
        if node.is_unschedulable:
            return _CORDONED
        return first if first is not None and first is not _UNMATCHED else _untolerated(UNSCHEDULABLE)

    def tolerates(self, node: NodeInfo) -> bool:
        """Whether the pod tolerates all taints of a node, the taint of a cordoned node included."""
        return untolerated(node.taints, self._tolerations) is None


class Shapes:
    """The shapes of the last pods."""

    def __init__(self, nodes: Sequence[NodeInfo]) -> None:
        self._nodes = nodes
        self._kept: dict[bytes, Shape] = {}

    def of(self, pod: Pod) -> Shape:
        """The shape of a pod."""
        spec = pod.spec
        affinity = spec.affinity.node_affinity if spec.affinity is not None else None
        key = _encoder.encode((spec.node_name, spec.node_selector, affinity, spec.tolerations))
        shape = self._kept.get(key)
        if shape is None:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            shape = self._kept[key] = Shape(spec, self._nodes)
        return shape


def _untolerated(taint: Taint) -> Refused:
    return refused("TaintToleration", f"{UNTOLERATED} {{{taint.key}: {taint.value}}}")


def _lasting(node: NodeInfo) -> Sequence[Taint]:
    """The taints without the taint of a cordoned node, which comes and goes during a rehearsal."""
    return tuple(taint for taint in node.taints if taint != UNSCHEDULABLE) if node.taints else ()


def _terms(spec: PodSpec) -> Sequence[NodeTerm] | None:
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    if affinity is None or affinity.required is None:
        return None
    return affinity.required.node_selector_terms or ()


def _named_nodes(terms: Sequence[NodeTerm] | None) -> frozenset[str] | None:
    """
    The nodes that the terms list by name, or None if a term applies to all nodes.

    Source: ``PreFilter`` of ``nodeaffinity/node_affinity.go``, v1.34.2.
    """
    if not terms:
        return None
    names: set[str] = set()
    for term in terms:
        listed = [
            frozenset(field.values or ())
            for field in term.match_fields or ()
            if field.key == NODE_NAME and field.operator == "In"
        ]
        if not listed:
            return None
        names |= frozenset.intersection(*listed)
    return frozenset(names)


def _is_selected(spec: PodSpec, terms: Sequence[NodeTerm] | None, node: NodeInfo) -> bool:
    return selects(spec.node_selector or {}, node.labels) and (terms is None or matches(terms, node.name, node.labels))
