"""
The nodes that can use a PersistentVolume, from its ``nodeAffinity``.

The operators are those of kube-scheduler (``k8s.io/component-helpers/scheduling/corev1/nodeaffinity``, v0.34). This module does
no I/O.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from webhook.facts.unknown import Fact, Unknown
from webhook.objects.nad import Node
from webhook.objects.vmi import NodeRequirement, NodeTerm

HOSTNAME: Final = "kubernetes.io/hostname"
NODE_NAME: Final = "metadata.name"
PER_NODE: Final = frozenset(
    (
        HOSTNAME,
        NODE_NAME,
        "topology.topolvm.io/node",
        "topology.topolvm.cybozu.com/node",
        "topology.hostpath.csi/node",
        "topology.lvm.csi/node",
        "openebs.io/nodename",
        "openebs.io/nodeid",
        "linbit.com/hostname",
    )
)
"""Labels whose value differs on every node. ``metadata.name`` is a field."""


def usable_nodes(terms: Sequence[NodeTerm], nodes: Fact[tuple[Node, ...]]) -> tuple[str, ...] | None:
    """
    The nodes that can use the volume, if they are fewer than two. The result is None for two or more nodes, or if this is
    not known.

    A label that no given node has is unknown, because a snapshot contains only some labels of a node.
    """
    named = [_names(term) for term in terms]
    if named and all(names is not None for names in named):
        union = sorted({name for names in named for name in names or ()})
        if len(union) < 2:
            return tuple(union)
    if isinstance(nodes, Unknown) or len(nodes) < 2:
        return None
    known = {key for node in nodes for key in node.meta.labels or ()} | {NODE_NAME}
    if any(requirement.key not in known for term in terms for requirement in _requirements(term)):
        return None
    usable = tuple(node.name for node in nodes if matches(terms, node.name, node.meta.labels or {}))
    return usable if len(usable) < 2 else None


def matches(terms: Iterable[NodeTerm], name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node matches one of the terms. A term without requirements matches no node."""
    values = {**labels, NODE_NAME: name}
    return any(
        bool(requirements := _requirements(term)) and all(_holds(requirement, values) for requirement in requirements)
        for term in terms
    )


def _names(term: NodeTerm) -> set[str] | None:
    """The names of nodes that a term lists, or None if the term lists no names."""
    listed = [
        set(requirement.values or ())
        for requirement in _requirements(term)
        if requirement.key in PER_NODE and requirement.operator == "In"
    ]
    return set.intersection(*listed) if listed else None


def _requirements(term: NodeTerm) -> Sequence[NodeRequirement]:
    return (*(term.match_expressions or ()), *(term.match_fields or ()))


def _holds(requirement: NodeRequirement, labels: Mapping[str, str]) -> bool:
    test = _OPERATORS.get(requirement.operator)
    return test is not None and test(labels.get(requirement.key), requirement.values or ())


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None


def _compares(value: str | None, values: Sequence[str], sign: int) -> bool:
    number, bound = _number(value), _number(values[0]) if len(values) == 1 else None
    return number is not None and bound is not None and sign * number > sign * bound


_OPERATORS: Mapping[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, values: _compares(value, values, 1),
    "Lt": lambda value, values: _compares(value, values, -1),
}
