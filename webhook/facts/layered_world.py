"""Worlds made of worlds: given manifests in front of a cluster, and a cluster as one user may read it."""

from typing import Protocol, TypeVar

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


class Sight(Protocol):
    """What one user may read."""

    def shows(self, kind: type[Kubernetes], namespace: str, name: str | None = None, /) -> bool:
        """Whether the user may read this object of a namespaced kind; without ``name``, all of them in the namespace."""
        ...


class RestrictedWorld(msgspec.Struct, frozen=True):
    """
    A cluster as one user may read it: an object that ``sight`` does not show is Unknown, whether it exists or not.

    Cluster-scoped objects and the KubeVirt CR are always shown, because they apply to every namespace.
    """

    world: World
    sight: Sight
    hidden: Unknown

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object, if it is shown."""
        if is_for_everyone(kind) or (namespace and self.sight.shows(kind, namespace, name)):
            return self.world.find(kind, namespace, name)
        return self.hidden

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects that are shown."""
        found = self.world.every(kind)
        if isinstance(found, Unknown) or is_for_everyone(kind):
            return found
        shown = {space for space in {each.namespace for each in found} if self.sight.shows(kind, space)}
        return tuple(each for each in found if each.namespace in shown)


def is_for_everyone(kind: type[Kubernetes]) -> bool:
    """Whether objects of ``kind`` apply to every namespace, so that every user may be told about them."""
    return kind is KubeVirt or not BY_CLASS[kind].namespaced
