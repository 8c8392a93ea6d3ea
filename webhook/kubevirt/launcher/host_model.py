"""
Whether another node supports the source node's CPU model, for VMs with CPU model host-model.

Source: ``prepareNodeSelectorForHostCpuModel`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.9.0.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from webhook.facts.derived import Derived
from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.launcher.known_nodes import running_vms
from webhook.kubevirt.launcher.second_node import tolerated_nodes, written_selector
from webhook.kubevirt.launcher.selectors import CPU_MODEL_LABEL, required_terms
from webhook.objects.nad import HOST_MODEL_LABEL, Node
from webhook.objects.scheduling import Toleration

MIGRATION_LABEL: Final = "cpu-model-migration.node.kubevirt.io/"


def follows_host_model(facts: MigrationFacts) -> bool:
    """
    Whether the target pod selects the CPU model of the source node. The pod has no such selector if the VMI requires a CPU
    feature.
    """
    return facts.cpu_model == "host-model" and not any(
        feature.policy in {None, "", "require"} for feature in facts.cpu_features
    )


class HostModels(msgspec.Struct, frozen=True):
    """The nodes that a VM selects and tolerates, and those from which it can move to no other of them."""

    nodes: tuple[Node, ...]
    sources: int
    """The number of nodes that report their host model."""
    alone: tuple[Node, ...]
    """The nodes whose host model no other node supports. Empty if no node has labels for the models of other nodes."""


_Key = tuple[frozenset[tuple[str, str]], tuple[Toleration, ...]]
_MOST_KEYS: Final = 64
_RESULTS: Final[Derived[dict[_Key, HostModels]]] = Derived(lambda _nodes: {})
"""The results for the latest nodes."""


def host_models(facts: MigrationFacts, nodes: tuple[Node, ...]) -> HostModels:
    """The host models of the nodes on which a VM can run."""
    if required_terms(facts) is not None:
        return _host_models(tolerated_nodes(facts, running_vms(nodes)))
    results = _RESULTS.of(nodes)
    key = frozenset(written_selector(facts).items()), tuple(facts.spec.tolerations or ())
    known = results.get(key)
    if known is None:
        if len(results) >= _MOST_KEYS:
            results.clear()
        known = results[key] = _host_models(tolerated_nodes(facts, running_vms(nodes)))
    return known


def _host_models(nodes: tuple[Node, ...]) -> HostModels:
    kinds: dict[tuple[str, str | None, tuple[str, ...]], list[Node]] = {}
    for node in nodes:
        if model := node.traits.host_model:
            value = (node.meta.labels or {}).get(HOST_MODEL_LABEL + model)
            kinds.setdefault((model, value, node.traits.host_model_features), []).append(node)
    sources = sum(map(len, kinds.values()))
    if not any(key.startswith(MIGRATION_LABEL) for node in nodes for key in node.meta.labels or ()):
        return HostModels(nodes, sources, ())
    alone = (source for same in kinds.values() for source in _alone(same, nodes))
    return HostModels(nodes, sources, tuple(sorted(alone, key=lambda node: node.name)))


def _alone(same: Sequence[Node], nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes of one CPU model that no other node can replace. All of them need the same labels of a target."""
    found: Node | None = None
    for target in nodes:
        if _takes(target, same[0]):
            if found is not None:
                return ()
            found = target
    return [source for source in same if found is None or source is found]


def _takes(target: Node, source: Node) -> bool:
    theirs, own = target.meta.labels or {}, source.meta.labels or {}
    model = source.traits.host_model
    return theirs.get(MIGRATION_LABEL + model) == own.get(HOST_MODEL_LABEL + model) and all(
        feature in theirs for feature in source.traits.host_model_features
    )


def common_models(nodes: Sequence[Node]) -> list[str]:
    """The CPU models that all nodes can run, sorted. The host models of the nodes are first."""
    shared: set[str] | None = None
    for node in nodes:
        models = {key[len(CPU_MODEL_LABEL) :] for key in node.meta.labels or () if key.startswith(CPU_MODEL_LABEL)}
        shared = models if shared is None else shared & models
    hosts = {node.traits.host_model for node in nodes}
    return sorted(shared or (), key=lambda model: (model not in hosts, model))
