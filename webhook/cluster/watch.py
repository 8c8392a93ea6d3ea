"""
List and watch: keeps one kind of the store equal to the cluster.

A step that takes less than ``HEALTHY_SECONDS`` is followed by a pause, so there is no busy loop. After a broken connection, the
watch resumes at the last resourceVersion. Another list is needed only if that resourceVersion is no longer valid. The pauses
between such lists grow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from webhook.cluster.interruptions import Interruptions
from webhook.cluster.live_reads import BUILT_IN, PAGE, accept_of, path_of, read_page
from webhook.cluster.ports import Answer, TooLarge, Transport
from webhook.cluster.projection import Malformed, Seen, position_of
from webhook.cluster.refusals import Refusals
from webhook.cluster.store import Store
from webhook.errors import Unavailable
from webhook.objects.json_depth import decode
from webhook.objects.kinds import BY_CLASS, Kind
from webhook.objects.meta import Kubernetes, Read

HEALTHY_SECONDS = 5.0
STEADY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals and timeouts in seconds, the page size in objects, and ``page_bytes`` in bytes."""

    page: int = PAGE
    page_bytes: int = 16 * 2**20
    list_seconds: float = 30.0
    between_lists: float = 0.0
    """The shortest time from the begin of one complete list to the next, such as after several restarts of the API server."""
    watch_seconds: tuple[float, float] = (300.0, 600.0)
    """The range of ``timeoutSeconds``, after which the API server ends a watch."""
    silence_seconds: float = 75.0
    """Bookmarks arrive once a minute. A connection on which no data arrives for this time is half open."""
    missing_seconds: float = 60.0
    unreachable: tuple[float, float] = (0.5, 8.0)
    """
    First and longest pause after a failed connection or a response 5xx or 429.

    The longest pause is below ten seconds, so that recovery is fast.
    """
    refused: tuple[float, float] = (1.0, 30.0)
    """First and longest pause after a 401 or 403 response, which only an administrator can resolve."""
    expired: tuple[float, float] = (1.0, 30.0)
    """First and longest pause before another list, after a 410 response or a malformed stream."""


class Backoff:
    """Doubles a pause from ``first`` to ``longest``, and randomly shortens it by up to half."""

    def __init__(self, bounds: tuple[float, float], chance: Callable[[], float]) -> None:
        self._first, self._longest = bounds
        self._chance = chance
        self._failures = 0

    def next(self) -> float:
        """Returns the length of the next pause in seconds."""
        full = min(self._longest, self._first * (1 << min(self._failures, 16)))
        self._failures += 1
        return full * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """Start again with the first pause."""
        self._failures = 0


class _Expired(Exception):
    """The resourceVersion is too old or invalid."""


class _Refused(Exception):
    """401 or 403."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the API server returned HTTP {status}")
        self.status = status


class _Event(Read, frozen=True):
    type: str
    object: msgspec.Raw


class _Error(Read, frozen=True):
    code: int = 0


_event = msgspec.json.Decoder(_Event)
_error = msgspec.json.Decoder(_Error)


class Watch:
    """
    The list and watch loop for one kind, in its own thread. ``wait`` pauses for some seconds and returns whether to stop.
    ``chance`` returns numbers in [0, 1). ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        kind: type[Kubernetes],
        store: Store,
        transport: Transport,
        *,
        wait: Callable[[float], bool],
        clock: Callable[[], float],
        chance: Callable[[], float],
        pace: Pace,
        refusals: Refusals | None = None,
        interruptions: Interruptions | None = None,
    ) -> None:
        self._kind: Kind = BY_CLASS[kind]
        self._reads = kind
        self._store = store
        self._transport = transport
        self._wait = wait
        self._clock = clock
        self._chance = chance
        self._pace = pace
        self._refusals = refusals or Refusals([kind])
        self._interruptions = interruptions or Interruptions(pace.unreachable[1], clock)
        self._position = ""
        self._page = pace.page
        self._listed_at: float | None = None
        self._unreachable = Backoff(pace.unreachable, chance)
        self._refused = Backoff(pace.refused, chance)
        self._expired = Backoff(pace.expired, chance)

    def run(self) -> None:
        """Run until ``wait`` returns True."""
        pause = 0.0
        while not self._wait(pause):
            pause = self._step()

    def _step(self) -> float:
        """Run one list or one watch, and return the length of the pause that follows."""
        try:
            return self._watch() if self._position else self._list()
        except _Refused as error:
            self._store.failed(self._reads, str(error), refused=True)
            self._refusals.refused(self._reads, error.status)
            return self._refused.next()
        except _Expired as error:
            self._position = ""
            return self._failed(str(error), self._expired)
        except Malformed:
            self._position = ""
            return self._failed("unexpected data from the API server", self._expired)
        except Unavailable as error:
            return self._failed(error.message, self._unreachable)
        except Exception as error:  # noqa: BLE001 - the outermost handler of the thread, which must not end
            self._position = ""
            return self._failed(f"internal error: {type(error).__name__}", self._expired)

    def _failed(self, problem: str, backoff: Backoff) -> float:
        self._store.failed(self._reads, problem)
        self._refusals.not_refused(self._reads)
        pause = backoff.next()
        self._interruptions.failed(self._kind.kind, problem, pause)
        return pause

    def _list(self) -> float:
        """List the kind in the newest version that the cluster serves, and fill the store. Pauses after a recent list."""
        began = self._clock()
        if self._listed_at is not None and (early := self._listed_at + self._pace.between_lists - began) > 0:
            return early
        for version in self._kind.versions:
            first = self._get_page(version, "")
            if first.status == 404:
                continue
            self._accept(first.status)
            self._store.replace(self._reads, self._pages(version, first), version)
            self._listed_at = began
            return 0.0
        if self._kind.group in BUILT_IN:
            raise Unavailable("the API server returned HTTP 404", remedy="Check that this is a Kubernetes API server.")
        self._store.miss(self._reads)
        self._refusals.not_refused(self._reads)
        return self._pace.missing_seconds * (0.9 + self._chance() / 5)

    def _pages(self, version: str, first: Answer) -> Iterator[Seen]:
        """Yields all objects, page by page. Sets the resourceVersion for the watch."""
        page = read_page(first.body)
        while True:
            for raw in page.items or ():
                yield self._store.read(self._reads, raw, version)
            if not page.metadata.next_page:
                break
            answer = self._get_page(version, page.metadata.next_page)
            self._accept(answer.status)
            page = read_page(answer.body)
        if not page.metadata.resource_version:
            raise Malformed
        self._position = page.metadata.resource_version

    def _get_page(self, version: str, token: str) -> Answer:
        """Returns one page. Requests fewer objects if a page with large objects exceeds ``page_bytes``."""
        while True:
            query = {"limit": str(self._page)} | ({"continue": token} if token else {})
            try:
                return self._transport.get(
                    path_of(self._kind, version),
                    query,
                    accept=accept_of(self._kind, "List"),
                    timeout_seconds=self._pace.list_seconds,
                    max_bytes=self._pace.page_bytes if self._page > 1 else None,
                )
            except TooLarge:
                self._page = max(1, self._page // 4)

    def _watch(self) -> float:
        """Apply events until the stream ends. Returns the length of the pause before the next stream."""
        low, high = self._pace.watch_seconds
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._position,
            "timeoutSeconds": str(round(low + (high - low) * self._chance())),
        }
        self._store.restarted(self._reads)
        path = path_of(self._kind, self._store.version(self._reads))
        with self._transport.watch(
            path, query, accept=accept_of(self._kind), read_seconds=self._pace.silence_seconds
        ) as stream:
            if stream.status == 404:
                raise _Expired("the API server no longer serves this kind")
            self._accept(stream.status)
            self._store.watched(self._reads)
            self._refusals.not_refused(self._reads)
            began = self._clock()
            try:
                for line in stream:
                    self._apply(line)
            finally:
                lasted = self._clock() - began
                self._reset_pauses(lasted)
        return self._chance() if lasted >= HEALTHY_SECONDS else self._unreachable.next()

    def _reset_pauses(self, lasted: float) -> None:
        if lasted >= HEALTHY_SECONDS:
            self._unreachable.reset()
            self._refused.reset()
        if lasted >= STEADY_SECONDS:
            self._expired.reset()

    def _accept(self, status: int) -> None:
        """Raise an error if the status is not 200."""
        if status in (401, 403):
            raise _Refused(status)
        if status == 410:
            raise _Expired("the API server returned HTTP 410")
        if status != 200:
            raise Unavailable(f"the API server returned HTTP {status}", remedy="Migratable retries.")

    def _apply(self, line: bytes) -> None:
        try:
            event = decode(_event, line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed from error
        match event.type:
            case "ADDED" | "MODIFIED":
                self._position = self._store.put(self._reads, event.object) or self._position
            case "DELETED":
                self._position = self._store.remove(self._reads, event.object) or self._position
            case "BOOKMARK":
                self._position = position_of(event.object)
                self._store.heard(self._reads)
            case "ERROR":
                self._accept(_code(event.object))
                raise Malformed
            case _:
                raise Malformed


def _code(raw: msgspec.Raw) -> int:
    try:
        return decode(_error, raw).code
    except msgspec.DecodeError as error:
        raise Malformed from error
