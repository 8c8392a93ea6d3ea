"""
The nodes that can use a PersistentVolume, from its ``nodeAffinity``.

This module does no I/O.
"""

from collections.abc import Sequence
from typing import Final

from webhook.facts.unknown import Fact, Unknown
from webhook.objects.nad import Node
from webhook.objects.scheduling import HOSTNAME, NodeTerm
from webhook.scheduling.node_selectors import NODE_NAME, matches, requirements_of

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

    A label counts as unknown if none of the given nodes has it, because a snapshot contains only some labels of a node.
    """
    named = [_names(term) for term in terms]
    if named and all(names is not None for names in named):
        union = sorted({name for names in named for name in names or ()})
        if len(union) < 2:
            return tuple(union)
    if isinstance(nodes, Unknown) or len(nodes) < 2:
        return None
    known = {key for node in nodes for key in node.meta.labels or ()} | {NODE_NAME}
    if any(requirement.key not in known for term in terms for requirement in requirements_of(term)):
        return None
    usable = tuple(node.name for node in nodes if matches(terms, node.name, node.meta.labels or {}))
    return usable if len(usable) < 2 else None


def _names(term: NodeTerm) -> set[str] | None:
    """The names of nodes that a term lists, or None if the term lists no names."""
    listed = [
        set(requirement.values or ())
        for requirement in requirements_of(term)
        if requirement.key in PER_NODE and requirement.operator == "In"
    ]
    return set.intersection(*listed) if listed else None
