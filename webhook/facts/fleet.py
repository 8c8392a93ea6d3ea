"""The objects of a cluster from which the drain of a node is rehearsed."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.objects.fleet_kinds import FLEET_BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class Fleet(msgspec.Struct, frozen=True):
    """
    The objects by class, and the classes that were provided.

    A class is provided if at least one of its objects was given, or if the source is complete for the class: a list from a
    cluster, or a snapshot. Objects of a class that was not provided are unknown.
    """

    objects: Mapping[type[Kubernetes], tuple[Kubernetes, ...]] = {}
    provided: frozenset[type[Kubernetes]] = frozenset()
    complete: frozenset[type[Kubernetes]] = frozenset()
    """The classes of which no object is missing. Every complete class is provided."""
    unread: Mapping[type[Kubernetes], str] = {}
    """The classes that could not be read, each with the reason."""

    def given(self, kind: type[K]) -> tuple[K, ...]:
        """All objects of a class that were given."""
        return tuple(one for one in self.objects.get(kind, ()) if isinstance(one, kind))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a class, or Unknown if the class was not provided."""
        if kind in self.provided:
            return self.given(kind)
        known = FLEET_BY_CLASS.get(kind)
        name = kind.__name__ if known is None else known.kind
        return Unknown(self.unread.get(kind, f"no {name} was provided"), f"provide all objects of kind {name}")
