"""
The pods and nodes of a cluster, and the changes that a rehearsal makes to them.

This module does no I/O. A change takes the same time in a cluster of any size, and ``undo`` takes it back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from webhook.objects.pods import Pod
from webhook.scheduling.cluster_facts import ClusterFacts
from webhook.scheduling.filters.pod_claims import PodClaims
from webhook.scheduling.filters.shapes import Shape, Shapes
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_fit import PodFit
from webhook.scheduling.pod_index import PodIndex
from webhook.scheduling.pod_info import PodInfo, PodKey, takes_room
from webhook.scheduling.storage import Storage
from webhook.scheduling.taints import UNSCHEDULABLE
from webhook.scheduling.verdicts import Unknown

NO_LABELS: Final[Mapping[str, str]] = {}
_KEPT: Final = 4096
"""The number of pods of which the fields are kept."""


class ClusterState:
    """
    The cluster that the facts describe, with the pods that were placed and removed since.

    ``place``, ``remove``, ``cordon`` and ``uncordon`` change the state. ``mark`` and ``undo`` take changes back.
    """

    def __init__(self, facts: ClusterFacts) -> None:
        self.facts = facts
        self.nodes: dict[str, NodeInfo] = {node.name: NodeInfo(node, at) for at, node in enumerate(facts.nodes)}
        self.pods = PodIndex()
        self.storage = Storage(facts)
        self.knows_pods = facts.has_all("Pod", facts.pods)
        self.generation = 0
        """The number of changes so far. It also grows when a change is taken back."""
        self.nominated: dict[str, list[Pod]] = {}
        """The pods for which the scheduler makes room, by node."""
        self._infos: dict[int, PodInfo] = {}
        """By the identity of the pod, which the values keep alive."""
        self._places: dict[PodKey, PodInfo] = {}
        self._undo: list[Callable[[], None]] = []
        self._shapes = Shapes(tuple(self.nodes.values()))
        self._namespaces = {each.name: each.meta.labels or NO_LABELS for each in facts.namespaces or ()}
        self._knows_namespaces = facts.has_all("Namespace", facts.namespaces)
        for pod in facts.pods or ():
            if takes_room(pod) and pod.spec.node_name in self.nodes:
                self._add(PodInfo(pod), pod.spec.node_name)
            elif pod.status.nominated_node_name and not pod.spec.node_name and not pod.is_finished:
                self.nominated.setdefault(pod.status.nominated_node_name, []).append(pod)

    def fit(self, pod: Pod) -> PodFit:
        """Where a pod fits. The result follows later changes of the state."""
        return PodFit(self, self._info(pod))

    def place(self, pod: Pod, node: str) -> None:
        """Adds a pod to a node, whether it fits or not. The state must not contain a pod with this name."""
        info = self._info(pod)
        if info.key in self._places:
            raise ValueError(f"pod {'/'.join(info.key)} is already on node {self._places[info.key].node}")
        bound = [(claim.namespace, claim.name) for claim in PodClaims(pod, self.storage).delayed] if info.claims else []
        self._add(info, node)
        self._assume(bound, 1)

        def take_back() -> None:
            self._take(info)
            self._assume(bound, -1)

        self._undo.append(take_back)

    def remove(self, pod: Pod) -> None:
        """Removes a pod from its node. The state must contain a pod with this name."""
        info = self._places[pod.namespace, pod.name]
        node = info.node
        self._take(info)
        self._undo.append(lambda: self._add(info, node))

    def cordon(self, node: str) -> None:
        """Marks a node as unschedulable."""
        self._cordon(self.nodes[node], unschedulable=True)

    def uncordon(self, node: str) -> None:
        """Marks a node as schedulable."""
        self._cordon(self.nodes[node], unschedulable=False)

    def node_of(self, pod: Pod) -> str | None:
        """The node of a pod, or None if the state does not contain the pod."""
        info = self._places.get((pod.namespace, pod.name))
        return info.node if info is not None else None

    def mark(self) -> int:
        """The current point in the history of changes, for ``undo``."""
        return len(self._undo)

    def undo(self, mark: int) -> None:
        """Takes back all changes since ``mark``."""
        while len(self._undo) > mark:
            self._undo.pop()()

    @contextmanager
    def tentatively(self) -> Iterator[None]:
        """Takes back all changes that the block makes."""
        mark = self.mark()
        try:
            yield
        finally:
            self.undo(mark)

    def shape_of(self, pod: Pod) -> Shape:
        """The nodes that the taints, selectors and node affinity of a pod exclude."""
        return self._shapes.of(pod)

    def namespace_labels(self, namespace: str) -> Mapping[str, str] | Unknown:
        """The labels of a namespace."""
        labels = self._namespaces.get(namespace)
        if labels is None and not self._knows_namespaces:
            return Unknown(f"Namespace {namespace} was not provided")
        return labels if labels is not None else NO_LABELS

    def _info(self, pod: Pod) -> PodInfo:
        """The fields of a pod that is not on a node. They are kept, because a pod is compared and placed several times."""
        info = self._infos.get(id(pod))
        if info is None or info.node:
            if len(self._infos) >= _KEPT:
                self._infos.clear()
            info = self._infos[id(pod)] = PodInfo(pod)
        return info

    def _assume(self, claims: Sequence[tuple[str, str]], sign: int) -> None:
        """Counts claims that are bound once a pod has its node. They stay bound if the pod is removed."""
        assumed = self.storage.assumed
        for key in claims:
            assumed[key] = assumed.get(key, 0) + sign
            if not assumed[key]:
                del assumed[key]

    def _add(self, info: PodInfo, node: str) -> None:
        self.generation += 1
        self.nodes[node].add(info)
        self.pods.add(info)
        self._places[info.key] = info

    def _take(self, info: PodInfo) -> None:
        self.generation += 1
        self.pods.remove(info)
        self.nodes[info.node].remove(info)
        del self._places[info.key]

    def _cordon(self, node: NodeInfo, *, unschedulable: bool) -> None:
        was, taints = node.is_unschedulable, node.taints
        self.generation += 1
        node.cordon(unschedulable=unschedulable)

        def restore() -> None:
            self.generation += 1
            node.is_unschedulable, node.taints = was, taints
            node.has_cordon_taint = UNSCHEDULABLE in taints

        self._undo.append(restore)
