"""The objects of a cluster that a snapshot file contains."""

from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Kubernetes


class Snapshot(msgspec.Struct, frozen=True):
    """The objects, and the kinds for which the snapshot contains all objects of the cluster."""

    objects: tuple[Kubernetes, ...] = ()
    complete: frozenset[type[Kubernetes]] = frozenset()
    unread: Mapping[type[Kubernetes], str] = {}
    """The classes that could not be read, each with the reason."""


NO_SNAPSHOT = Snapshot()
