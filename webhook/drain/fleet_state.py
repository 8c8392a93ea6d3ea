"""The cluster state of a rehearsal, for the questions where pods fit."""

from collections.abc import Mapping
from typing import Final, TypeVar

from msgspec.structs import replace

from webhook.drain.inputs import Inputs
from webhook.objects import csi, volumes
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod
from webhook.scheduling.cluster_facts import ClusterFacts
from webhook.scheduling.state import ClusterState

K = TypeVar("K", bound=Kubernetes)

_PODS: Final = "pods"
_DEFAULT_PODS: Final = "110"
"""The number of pods that kubelet allows by default (``maxPods`` of KubeletConfiguration)."""
_KINDS: Final[tuple[type[Kubernetes], ...]] = (
    Pod,
    volumes.VolumeClaim,
    volumes.ClusterVolume,
    volumes.BindingClass,
    csi.CSINode,
    csi.CSIDriver,
    csi.CSIStorageCapacity,
    csi.VolumeAttachment,
    Namespace,
)
_NAMES: Final[Mapping[type[Kubernetes], str]] = {
    volumes.VolumeClaim: "PersistentVolumeClaim",
    volumes.ClusterVolume: "PersistentVolume",
    volumes.BindingClass: "StorageClass",
}
"""The kinds of classes that are not named after their kind."""


def state_of(inputs: Inputs) -> ClusterState:
    """The nodes and pods of the input, with everything that scheduling needs."""
    fleet = inputs.fleet

    def given(kind: type[K]) -> tuple[K, ...] | None:
        return fleet.given(kind) if kind in fleet.provided else None

    facts = ClusterFacts(
        _with_pod_limits(inputs),
        given(Pod),
        given(volumes.VolumeClaim),
        given(volumes.ClusterVolume),
        given(volumes.BindingClass),
        given(csi.CSINode),
        given(csi.CSIDriver),
        given(csi.CSIStorageCapacity),
        given(csi.VolumeAttachment),
        given(Namespace),
        frozenset(_NAMES.get(kind, kind.__name__) for kind in _KINDS if kind not in fleet.complete and kind is not Pod),
    )
    return ClusterState(facts)


def _with_pod_limits(inputs: Inputs) -> tuple[Node, ...]:
    """The nodes. If no node reports a maximum number of pods, each has the default of kubelet."""
    nodes = inputs.fleet.given(Node)
    reported = [node.status for node in nodes if node.status is not None and node.status.allocatable]
    if not reported or any(_PODS in (status.allocatable or ()) for status in reported):
        return nodes
    inputs.assume(f"No node has pods in status.allocatable, so the rehearsal assumes {_DEFAULT_PODS} for each.")
    return tuple(
        replace(node, status=replace(node.status, allocatable={**node.status.allocatable, _PODS: _DEFAULT_PODS}))
        if node.status is not None and node.status.allocatable
        else node
        for node in nodes
    )
