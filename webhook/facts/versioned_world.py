"""A world of a cluster that runs a given patch release of KubeVirt."""

from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found
from webhook.facts.world import World
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
