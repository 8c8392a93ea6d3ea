"""
Stores the objects of the cluster, by kind. This module does no I/O.

One thread writes each kind, and any thread reads. ``get`` is one dict lookup, so it needs no lock.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar, cast

import msgspec

from webhook.cluster.projection import Key, Projection, Seen, all_readable
from webhook.facts.unknown import Fact, Unknown
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

log = logging.getLogger("migratable.cluster")

K = TypeVar("K", bound=Kubernetes)
Raw = bytes | msgspec.Raw
Stored = Kubernetes | Unknown
Listener = Callable[[type[Kubernetes], Key, Stored | None, Stored | None], None]
"""
Receives each change: the kind, the key, and the object before and after (None if it does not exist).

It is called in the thread of the watch, when the store already returns the new object. The calls for one kind are in order.
The key is ``WHOLE_KIND`` if the kind was listed for the first time, or is no longer served.
"""
WHOLE_KIND: Final[Key] = ("", "")

FRESH_SECONDS = 90.0
"""Bookmarks arrive about once a minute. A watch that receives no bookmark for this time is broken."""


class Reader(Protocol):
    """Reads one object from JSON, in the form in which the store keeps it."""

    def read(self, raw: Raw, version: str, /) -> Seen:
        """Raises Malformed if the object has no name."""
        ...


def _ignore(_kind: type[Kubernetes], _key: Key, _before: Stored | None, _after: Stored | None) -> None:
    """No listener."""


@dataclass(frozen=True, slots=True)
class KindStatistics:
    """The state of one kind, for metrics."""

    kind: str
    objects: int
    undecodable: int
    """The number of objects that are stored as Unknown."""
    synced: bool
    missing: bool
    """Whether the cluster does not serve the kind."""
    age_seconds: float | None
    """Seconds since the last list, event or bookmark."""
    lists: int
    restarts: int
    """The number of times that the watch was opened."""
    problem: str
    """The error of the last list or watch, without content of objects (empty if the last list or watch succeeded)."""


@dataclass(slots=True)
class _KindState(Generic[K]):
    """The state of one kind: all its objects, and the result of its list and watch."""

    projection: Reader
    objects: dict[Key, K | Unknown] = field(default_factory=dict)
    everything: Fact[tuple[K, ...]] | None = None
    undecodable: int = 0
    synced: bool = False
    missing: bool = False
    refused: bool = False
    heard: float | None = None
    version: str = ""
    lists: int = 0
    restarts: int = 0
    problem: str = ""


class Store:
    """
    Stores projected objects of the watched kinds. ``clock`` returns monotonic seconds.

    ``readers`` replaces the projection of some kinds. ``changed`` receives each change.
    """

    def __init__(
        self,
        kinds: Iterable[type[Kubernetes]],
        clock: Callable[[], float],
        *,
        readers: Mapping[type[Kubernetes], Reader] | None = None,
        changed: Listener = _ignore,
    ) -> None:
        self._clock = clock
        self._lock = Lock()
        self._changed = changed
        own = readers or {}
        self._states: Mapping[type[Kubernetes], _KindState[Kubernetes]] = {
            kind: _KindState(own.get(kind) or Projection(BY_CLASS[kind])) for kind in kinds
        }

    def get(self, kind: type[K], namespace: str, name: str) -> K | Unknown | None:
        """Returns the stored object, Unknown if the object could not be decoded, or None if the object does not exist."""
        return self._state_of(kind).objects.get((namespace, name))

    def objects(self, kind: type[Kubernetes]) -> tuple[tuple[Key, Stored], ...]:
        """Returns all stored objects with their keys, in no defined order."""
        with self._lock:
            return tuple(self._states[kind].objects.items())

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all readable objects of a kind. Returns Unknown if there are objects and none of them is readable."""
        state = self._state_of(kind)
        known = state.everything
        if known is None:
            with self._lock:
                known = state.everything = all_readable(state.objects.values())
        return known

    def holds(self, kind: type[Kubernetes]) -> bool:
        """Whether the kind is watched."""
        return kind in self._states

    def synced(self, kind: type[Kubernetes]) -> bool:
        """Whether the kind has been listed completely."""
        return self._states[kind].synced

    def missing(self, kind: type[Kubernetes]) -> bool:
        """Whether the cluster does not serve the kind, because its CustomResourceDefinition is not installed."""
        return self._states[kind].missing

    def refused(self, kind: type[Kubernetes]) -> bool:
        """Whether the account may not list or watch the kind, at the last attempt."""
        return self._states[kind].refused

    def fresh(self, kind: type[Kubernetes], within_seconds: float = FRESH_SECONDS) -> bool:
        """Whether a list, event or bookmark of the kind arrived in the last ``within_seconds``."""
        heard = self._states[kind].heard
        return heard is not None and self._clock() - heard <= within_seconds

    def trusted(self, kind: type[Kubernetes]) -> bool:
        """
        Whether the store can be trusted for the kind: the kind is watched, its state is fresh, and it is either listed or not
        served.
        """
        state = self._states.get(kind)
        if state is None or state.heard is None or not (state.synced or state.missing):
            return False
        return self._clock() - state.heard <= FRESH_SECONDS

    def version(self, kind: type[Kubernetes]) -> str:
        """Returns the API version of the last list, or '' before the first list."""
        state = self._states.get(kind)
        return state.version if state is not None else ""

    def read(self, kind: type[Kubernetes], raw: Raw, version: str = "") -> Seen:
        """Returns the projection of this object. Raises Malformed if the object has no name."""
        state = self._states[kind]
        return state.projection.read(raw, version or state.version)

    def replace(self, kind: type[Kubernetes], seen: Iterable[Seen], version: str) -> None:
        """
        Replace all objects of the kind with the result of a list.

        Stored objects that are unchanged are kept, so that a second list needs no additional memory.
        """
        state = self._states[kind]
        old, new = state.objects, dict[Key, Kubernetes | Unknown]()
        for one in seen:
            held = old.get(one.key)
            new[one.key] = held if held is not None and _is_same(held, one.value) else one.value
        with self._lock:
            state.everything = None
            state.objects = new
            state.undecodable = sum(isinstance(value, Unknown) for value in new.values())
            state.version = version
            is_new = not state.synced
            state.missing, state.synced, state.refused = False, True, False
            state.lists += 1
            state.heard = self._clock()
            state.problem = ""
        self._tell_differences(kind, old, new)
        if is_new:
            self._tell(kind, WHOLE_KIND, None, None)

    def put(self, kind: type[Kubernetes], raw: Raw) -> str:
        """Store an added or modified object and return its resourceVersion. Raises Malformed if the object has no name."""
        return self._change(kind, raw, gone=False)

    def remove(self, kind: type[Kubernetes], raw: Raw) -> str:
        """Remove a deleted object and return its resourceVersion. Raises Malformed if the object has no name."""
        return self._change(kind, raw, gone=True)

    def heard(self, kind: type[Kubernetes]) -> None:
        """Record a bookmark, which confirms that all changes up to now have arrived."""
        state = self._states[kind]
        state.heard = self._clock()
        state.problem = ""

    def miss(self, kind: type[Kubernetes]) -> None:
        """Record that the cluster does not serve this kind."""
        state = self._states[kind]
        old, is_new = state.objects, not state.missing
        with self._lock:
            state.everything = None
            state.objects = {}
            state.undecodable, state.version = 0, ""
            state.missing, state.synced, state.refused = True, False, False
            state.heard = self._clock()
            state.problem = ""
        self._tell_differences(kind, old, {})
        if is_new:
            self._tell(kind, WHOLE_KIND, None, None)

    def failed(self, kind: type[Kubernetes], problem: str, *, refused: bool = False) -> None:
        """Record a failed list or watch, and whether the account may not list and watch the kind. Stored objects stay."""
        state = self._states[kind]
        state.problem, state.refused = problem, refused

    def restarted(self, kind: type[Kubernetes]) -> None:
        """Count an opened watch."""
        self._states[kind].restarts += 1

    def watched(self, kind: type[Kubernetes]) -> None:
        """Record that the API server accepted a watch. The age of the objects does not change."""
        self._states[kind].problem = ""

    def statistics(self) -> tuple[KindStatistics, ...]:
        """Returns the state of each kind, in the order of ``kinds``."""
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
            # cleared before the object changes, so that no thread reads the new object and then the old list
            state.everything = None
            before = state.objects.pop(seen.key, None) if gone else state.objects.get(seen.key)
            if not gone:
                state.objects[seen.key] = seen.value
                state.undecodable += isinstance(seen.value, Unknown)
            state.undecodable -= isinstance(before, Unknown)
            state.heard = self._clock()
            state.problem = ""
        self._tell(kind, seen.key, before, None if gone else seen.value)
        return seen.resource_version

    def _tell_differences(self, kind: type[Kubernetes], old: Mapping[Key, Stored], new: Mapping[Key, Stored]) -> None:
        if self._changed is _ignore:
            return
        for key, before in old.items():
            if key not in new:
                self._tell(kind, key, before, None)
        for key, after in new.items():
            before_it = old.get(key)
            if before_it is not after:
                self._tell(kind, key, before_it, after)

    def _tell(self, kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None) -> None:
        """Call the listener. Its errors must not end the watch."""
        try:
            self._changed(kind, key, before, after)
        except Exception as error:  # noqa: BLE001
            log.error("a change was not processed", extra={"kind": kind.__name__, "error": type(error).__name__})  # noqa: TRY400

    def _state_of(self, kind: type[K]) -> _KindState[K]:
        return cast("_KindState[K]", self._states[kind])


def _is_same(held: Kubernetes | Unknown, new: Kubernetes | Unknown) -> bool:
    """Whether an object is unchanged: same resourceVersion, uid and apiVersion."""
    return (
        isinstance(held, Kubernetes)
        and isinstance(new, Kubernetes)
        and held.meta.resource_version is not None
        and held.meta.resource_version == new.meta.resource_version
        and held.meta.uid == new.meta.uid
        and held.api_version == new.api_version
    )
