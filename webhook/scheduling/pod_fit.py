"""
Where a pod fits, and why it does not fit elsewhere, as kube-scheduler decides and reports it.

The order of the filter plugins is that of ``pkg/scheduler/apis/config/v1/default_plugins.go``, Kubernetes v1.34.2.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from webhook.objects.pods import Pod
from webhook.scheduling.filters.pod_affinity import InterPodAffinity
from webhook.scheduling.filters.pod_claims import PodClaims
from webhook.scheduling.filters.shapes import Shape
from webhook.scheduling.filters.spread import Spread
from webhook.scheduling.filters.volume_binding import VolumeBinding
from webhook.scheduling.filters.volume_filters import VolumeRestrictions, VolumeZone
from webhook.scheduling.filters.volume_limits import VolumeLimits
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_info import PodInfo
from webhook.scheduling.verdicts import FITS, Refusal, Refused, Unknown, Verdict, grouped, listed, refused

if TYPE_CHECKING:
    from webhook.scheduling.state import ClusterState

Check: TypeAlias = Callable[[NodeInfo], Refused | Unknown | None]
_PORTS: Final = refused("NodePorts", "node(s) didn't have free ports for the requested pod ports")
_RESOURCES: Final = "NodeResourcesFit"
_DEFAULT_SCHEDULER: Final = "default-scheduler"


class PodFit:
    """
    Where a pod fits. The parts that do not depend on a node are computed once, and again after the state has changed.

    A node for which it is not known whether the pod fits is not a fitting node.
    """

    def __init__(self, state: "ClusterState", pod: PodInfo) -> None:
        self._state = state
        self._pod = pod
        self._filters = Filters(state, pod)
        self._generation = state.generation

    @property
    def pod(self) -> Pod:
        """The pod."""
        return self._pod.pod

    @property
    def rejection(self) -> Refusal | None:
        """The reason why the pod is unschedulable whatever the nodes are, such as a missing claim."""
        return self._current().rejection

    def verdict(self, node: str) -> Verdict:
        """Whether the pod fits a node, with the first reason against it as kube-scheduler reports it."""
        return self._current().verdict(self._state.nodes[node])

    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts by node."""
        filters = self._current()
        return {name: filters.verdict(node) for name, node in self._state.nodes.items()}

    def fitting(self) -> list[str]:
        """The nodes that the pod fits, in the order of the facts."""
        return [node.name for node in self._current().fitting(self._state.nodes.values())]

    def among(self, order: Iterable[str]) -> Iterator[str]:
        """The nodes that the pod fits, in an order. They are checked one by one, while the state must not change."""
        nodes = self._state.nodes
        return (node.name for node in self._current().fitting(nodes[name] for name in order))

    def first(self, order: Iterable[str] | None = None) -> str | None:
        """The first node in an order that the pod fits, or None."""
        return next(self.among(self._state.nodes if order is None else order), None)

    def reasons(self) -> dict[str, int]:
        """The number of nodes for each reason, sorted as in kube-scheduler's message."""
        if self.rejection is not None:
            return {self.rejection.reason: len(self._state.nodes)}
        return grouped(self.verdicts().values())

    def unknowns(self) -> dict[str, int]:
        """The number of nodes for each reason why it is not known whether the pod fits."""
        counts: dict[str, int] = {}
        for verdict in self.verdicts().values():
            if isinstance(verdict, Unknown):
                counts[verdict.reason] = counts.get(verdict.reason, 0) + 1
        return counts

    def message(self) -> str:
        """The message that kube-scheduler writes if no node fits (``FitError`` of ``pkg/scheduler/framework/types.go``)."""
        reasons = self.rejection.reason if self.rejection is not None else listed(self.reasons())
        return f"0/{len(self._state.nodes)} nodes are available: {reasons}."

    def _current(self) -> "Filters":
        if self._generation != self._state.generation:
            self._filters = Filters(self._state, self._pod)
            self._generation = self._state.generation
        return self._filters


class Filters:
    """The filter plugins for one pod in one state of the cluster."""

    __slots__ = ("_checks", "_needs", "_pod", "_shape", "_unknown", "_waiting", "rejection")

    def __init__(self, state: "ClusterState", pod: PodInfo) -> None:
        self._pod = pod
        self._shape: Shape = state.shape_of(pod.pod)
        claims = PodClaims(pod.pod, state.storage)
        self._waiting = _waiting(pod.pod)
        self.rejection = None if self._waiting is not None else self._shape.rejection or claims.rejection
        self._unknown = self._waiting or claims.unknown
        if pod.pod.spec.resource_claims:
            self._unknown = self._unknown or Unknown("the pod uses ResourceClaims (dynamic resource allocation)")
        self._needs = pod.requests
        self._checks: tuple[Check, ...] = ()
        if not state.knows_pods:
            self._unknown = self._unknown or Unknown("the pods of the cluster were not provided")
        if self.rejection is None:
            self._checks = tuple(self._node_checks(state, claims))

    def _node_checks(self, state: "ClusterState", claims: PodClaims) -> Iterator[Check]:
        """The checks after those of ``Shape``, NodePorts and NodeResourcesFit, without those that pass every node."""
        pod = self._pod
        restrictions = VolumeRestrictions(pod.pod, claims, state.pods)
        if restrictions.is_needed:
            yield restrictions.check
        if pod.pod.spec.volumes:
            for volumes in (VolumeLimits(pod, state.storage), VolumeBinding(claims, state.storage), VolumeZone(claims)):
                if volumes.is_needed:
                    yield volumes.check
        if state.knows_pods and pod.pod.spec.topology_spread_constraints:
            spread = Spread(pod, state, self._shape)
            if spread.is_needed:
                yield spread.check
        if state.nominated:
            yield Nominated(pod.pod, state.nominated).check
        affinity = InterPodAffinity(pod, state)
        if affinity.is_needed and (state.knows_pods or not affinity.needs_pods):
            yield affinity.check

    def verdict(self, node: NodeInfo) -> Verdict:
        """The verdict for a node."""
        if self.rejection is not None:
            return Refused((self.rejection,))
        if self._waiting is not None:
            return self._waiting
        unknown: Unknown | None = None
        for check in (self._shape.refusal, self._check_ports, self._check_resources, *self._checks):
            answer = check(node)
            if isinstance(answer, Refused):
                return answer
            unknown = unknown or answer
        return unknown or self._unknown or FITS

    def fitting(self, nodes: Iterable[NodeInfo]) -> Iterator[NodeInfo]:
        """The nodes that fit. The comparisons are in line, because most nodes fail one of the cheap ones."""
        if self.rejection is not None or self._unknown is not None:
            return
        refusals, tolerates, needs = self._shape.refusals, self._shape.tolerates_cordon, self._needs
        ports, checks = self._pod.ports, self._checks
        for node in nodes:
            if refusals[node.index] is not None or node.room < 1:
                continue  # there is no room on a node without allocatable resources
            if (node.is_unschedulable or node.has_cordon_taint) and not tolerates:
                continue
            free = node.free
            for name, amount in needs:
                if amount > free.get(name, 0):
                    break
            else:
                if ports and node.has_conflict(ports):
                    continue
                for check in checks:
                    if check(node) is not None:
                        break
                else:
                    yield node

    def _check_ports(self, node: NodeInfo) -> Refused | None:
        return _PORTS if self._pod.ports and node.has_conflict(self._pod.ports) else None

    def _check_resources(self, node: NodeInfo) -> Refused | Unknown | None:
        """Source: ``fitsRequest`` of ``noderesources/fit.go``, v1.34.2."""
        if not node.has_allocatable:
            return Unknown(f"status.allocatable of node {node.name} was not provided")
        reasons = ["Too many pods"] if node.room < 1 else []
        reasons += [f"Insufficient {name}" for name, amount in self._needs if amount > node.free.get(name, 0)]
        return refused(_RESOURCES, *reasons) if reasons else None


class Nominated:
    """
    kube-scheduler keeps room for pods that are nominated to a node. How much room these leave is not modelled.

    Source: ``RunFilterPluginsWithNominatedPods`` of ``pkg/scheduler/framework/runtime/framework.go``, v1.34.2.
    """

    def __init__(self, pod: Pod, nominated: Mapping[str, Iterable[Pod]]) -> None:
        least, key = pod.spec.priority or 0, (pod.namespace, pod.name)
        self._by_node = {
            node: other
            for node, others in nominated.items()
            for other in others
            if (other.spec.priority or 0) >= least and (other.namespace, other.name) != key
        }

    def check(self, node: NodeInfo) -> Unknown | None:
        """Unknown if a pod of the same or a higher priority is nominated to the node."""
        other = self._by_node.get(node.name)
        if other is None:
            return None
        return Unknown(f"pod {other.namespace}/{other.name} is nominated to node {node.name}")


def _waiting(pod: Pod) -> Unknown | None:
    """The reason why kube-scheduler does not look for a node for the pod."""
    spec = pod.spec
    if spec.scheduler_name not in {"", _DEFAULT_SCHEDULER}:
        return Unknown(f"the pod uses the scheduler {spec.scheduler_name}")
    if spec.scheduling_gates:
        gates = ", ".join(gate.name for gate in spec.scheduling_gates)
        return Unknown(f"the pod waits for scheduling gates: {gates}")
    return None
