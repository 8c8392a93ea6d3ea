"""
Facts about nodes: the host CPU model and the TSC frequency.

Sources: ``pkg/virt-handler/vm.go`` (isHostModelMigratable), ``pkg/virt-controller/watch/topology/tsc.go`` and
``hinter.go``, v1.9.0.
"""

from collections.abc import Sequence

from webhook.facts.unknown import Differing, Fact, Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import Configuration
from webhook.objects.nad import Node


def host_model_known(world: World) -> Fact[bool]:
    """
    Whether every schedulable node reports its host CPU model.

    The result is False if no node reports its model, and Differing if only some nodes report their model.
    """
    global _latest  # noqa: PLW0603 - one entry, replaced as a whole
    nodes = world.every(Node)
    if isinstance(nodes, Unknown):
        return nodes
    known = _latest
    if known[0] is not nodes:
        known = _latest = nodes, _known_from(nodes)
    return known[1]


def _known_from(nodes: Sequence[Node]) -> Fact[bool]:
    candidates = [node.traits.reports_host_model for node in nodes if node.traits.schedulable]
    if candidates and all(candidates):
        return True
    if candidates and not any(candidates):
        return False
    known = f"{sum(candidates)} of {len(candidates)} nodes that run VMs report a host CPU model"
    return Differing(known) if candidates else Unknown(known)


_NO_NODES: tuple[Node, ...] = ()
_latest: tuple[tuple[Node, ...], Fact[bool]] = (_NO_NODES, _known_from(_NO_NODES))
"""The result for the latest nodes. A world returns the same nodes again until a node changes."""


def tsc_frequency(world: World, configuration: Fact[Configuration], architecture: str) -> Fact[int]:
    """
    The TSC frequency in Hz that virt-controller would write as a hint, or 0 if it would write no hint.

    virt-controller writes hints only for amd64. ``minimumClusterTSCFrequency`` has precedence over the frequencies of the
    nodes. If the field is 0 or less, virt-controller writes no hint. Only schedulable nodes with a valid frequency label (an
    integer above 0) count.
    """
    if architecture != "amd64":
        return 0
    if isinstance(configuration, Unknown):
        return configuration
    developer = configuration.developer_configuration
    minimum = developer.minimum_cluster_tsc_frequency if developer is not None else None
    if minimum is not None:
        return max(minimum, 0)
    nodes = world.every(Node)
    if isinstance(nodes, Unknown):
        return nodes
    frequencies = [node.traits.tsc_frequency for node in nodes if node.traits.schedulable and node.traits.tsc_frequency]
    return min(frequencies, default=0)
