"""A world of a cluster that runs a given patch release of KubeVirt."""

from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found
from webhook.facts.world import World, for_advice
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


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
