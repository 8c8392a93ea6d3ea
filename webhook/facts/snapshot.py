"""The objects of a cluster that a snapshot file contains."""

import msgspec

from webhook.objects.meta import Kubernetes


class Snapshot(msgspec.Struct, frozen=True):
    """Objects, and the kinds of which the snapshot has all objects."""

    objects: tuple[Kubernetes, ...] = ()
    complete: frozenset[type[Kubernetes]] = frozenset()


NO_SNAPSHOT = Snapshot()
