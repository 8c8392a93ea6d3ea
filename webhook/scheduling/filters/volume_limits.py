"""
The filter plugin NodeVolumeLimits: the number of CSI volumes that a node can attach.

Source: ``pkg/scheduler/framework/plugins/nodevolumelimits/csi.go``, Kubernetes v1.34.2.
"""

from typing import Final

from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_info import PodInfo
from webhook.scheduling.storage import Storage
from webhook.scheduling.verdicts import Refused, Unknown, refused

_EXCEEDED: Final = refused("NodeVolumeLimits", "node(s) exceed max volume count")


class Attached:
    """The CSI volumes that the pods of a node use, and that its VolumeAttachments name."""

    __slots__ = ("others", "unknown", "volumes")

    def __init__(self) -> None:
        self.volumes: dict[tuple[str, str], None] = {}
        """Pairs of driver and volume that pods use."""
        self.others: set[tuple[str, str]] = set()
        """Those that only VolumeAttachments name. kube-scheduler counts such a volume again for a pod that uses it."""
        self.unknown: Unknown | None = None
        """The reason if there can be more of them."""


class VolumeLimits:
    """The filter for one pod."""

    def __init__(self, pod: PodInfo, storage: Storage) -> None:
        self._storage = storage
        self._volumes, self._unknown = storage.volume_names(pod)
        self._drivers = tuple(dict.fromkeys(driver for driver, _ in self._volumes))
        self._safe = -1 if self._unknown is not None or storage.attachments else storage.least_limit(self._drivers)
        """The number of volumes that each node can attach, whichever these are."""
        self.is_needed = bool(self._volumes) or self._unknown is not None

    def check(self, node: NodeInfo) -> Refused | Unknown | None:
        """The refusal of a node, if any."""
        most = node.volume_count + len(self._volumes)
        if most <= self._safe:
            return None
        limits = self._storage.limits(node.name)
        if isinstance(limits, Unknown):
            return limits
        if not limits:
            return None
        if self._storage.attachments:
            most += len(self._storage.attachments.get(node.name, ()))
        if min([limits.get(driver, most) for driver in self._drivers], default=most) >= most:
            return self._unknown
        attached = attached_to(node, self._storage)
        new: dict[str, int] = {}
        for volume in self._volumes:
            if volume not in attached.volumes:
                new[volume[0]] = new.get(volume[0], 0) + 1
        is_unknown = False
        for driver, count in new.items():
            if driver in limits:
                used = sum(1 for other, _ in (*attached.volumes, *attached.others) if other == driver)
                if used + count > limits[driver]:
                    return _EXCEEDED
                is_unknown = True
        return self._unknown or (attached.unknown if is_unknown else None)


def attached_to(node: NodeInfo, storage: Storage) -> Attached:
    """The CSI volumes of a node. They are kept until a pod is added or removed."""
    if node.attached is None:
        node.attached = attached = Attached()
        for pod in node.pods.values():
            volumes, unknown = storage.volume_names(pod)
            attached.volumes.update(dict.fromkeys(volumes))
            attached.unknown = attached.unknown or unknown
        attached.others = set(storage.attachments.get(node.name, ())).difference(attached.volumes)
    return node.attached
