"""Lists the objects of a kind in pages. Nothing is watched, and only one page is in memory."""

import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from webhook.cluster.live_reads import BUILT_IN, PAGE, path_of, read_page
from webhook.cluster.messages import forbidden, late, no_response
from webhook.cluster.ports import TooLarge, Transport
from webhook.errors import Unavailable
from webhook.facts.unknown import Unread
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.meta import Read

_MAX_BYTES = 128 * 2**20
"""The maximum size of a page. A VMI or pod can have 1.5 MiB."""
_TRY_LATER = frozenset((429, 500, 502, 503, 504))
_MOST_TRIES = 5
BUSY_SECONDS = 120.0
"""
How long a page is tried again if the API server answers that it is busy.

An API server that has just started answers 429 until its watch cache has read all objects of the kind.
"""
LONGEST_PAUSE = 8.0
"""Seconds between two tries."""


class NotListed(Exception):
    """A kind, or the rest of a kind, could not be listed. ``unread`` has the reason."""

    def __init__(self, unread: Unread) -> None:
        super().__init__(unread.why)
        self.unread = unread


class NotServed(Exception):
    """The API server does not serve the kind, because its CustomResourceDefinition is not installed."""


class _Continued(Read, frozen=True):
    next_page: str = msgspec.field(default="", name="continue")


class _Expired(Read, frozen=True):
    metadata: _Continued | None = None


_expired = msgspec.json.Decoder(_Expired)


class Item(msgspec.Struct, frozen=True, gc=False):
    """An object of a list, as JSON without apiVersion and kind, and the API version in which it was listed."""

    raw: msgspec.Raw
    version: str

    def copy(self) -> "Item":
        """The same object, without the rest of its page in memory."""
        return Item(self.raw.copy(), self.version)


class Lister:
    """
    Lists kinds of one cluster until ``within_seconds`` have passed.

    ``wait`` pauses for some seconds. ``clock`` returns monotonic seconds. ``requests`` counts the requests.
    """

    def __init__(
        self,
        transport: Transport,
        within_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._wait = wait
        self._until = clock() + within_seconds
        self._gave_up = False
        """Whether the last page was given up. A cluster that does not answer for one kind is not waited for again."""
        self.requests = 0

    def every(self, kind: Kind, namespace: str = "") -> Iterator[Item]:
        """
        Yields the objects of a kind, of all namespaces or of one.

        Raises NotServed before the first object, and NotListed at any time.
        """
        for version in kind.versions:
            first = self._page(kind, version, namespace, {"limit": str(PAGE)})
            if first is not None:
                yield from self._all(kind, version, namespace, first)
                return
        if kind.group in BUILT_IN:
            raise NotListed(no_response(kind.reads))
        raise NotServed

    def _all(self, kind: Kind, version: str, namespace: str, body: bytes) -> Iterator[Item]:
        while True:
            try:
                page = read_page(body)
            except Unavailable:
                raise NotListed(no_response(kind.reads)) from None
            for raw in page.items or ():
                yield Item(raw, version)
            if not page.metadata.next_page:
                return
            query = {"limit": str(PAGE), "continue": page.metadata.next_page}
            following = self._page(kind, version, namespace, query)
            if following is None:
                raise NotListed(no_response(kind.reads))
            body = following

    def _page(self, kind: Kind, version: str, namespace: str, query: Mapping[str, str]) -> bytes | None:
        """
        One page, or None if the API server does not serve the version.

        A page can be too old for the API server (410). Its response then names a token with which the list goes on at the
        newest state (``apiserver/pkg/storage/etcd3``).
        """
        tries, failing_since = 0, self._clock()
        while True:
            left = self._until - self._clock()
            if left <= 0:
                raise NotListed(late(kind.reads))
            self.requests += 1
            try:
                answer = self._transport.get(
                    path_of(kind, version, namespace), query, timeout_seconds=left, max_bytes=_MAX_BYTES
                )
            except TooLarge:
                raise NotListed(no_response(kind.reads)) from None
            except Unavailable:
                answer = None
            if answer is not None:
                if answer.status == 200:
                    self._gave_up = False
                    return answer.body
                if answer.status == 404:
                    return None
                if answer.status in (401, 403):
                    raise NotListed(forbidden(kind))
                if answer.status == 410 and (token := _token_in(answer.body)):
                    query = {"limit": str(PAGE), "continue": token}
                    continue
                if answer.status not in _TRY_LATER:
                    raise NotListed(no_response(kind.reads))
            tries += 1
            if not self._may_try_again(tries, failing_since, is_busy=answer is not None):
                self._gave_up = True
                raise NotListed(late(kind.reads))
            self._wait(min(2.0 ** (tries - 2), LONGEST_PAUSE, max(0.0, self._until - self._clock())))

    def _may_try_again(self, tries: int, failing_since: float, *, is_busy: bool) -> bool:
        """``is_busy`` is whether the API server has answered, and refused the page for now."""
        if self._gave_up:
            return False
        return self._clock() < failing_since + BUSY_SECONDS if is_busy else tries < _MOST_TRIES


def _token_in(body: bytes) -> str:
    """The token in a 410 response, with which a list goes on, or an empty text."""
    try:
        metadata = decode(_expired, body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return metadata.next_page if metadata is not None else ""
