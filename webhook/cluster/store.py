"""
What is known of the cluster's objects, kind by kind. This file does no I/O.

One thread writes a kind, any number read. ``get`` is one look into a dict, which no writer ever leaves half changed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar, cast

import msgspec

from webhook.cluster.projection import Key, Projection, Seen, all_readable
from webhook.facts.unknown import Fact, Unknown
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)
Raw = bytes | msgspec.Raw

FRESH_SECONDS = 90.0
"""Bookmarks come about once a minute, so a silence this long is a broken watch."""


@dataclass(frozen=True, slots=True)
class KindStatistics:
    """How the store stands with one kind, for metrics."""

    kind: str
    objects: int
    undecodable: int
    """How many of them are kept as Unknown."""
    synced: bool
    missing: bool
    """Whether the cluster does not serve the kind."""
    age_seconds: float | None
    """Since the last list, event or bookmark."""
    lists: int
    restarts: int
    """How often the watch was opened again."""
    problem: str
    """Why the last attempt failed, empty while all is well; never an object's content."""


@dataclass(slots=True)
class _Shelf(Generic[K]):
    """All objects of one kind."""

    projection: Projection
    objects: dict[Key, K | Unknown] = field(default_factory=dict)
    everything: Fact[tuple[K, ...]] | None = None
    undecodable: int = 0
    synced: bool = False
    missing: bool = False
    heard: float | None = None
    version: str = ""
    lists: int = 0
    restarts: int = 0
    problem: str = ""


class Store:
    """Projected objects of the kinds that are watched; ``clock`` gives monotonic seconds."""

    def __init__(self, kinds: Iterable[type[Kubernetes]], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._shelves: Mapping[type[Kubernetes], _Shelf[Kubernetes]] = {
            kind: _Shelf(Projection(BY_CLASS[kind])) for kind in kinds
        }

    def get(self, kind: type[K], namespace: str, name: str) -> K | Unknown | None:
        """What is stored under this name: an object, Unknown where it could not be decoded, None where nothing is."""
        return self._shelf(kind).objects.get((namespace, name))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind that can be read; Unknown where there are some and none of them can be."""
        shelf = self._shelf(kind)
        known = shelf.everything
        if known is None:
            with self._lock:
                known = shelf.everything = all_readable(shelf.objects.values())
        return known

    def holds(self, kind: type[Kubernetes]) -> bool:
        """Whether the kind is one of those that are watched."""
        return kind in self._shelves

    def synced(self, kind: type[Kubernetes]) -> bool:
        """Whether all objects of the kind were listed once."""
        return self._shelves[kind].synced

    def missing(self, kind: type[Kubernetes]) -> bool:
        """Whether the cluster does not serve the kind: its CustomResourceDefinition is not installed."""
        return self._shelves[kind].missing

    def fresh(self, kind: type[Kubernetes], within_seconds: float = FRESH_SECONDS) -> bool:
        """Whether a list, an event or a bookmark of this kind came lately."""
        heard = self._shelves[kind].heard
        return heard is not None and self._clock() - heard <= within_seconds

    def trusted(self, kind: type[Kubernetes]) -> bool:
        """Whether the store alone suffices: the kind is watched, was listed or is not served, and was heard of lately."""
        shelf = self._shelves.get(kind)
        if shelf is None or shelf.heard is None or not (shelf.synced or shelf.missing):
            return False
        return self._clock() - shelf.heard <= FRESH_SECONDS

    def version(self, kind: type[Kubernetes]) -> str:
        """The version in which the kind was listed last; empty before that."""
        shelf = self._shelves.get(kind)
        return shelf.version if shelf is not None else ""

    def read(self, kind: type[Kubernetes], raw: Raw, version: str = "") -> Seen:
        """What would be stored of this object; raises Malformed where it has no name."""
        shelf = self._shelves[kind]
        return shelf.projection.read(raw, version or shelf.version)

    def replace(self, kind: type[Kubernetes], seen: Iterable[Seen], version: str) -> None:
        """
        The result of a list: whatever else was stored is gone.

        What has not changed since stays the same object, so that a second list takes no second memory.
        """
        shelf = self._shelves[kind]
        old, new = shelf.objects, dict[Key, Kubernetes | Unknown]()
        for each in seen:
            held = old.get(each.key)
            new[each.key] = held if held is not None and _same(held, each.value) else each.value
        with self._lock:
            shelf.everything = None
            shelf.objects = new
            shelf.undecodable = sum(isinstance(each, Unknown) for each in new.values())
            shelf.version = version
            shelf.missing, shelf.synced = False, True
            shelf.lists += 1
            shelf.heard = self._clock()
            shelf.problem = ""

    def put(self, kind: type[Kubernetes], raw: Raw) -> str:
        """An object that was added or modified; gives its resourceVersion, raises Malformed where it has no name."""
        return self._change(kind, raw, gone=False)

    def remove(self, kind: type[Kubernetes], raw: Raw) -> str:
        """An object that was deleted; gives its resourceVersion, raises Malformed where it has no name."""
        return self._change(kind, raw, gone=True)

    def heard(self, kind: type[Kubernetes]) -> None:
        """A bookmark: nothing else changed up to now."""
        shelf = self._shelves[kind]
        shelf.heard = self._clock()
        shelf.problem = ""

    def miss(self, kind: type[Kubernetes]) -> None:
        """The cluster does not serve this kind."""
        shelf = self._shelves[kind]
        with self._lock:
            shelf.everything = None
            shelf.objects = {}
            shelf.undecodable, shelf.version = 0, ""
            shelf.missing, shelf.synced = True, False
            shelf.heard = self._clock()
            shelf.problem = ""

    def failed(self, kind: type[Kubernetes], problem: str) -> None:
        """An attempt to list or watch came to nothing; what is stored stays, and grows old."""
        self._shelves[kind].problem = problem

    def restarted(self, kind: type[Kubernetes]) -> None:
        """A watch is opened again."""
        self._shelves[kind].restarts += 1

    def watched(self, kind: type[Kubernetes]) -> None:
        """The API server has taken up a watch: no problem any more, but nothing heard of objects yet either."""
        self._shelves[kind].problem = ""

    def statistics(self) -> tuple[KindStatistics, ...]:
        """How it stands with each kind, in the order in which they were given."""
        now = self._clock()
        return tuple(
            KindStatistics(
                kind=kind.__name__,
                objects=len(shelf.objects),
                undecodable=shelf.undecodable,
                synced=shelf.synced,
                missing=shelf.missing,
                age_seconds=None if shelf.heard is None else now - shelf.heard,
                lists=shelf.lists,
                restarts=shelf.restarts,
                problem=shelf.problem,
            )
            for kind, shelf in self._shelves.items()
        )

    def _change(self, kind: type[Kubernetes], raw: Raw, *, gone: bool) -> str:
        shelf = self._shelves[kind]
        seen = shelf.projection.read(raw, shelf.version)
        with self._lock:
            # first: a reader that sees the change below must not get the old list
            shelf.everything = None
            before = shelf.objects.pop(seen.key, None) if gone else shelf.objects.get(seen.key)
            if not gone:
                shelf.objects[seen.key] = seen.value
                shelf.undecodable += isinstance(seen.value, Unknown)
            shelf.undecodable -= isinstance(before, Unknown)
            shelf.heard = self._clock()
            shelf.problem = ""
        return seen.resource_version

    def _shelf(self, kind: type[K]) -> _Shelf[K]:
        return cast("_Shelf[K]", self._shelves[kind])


def _same(held: Kubernetes | Unknown, found: Kubernetes | Unknown) -> bool:
    """Whether an object is as it was: nothing changes without a new resourceVersion, but versions may differ in form."""
    return (
        isinstance(held, Kubernetes)
        and isinstance(found, Kubernetes)
        and held.meta.resource_version is not None
        and held.meta.resource_version == found.meta.resource_version
        and held.meta.uid == found.meta.uid
        and held.api_version == found.api_version
    )
