"""
Whether another node supports the source node's CPU model, for VMs with CPU model host-model.

Source: ``prepareNodeSelectorForHostCpuModel`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.9.0.
"""

from collections.abc import Sequence
from typing import Final

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.launcher.selectors import CPU_MODEL_LABEL
from webhook.objects.nad import HOST_MODEL_LABEL, Node

MIGRATION_LABEL: Final = "cpu-model-migration.node.kubevirt.io/"


def follows_host_model(facts: MigrationFacts) -> bool:
    """
    Whether the target pod selects the CPU model of the source node. The pod has no such selector if the VMI requires a CPU
    feature.
    """
    return facts.cpu_model == "host-model" and not any(
        feature.policy in {None, "", "require"} for feature in facts.cpu_features
    )


def has_target(nodes: Sequence[Node]) -> bool | None:
    """
    Whether a VM on one of the nodes could move to another one. The result is None if no node has labels for the CPU models of
    other nodes.
    """
    sources = [node for node in nodes if node.traits.host_model]
    if not any(key.startswith(MIGRATION_LABEL) for node in nodes for key in node.meta.labels or ()):
        return None
    return any(_takes(target, source) for source in sources for target in nodes if target is not source)


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
