"""
The lookup of other objects, and its implementations.

All implementations have the same two methods and differ in the source of the objects:

- ``ObjectsWorld``: objects in memory, from manifests or a snapshot.
- ``LayeredWorld``: a world over another world, e.g. manifests over a cluster.
- ``VersionedWorld``: a world of a cluster that runs a given patch release of KubeVirt.
- ``RestrictedWorld``: a world without the objects that one user is not allowed to read.
- ``UnknownWorld``: a world without objects, in which every lookup is Unknown.
- ``ClusterWorld`` (``webhook.cluster.facts``): the watched objects of a cluster.
- ``RecordingWorld``, ``LiveWorld`` and ``TimedOutWorld`` (``webhook.cluster.lookups``): the steps of an admission decision.
  The first records each lookup in the cache, the second repeats the recorded lookups at the API server, and the third
  uses their results when no time is left.
- ``RemoteWorld`` (``webhook.surfaces.api.judge.process``): lookups over a pipe to the server process.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace

K = TypeVar("K", bound=Kubernetes)


class World(Protocol):
    """
    Looks up the other objects on which a verdict depends.

    It never raises. An object that could not be read is ``Unknown`` with a reason. An object that does not exist is ``ABSENT``.
    """

    def find(self, kind: type[K], namespace: str, name: str, /) -> Found[K]:
        """Returns the object of ``kind`` with this name. Ignores ``namespace`` for cluster-scoped kinds."""
        ...

    def every(self, kind: type[K], /) -> Fact[tuple[K, ...]]:
        """Returns all objects of ``kind``, or the reason why the objects are unknown."""
        ...


def for_advice(world: World) -> World:
    """
    Returns the world for rules that never deny a request. Their lookups must not delay or decide a request.

    A world in which a lookup can cause a read has a method ``for_advice``. This method returns the objects that are known
    without a further read. (``isinstance`` with a protocol takes longer than most rules.)
    """
    known: Callable[[], World] | None = getattr(world, "for_advice", None)
    return world if known is None else known()


def labels_of_namespace(name: str, world: World) -> Mapping[str, str] | None:
    """Returns the labels of a namespace, or None if the labels are unknown."""
    if not name:
        return None
    namespace = world.find(Namespace, "", name)
    return namespace.meta.labels if isinstance(namespace, Namespace) else None
