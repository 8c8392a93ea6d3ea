"""
Whether a pod fits a node, and why not, in the words of kube-scheduler's filter plugins.

This module implements the plugins NodeUnschedulable, NodeName, TaintToleration and NodeAffinity.

Source: ``pkg/scheduler/framework/plugins`` of Kubernetes v1.34.
"""

from collections.abc import Iterator, Mapping

import msgspec

from webhook.objects.scheduling import NodeTerm, Taint, Toleration
from webhook.scheduling.node_selectors import matches, selects
from webhook.scheduling.taints import UNSCHEDULABLE, untolerated
from webhook.scheduling.verdicts import Refusal


class Pod(msgspec.Struct, frozen=True):
    """The fields of a pod that these plugins read."""

    node_selector: Mapping[str, str] = {}
    terms: tuple[NodeTerm, ...] | None = None
    """The terms of the required node affinity, or None if the pod has none. An empty tuple matches no node."""
    tolerations: tuple[Toleration, ...] = ()
    node_name: str = ""


class Place(msgspec.Struct, frozen=True):
    """The fields of a node that these plugins read."""

    name: str
    labels: Mapping[str, str] = {}
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


def refusals(pod: Pod, node: Place) -> Iterator[Refusal]:
    """The reasons why a node is excluded, in the order of kube-scheduler's plugins. kube-scheduler reports the first."""
    if node.unschedulable and untolerated((UNSCHEDULABLE,), pod.tolerations) is not None:
        yield Refusal("NodeUnschedulable", "node(s) were unschedulable")
    if pod.node_name and pod.node_name != node.name:
        yield Refusal("NodeName", "node(s) didn't match the requested node name")
    taint = untolerated(node.taints, pod.tolerations)
    if taint is not None:
        yield Refusal("TaintToleration", f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}")
    if not is_selected(pod, node):
        yield Refusal("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")


def fits(pod: Pod, node: Place) -> bool:
    """Whether the node passes all known filter plugins."""
    return next(refusals(pod, node), None) is None


def is_selected(pod: Pod, node: Place) -> bool:
    """Whether the ``nodeSelector`` and the node affinity of the pod select the node."""
    return selects(pod.node_selector, node.labels) and (pod.terms is None or matches(pod.terms, node.name, node.labels))
