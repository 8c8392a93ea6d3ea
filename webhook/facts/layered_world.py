"""
Worlds that wrap other worlds: manifests over a cluster, a cluster that runs a given patch release of KubeVirt, and the part of a
cluster that one user is allowed to read.
"""

from typing import Protocol, TypeVar, cast

import msgspec

from webhook.facts.objects_world import ONE_IN_A_CLUSTER, ObjectsWorld, View
from webhook.facts.unknown import Ambiguous, Fact, Found, Unknown
from webhook.facts.world import World, for_advice
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class LayeredWorld(msgspec.Struct, frozen=True):
    """Looks up objects in ``front``. Looks up an object in ``back`` if it is Unknown in ``front``."""

    front: World
    back: World
    lists: dict[type[Kubernetes], "_Merged"] = msgspec.field(default_factory=dict)
    """The latest results of ``every`` that combine both worlds. Equal lists of both worlds give the same list again."""

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object in ``front``, or the object in ``back`` if the object in ``front`` is Unknown."""
        in_front = self.front.find(kind, namespace, name)
        is_missing = isinstance(in_front, Unknown) and not isinstance(in_front, Ambiguous)
        return self.back.find(kind, namespace, name) if is_missing else in_front

    def for_advice(self) -> World:
        """Returns this world without lookups that cause a read."""
        return LayeredWorld(for_advice(self.front), for_advice(self.back), self.lists)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns the objects of both worlds. An object in ``front`` replaces an object of the same name in ``back``."""
        front, back = self.front.every(kind), self.back.every(kind)
        if isinstance(front, Ambiguous):
            return front
        if isinstance(front, Unknown):
            return back
        if isinstance(back, Unknown):
            return front
        if kind in ONE_IN_A_CLUSTER:
            return front  # such as the KubeVirt CR
        known = self.lists.get(kind)
        if known is None or known.front is not front or known.back is not back:
            replaced = {(one.namespace, one.name) for one in front}
            every = (*front, *(one for one in back if (one.namespace, one.name) not in replaced))
            known = self.lists[kind] = _Merged(front, back, every)
        return cast("tuple[K, ...]", known.every)


class _Merged(msgspec.Struct, frozen=True):
    front: tuple[Kubernetes, ...]
    back: tuple[Kubernetes, ...]
    every: tuple[Kubernetes, ...]


def seen_from(world: World, source: str, judged: Kubernetes | None = None) -> tuple[World, View | None]:
    """
    Returns the world for references in a file. Also returns the view from this file, if several files contain different objects
    of the same name.
    """
    if isinstance(world, LayeredWorld):
        front, view = seen_from(world.front, source, judged)
        return (world if view is None else LayeredWorld(front, world.back, world.lists)), view
    seen = world.seen_from(source, judged) if isinstance(world, ObjectsWorld) else world
    return seen, seen if isinstance(seen, View) else None


class VersionedWorld(msgspec.Struct, frozen=True):
    """Looks up objects in ``world``. ``version`` is the requested patch release, such as ``1.6.2``."""

    world: World
    version: str

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object in ``world``."""
        return self.world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of the kind in ``world``."""
        return self.world.every(kind)

    def for_advice(self) -> World:
        """Returns this world with the objects that rules of advice read."""
        return VersionedWorld(for_advice(self.world), self.version)


def requested_version(world: World) -> str:
    """The requested patch release of ``world`` or of the world that it wraps, or an empty text."""
    inner: object = world
    while inner is not None and not isinstance(inner, VersionedWorld):
        inner = getattr(inner, "world", None)
    return inner.version if inner is not None else ""


class ReadPermissions(Protocol):
    """The read permissions of one user."""

    def shows(self, kind: type[Kubernetes], namespace: str, name: str | None = None, /) -> bool:
        """Whether the user may read this object, or all objects of the kind in the namespace if ``name`` is None."""
        ...


class RestrictedWorld(msgspec.Struct, frozen=True):
    """
    The part of a cluster that one user is allowed to read. A lookup of another object returns ``hidden``, whether the object
    exists or not.

    Cluster-scoped objects and the KubeVirt CR are always visible, because they apply to every namespace.
    """

    world: World
    permissions: ReadPermissions
    hidden: Unknown

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object if the user may read it, otherwise ``hidden``."""
        if is_for_everyone(kind) or (namespace and self.permissions.shows(kind, namespace, name)):
            return self.world.find(kind, namespace, name)
        return self.hidden

    def for_advice(self) -> World:
        """Returns this world without lookups that cause a read."""
        return RestrictedWorld(for_advice(self.world), self.permissions, self.hidden)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of the kind that the user may read."""
        objects = self.world.every(kind)
        if isinstance(objects, Unknown) or is_for_everyone(kind):
            return objects
        readable = {name for name in {one.namespace for one in objects} if self.permissions.shows(kind, name)}
        return tuple(one for one in objects if one.namespace in readable)


def is_for_everyone(kind: type[Kubernetes]) -> bool:
    """Whether objects of ``kind`` apply to every namespace, so that their content is disclosed to every user."""
    return kind in ONE_IN_A_CLUSTER or not BY_CLASS[kind].namespaced
