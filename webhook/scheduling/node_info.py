"""
A node with the totals of its pods.

Source: ``NodeInfo`` of ``pkg/scheduler/framework/types.go`` and ``HostPortInfo`` of
``k8s.io/kube-scheduler/framework/types.go``, Kubernetes v1.34.2.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from webhook.objects.nad import Node
from webhook.objects.scheduling import Taint
from webhook.scheduling.pod_info import ANY_ADDRESS, HostPort, PodInfo, PodKey
from webhook.scheduling.pod_requests import CPU, nano
from webhook.scheduling.taints import UNSCHEDULABLE

if TYPE_CHECKING:
    from webhook.scheduling.filters.volume_limits import Attached

PODS: Final = "pods"
_NANO: Final = 10**9
_MILLI: Final = 10**6


class NodeInfo:
    """A node, its free resources (millicores, bytes or pieces), its used ports and its pods."""

    __slots__ = (
        "allocatable",
        "attached",
        "free",
        "has_allocatable",
        "has_cordon_taint",
        "index",
        "is_unschedulable",
        "labels",
        "name",
        "node",
        "pods",
        "ports",
        "room",
        "taints",
        "volume_count",
    )

    def __init__(self, node: Node, index: int) -> None:
        self.node = node
        self.index = index
        """The position of the node among all nodes."""
        self.name = node.name
        self.labels = node.meta.labels or {}
        self.taints: tuple[Taint, ...] = tuple((node.spec.taints if node.spec is not None else None) or ())
        self.is_unschedulable = node.spec is not None and bool(node.spec.unschedulable)
        self.has_cordon_taint = UNSCHEDULABLE in self.taints
        written = node.status.allocatable if node.status is not None else None
        self.has_allocatable = bool(written)
        self.allocatable = {
            name: -(-nano(amount) // (_MILLI if name == CPU else _NANO)) for name, amount in (written or {}).items()
        }
        self.room = self.allocatable.pop(PODS, 0)
        """The number of pods for which the node has room. It can be negative."""
        self.free = dict(self.allocatable)
        self.pods: dict[PodKey, PodInfo] = {}
        self.ports: dict[tuple[str, int], dict[str, int]] = {}
        """The number of pods by protocol and port, and by address."""
        self.volume_count = 0
        """The largest number of CSI volumes that the pods of the node can have."""
        self.attached: Attached | None = None
        """The CSI volumes of the pods, once they were counted."""

    def cordon(self, *, unschedulable: bool) -> None:
        """
        Sets ``spec.unschedulable``, and the taint that the node lifecycle controller then adds or removes.
        """
        self.is_unschedulable = unschedulable
        self.has_cordon_taint = unschedulable
        others = tuple(taint for taint in self.taints if taint.key != UNSCHEDULABLE.key)
        self.taints = (*others, UNSCHEDULABLE) if unschedulable else others

    def add(self, pod: PodInfo) -> None:
        """Counts a pod."""
        self.pods[pod.key] = pod
        pod.node = self.name
        self._count(pod, 1)

    def remove(self, pod: PodInfo) -> None:
        """Gives back what a pod takes."""
        del self.pods[pod.key]
        pod.node = ""
        self._count(pod, -1)

    def _count(self, pod: PodInfo, sign: int) -> None:
        self.room -= sign
        self.attached = None
        self.volume_count += sign * pod.volume_count
        free = self.free
        for name, amount in pod.requests:
            free[name] = free.get(name, 0) - sign * amount
        for protocol, number, address in pod.ports:
            users = self.ports.setdefault((protocol, number), {})
            users[address] = users.get(address, 0) + sign
            if not users[address]:
                del users[address]

    def has_conflict(self, ports: Iterable[HostPort]) -> bool:
        """Whether a pod of the node uses one of the ports."""
        for protocol, number, address in ports:
            users = self.ports.get((protocol, number))
            if users and (address == ANY_ADDRESS or ANY_ADDRESS in users or address in users):
                return True
        return False
