"""What expansion and rules may ask about other objects."""

from typing import Protocol, TypeVar

from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class World(Protocol):
    """
    The other objects: given manifests, a snapshot, or a cluster.

    It never raises: what could not be read is ``Unknown`` with a reason, what is known not to exist is ``ABSENT``.
    """

    def find(self, kind: type[K], namespace: str, name: str, /) -> Found[K]:
        """The object of ``kind`` with this name; ``namespace`` is ignored for cluster-scoped kinds."""
        ...

    def every(self, kind: type[K], /) -> Fact[tuple[K, ...]]:
        """All objects of ``kind``, or why nobody can tell."""
        ...
