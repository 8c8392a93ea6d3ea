"""The objects of a cluster that decide where pods fit, and what is not known of them."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from webhook.objects.csi import CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod
from webhook.objects.volumes import BindingClass, ClusterVolume, VolumeClaim
from webhook.scheduling.verdicts import Unknown


class ClusterFacts(msgspec.Struct, frozen=True):
    """
    The objects of a cluster. None is a kind that was not provided.

    Without VolumeAttachments, a node attaches only the volumes of its pods.
    """

    nodes: Sequence[Node]
    pods: Sequence[Pod] | None = None
    claims: Sequence[VolumeClaim] | None = None
    volumes: Sequence[ClusterVolume] | None = None
    storage_classes: Sequence[BindingClass] | None = None
    csi_nodes: Sequence[CSINode] | None = None
    csi_drivers: Sequence[CSIDriver] | None = None
    storage_capacities: Sequence[CSIStorageCapacity] | None = None
    attachments: Sequence[VolumeAttachment] | None = None
    namespaces: Sequence[Namespace] | None = None
    incomplete: frozenset[str] = frozenset()
    """The kinds, such as ``PersistentVolumeClaim``, of which the cluster can have more objects than the provided ones."""

    def has_all(self, kind: str, objects: Sequence[Kubernetes] | None) -> bool:
        """Whether all objects of a kind were provided."""
        return objects is not None and kind not in self.incomplete


K = TypeVar("K", bound=Hashable)
T = TypeVar("T", bound=Kubernetes)


class Lookup(Generic[K, T]):
    """The objects of a kind by name. An object that is absent from an incomplete list is unknown."""

    __slots__ = ("_objects", "is_complete", "kind")

    def __init__(self, kind: str, objects: Iterable[tuple[K, T]], *, is_complete: bool) -> None:
        self.kind = kind
        self.is_complete = is_complete
        self._objects = dict(objects)

    def find(self, key: K) -> T | Unknown | None:
        """The object, or None if it does not exist."""
        found = self._objects.get(key)
        if found is not None or self.is_complete:
            return found
        name = "/".join(key) if isinstance(key, tuple) else key
        return Unknown(f"{self.kind} {name} was not provided")

    def every(self) -> Iterable[T]:
        """The objects that were provided."""
        return self._objects.values()


def by_name(facts: ClusterFacts, kind: str, objects: Sequence[T] | None) -> Lookup[str, T]:
    """The cluster-scoped objects of a kind."""
    return Lookup(kind, ((each.name, each) for each in objects or ()), is_complete=facts.has_all(kind, objects))
