"""
The filter plugin PodTopologySpread, for constraints with ``whenUnsatisfiable: DoNotSchedule``.

Source: ``pkg/scheduler/framework/plugins/podtopologyspread``, Kubernetes v1.34.2.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from webhook.objects.pods import SpreadConstraint
from webhook.scheduling.affinity_terms import requirements_of_keys
from webhook.scheduling.filters.shapes import Shape
from webhook.scheduling.label_selectors import Selector
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_info import PodInfo
from webhook.scheduling.verdicts import Refused, refused

if TYPE_CHECKING:
    from webhook.scheduling.state import ClusterState

_PLUGIN: Final = "PodTopologySpread"
_SKEW: Final = refused(_PLUGIN, "node(s) didn't match pod topology spread constraints")
_NO_LABEL: Final = refused(_PLUGIN, "node(s) didn't match pod topology spread constraints (missing required label)")
_HONOR: Final = "Honor"


class Spread:
    """The filter for one pod."""

    def __init__(self, pod: PodInfo, state: "ClusterState", shape: Shape) -> None:
        written = [
            constraint
            for constraint in pod.pod.spec.topology_spread_constraints or ()
            if constraint.when_unsatisfiable == "DoNotSchedule"
        ]
        keys = [constraint.topology_key for constraint in written]
        nodes = [node for node in state.nodes.values() if all(key in node.labels for key in keys)] if keys else []
        self._constraints = [_Domains(constraint, pod, state, shape, nodes) for constraint in written]
        self.is_needed = bool(written)

    def check(self, node: NodeInfo) -> Refused | None:
        """The refusal of a node, if any."""
        for domains in self._constraints:
            refusal = domains.check(node.labels)
            if refusal is not None:
                return refusal
        return None


class _Domains:
    """The number of matching pods by domain, for one constraint."""

    __slots__ = ("_counts", "_key", "_most")

    def __init__(
        self, constraint: SpreadConstraint, pod: PodInfo, state: "ClusterState", shape: Shape, nodes: list[NodeInfo]
    ) -> None:
        self._key = constraint.topology_key
        keys = requirements_of_keys(constraint.label_selector, constraint.match_label_keys or (), pod.labels, "In")
        selector = Selector(constraint.label_selector, keys)
        eligible = {node.name: node.labels[self._key] for node in nodes if _counts(constraint, node, shape)}
        self._counts = dict.fromkeys(eligible.values(), 0)
        if not selector.is_empty:
            for other in state.pods.matching(pod.namespace, selector):
                if not other.is_terminating and other.node in eligible:
                    self._counts[eligible[other.node]] += 1
        least_domains = constraint.min_domains if constraint.min_domains is not None else 1
        least = 0 if len(self._counts) < least_domains else min(self._counts.values(), default=0)
        self._most = constraint.max_skew + least - selector.matches(pod.labels)
        """The largest number of matching pods that a domain can have before the pod."""

    def check(self, labels: Mapping[str, str]) -> Refused | None:
        domain = labels.get(self._key)
        if domain is None:
            return _NO_LABEL
        return _SKEW if self._counts.get(domain, 0) > self._most else None


def _counts(constraint: SpreadConstraint, node: NodeInfo, shape: Shape) -> bool:
    """Whether the node belongs to a domain for this pod (``matchNodeInclusionPolicies``)."""
    if (constraint.node_affinity_policy or _HONOR) == _HONOR and not shape.is_selected[node.index]:
        return False
    return constraint.node_taints_policy != _HONOR or shape.tolerates(node)
