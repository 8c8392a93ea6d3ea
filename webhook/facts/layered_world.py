"""Worlds made of worlds: given manifests in front of a cluster, and a cluster of which only a part may be told."""

from collections.abc import Collection
from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.facts.world import World
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class LayeredWorld(msgspec.Struct, frozen=True):
    """What ``front`` does not know is asked of ``back``."""

    front: World
    back: World

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object in front, else the one behind."""
        found = self.front.find(kind, namespace, name)
        return self.back.find(kind, namespace, name) if isinstance(found, Unknown) else found

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All of both; one in front hides one of the same name behind."""
        front, back = self.front.every(kind), self.back.every(kind)
        if isinstance(front, Unknown):
            return back
        if isinstance(back, Unknown):
            return front
        shown = {(each.namespace, each.name) for each in front}
        if kind is KubeVirt:
            return front  # there is one in a cluster
        return (*front, *(each for each in back if (each.namespace, each.name) not in shown))


class RestrictedWorld(msgspec.Struct, frozen=True):
    """
    A cluster as somebody may see it: of namespaced kinds, what is in some namespaces.

    Whether anything exists elsewhere is never told. The one KubeVirt CR is, because it decides about every namespace.
    """

    world: World
    namespaces: Collection[str]

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object, if it is in a namespace that may be seen."""
        if self._shows(kind, namespace):
            return self.world.find(kind, namespace, name)
        return _HIDDEN

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects that may be seen."""
        found = self.world.every(kind)
        if isinstance(found, Unknown):
            return found
        return tuple(each for each in found if self._shows(kind, each.namespace))

    def _shows(self, kind: type[Kubernetes], namespace: str) -> bool:
        return kind is KubeVirt or not BY_CLASS[kind].namespaced or namespace in self.namespaces


_HIDDEN = Unknown("objects of other namespaces are not shown here", "give the manifest too")
