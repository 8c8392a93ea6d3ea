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
class _KindState(Generic[K]):
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
        self._states: Mapping[type[Kubernetes], _KindState[Kubernetes]] = {
            kind: _KindState(Projection(BY_CLASS[kind])) for kind in kinds
        }

    def get(self, kind: type[K], namespace: str, name: str) -> K | Unknown | None:
        """What is stored under this name: an object, Unknown where it could not be decoded, None where nothing is."""
        return self._state_of(kind).objects.get((namespace, name))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind that can be read; Unknown where there are some and none of them can be."""
        state = self._state_of(kind)
        known = state.everything
        if known is None:
            with self._lock:
                known = state.everything = all_readable(state.objects.values())
        return known

    def holds(self, kind: type[Kubernetes]) -> bool:
        """Whether the kind is one of those that are watched."""
        return kind in self._states

    def synced(self, kind: type[Kubernetes]) -> bool:
        """Whether all objects of the kind were listed once."""
        return self._states[kind].synced

    def missing(self, kind: type[Kubernetes]) -> bool:
        """Whether the cluster does not serve the kind: its CustomResourceDefinition is not installed."""
        return self._states[kind].missing

    def fresh(self, kind: type[Kubernetes], within_seconds: float = FRESH_SECONDS) -> bool:
        """Whether a list, an event or a bookmark of this kind came lately."""
        heard = self._states[kind].heard
        return heard is not None and self._clock() - heard <= within_seconds

    def trusted(self, kind: type[Kubernetes]) -> bool:
        """Whether the store alone suffices: the kind is watched, was listed or is not served, and was heard of lately."""
        state = self._states.get(kind)
        if state is None or state.heard is None or not (state.synced or state.missing):
            return False
        return self._clock() - state.heard <= FRESH_SECONDS

    def version(self, kind: type[Kubernetes]) -> str:
        """The version in which the kind was listed last; empty before that."""
        state = self._states.get(kind)
        return state.version if state is not None else ""

    def read(self, kind: type[Kubernetes], raw: Raw, version: str = "") -> Seen:
        """What would be stored of this object; raises Malformed where it has no name."""
        state = self._states[kind]
        return state.projection.read(raw, version or state.version)

    def replace(self, kind: type[Kubernetes], seen: Iterable[Seen], version: str) -> None:
        """
        The result of a list: whatever else was stored is gone.

        What has not changed since stays the same object, so that a second list takes no second memory.
        """
        state = self._states[kind]
        old, new = state.objects, dict[Key, Kubernetes | Unknown]()
        for each in seen:
            held = old.get(each.key)
            new[each.key] = held if held is not None and _same(held, each.value) else each.value
        with self._lock:
            state.everything = None
            state.objects = new
            state.undecodable = sum(isinstance(each, Unknown) for each in new.values())
            state.version = version
            state.missing, state.synced = False, True
            state.lists += 1
            state.heard = self._clock()
            state.problem = ""

    def put(self, kind: type[Kubernetes], raw: Raw) -> str:
        """An object that was added or modified; gives its resourceVersion, raises Malformed where it has no name."""
        return self._change(kind, raw, gone=False)

    def remove(self, kind: type[Kubernetes], raw: Raw) -> str:
        """An object that was deleted; gives its resourceVersion, raises Malformed where it has no name."""
        return self._change(kind, raw, gone=True)

    def heard(self, kind: type[Kubernetes]) -> None:
        """A bookmark: nothing else changed up to now."""
        state = self._states[kind]
        state.heard = self._clock()
        state.problem = ""

    def miss(self, kind: type[Kubernetes]) -> None:
        """The cluster does not serve this kind."""
        state = self._states[kind]
        with self._lock:
            state.everything = None
            state.objects = {}
            state.undecodable, state.version = 0, ""
            state.missing, state.synced = True, False
            state.heard = self._clock()
            state.problem = ""

    def failed(self, kind: type[Kubernetes], problem: str) -> None:
        """An attempt to list or watch came to nothing; what is stored stays, and grows old."""
        self._states[kind].problem = problem

    def restarted(self, kind: type[Kubernetes]) -> None:
        """A watch is opened again."""
        self._states[kind].restarts += 1

    def watched(self, kind: type[Kubernetes]) -> None:
        """The API server has taken up a watch: no problem any more, but nothing heard of objects yet either."""
        self._states[kind].problem = ""

    def statistics(self) -> tuple[KindStatistics, ...]:
        """How it stands with each kind, in the order in which they were given."""
        now = self._clock()
        return tuple(
            KindStatistics(
                kind=kind.__name__,
                objects=len(state.objects),
                undecodable=state.undecodable,
                synced=state.synced,
                missing=state.missing,
                age_seconds=None if state.heard is None else now - state.heard,
                lists=state.lists,
                restarts=state.restarts,
                problem=state.problem,
            )
            for kind, state in self._states.items()
        )

    def _change(self, kind: type[Kubernetes], raw: Raw, *, gone: bool) -> str:
        state = self._states[kind]
        seen = state.projection.read(raw, state.version)
        with self._lock:
            # first: a reader that sees the change below must not get the old list
            state.everything = None
            before = state.objects.pop(seen.key, None) if gone else state.objects.get(seen.key)
            if not gone:
                state.objects[seen.key] = seen.value
                state.undecodable += isinstance(seen.value, Unknown)
            state.undecodable -= isinstance(before, Unknown)
            state.heard = self._clock()
            state.problem = ""
        return seen.resource_version

    def _state_of(self, kind: type[K]) -> _KindState[K]:
        return cast("_KindState[K]", self._states[kind])


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
