"""Lists the objects of a kind in pages. Nothing is watched, and only one page is in memory."""

import time
from collections.abc import Callable, Iterator, Mapping
from math import inf

import msgspec

from webhook.cluster.live_reads import BUILT_IN, PAGE, path_of, read_page
from webhook.cluster.messages import forbidden, late, no_response
from webhook.cluster.ports import JSON, Answer, Getter, TooLarge
from webhook.errors import Unavailable
from webhook.facts.unknown import Unread
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.meta import Read

_MAX_BYTES = 128 * 2**20
"""The maximum size of a page. A VMI or pod can have 1.5 MiB."""
TRY_LATER = frozenset((429, 500, 502, 503, 504))
"""Status codes of an API server that may respond to the same request later."""
_MOST_TRIES = 5
BUSY_SECONDS = 120.0
"""
How long a page is tried again if the API server answers that it is busy.

An API server that has just started answers 429 until its watch cache has read all objects of the kind.
"""
LONGEST_PAUSE = 8.0
"""Seconds between two tries."""


class NotListed(Exception):
    """
    A kind, or the rest of a kind, could not be listed. ``unread`` has the reason.

    ``status`` is the HTTP status of the last response, or 0. ``lost`` is the error of a response that is missing or unusable.
    """

    def __init__(self, unread: Unread, status: int = 0, lost: Unavailable | None = None) -> None:
        super().__init__(unread.why)
        self.unread = unread
        self.status = status
        self.lost = lost


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


class _List(msgspec.Struct, frozen=True):
    """A list of one version of a kind."""

    kind: Kind
    version: str
    namespace: str
    labels: str
    accept: str

    @property
    def path(self) -> str:
        """The path of all objects."""
        return path_of(self.kind, self.version, self.namespace)

    def query(self, token: str) -> dict[str, str]:
        """The query for the page of a token, or for the first page."""
        every = {"limit": str(PAGE), "labelSelector": self.labels, "continue": token}
        return {name: value for name, value in every.items() if value}


class Lister:
    """
    Lists kinds of one cluster until ``within_seconds`` have passed.

    ``wait`` pauses for some seconds, and can return True to end the list. ``clock`` returns monotonic seconds.
    ``request_seconds`` is the timeout of one request, and ``busy_seconds`` the time for which an API server may refuse a page
    before it is given up. ``requests`` counts the requests.
    """

    def __init__(
        self,
        transport: Getter,
        within_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool | None] = time.sleep,
        request_seconds: float = inf,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._wait = wait
        self._until = clock() + within_seconds
        self._gave_up = False
        """Whether the last page was given up. A cluster that does not answer for one kind is not waited for again."""
        self._request_seconds = request_seconds
        self._busy_seconds = busy_seconds
        self.requests = 0

    def every(self, kind: Kind, namespace: str = "", *, labels: str = "", accept: str = JSON) -> Iterator[Item]:
        """
        Yields the objects of a kind, of all namespaces or of one. ``labels`` is a label selector.

        Raises NotServed before the first object, and NotListed at any time.
        """
        for version in kind.versions:
            wanted = _List(kind, version, namespace, labels, accept)
            first = self._page(wanted)
            if first is not None:
                yield from self._all(wanted, first)
                return
        if kind.group in BUILT_IN:
            raise NotListed(no_response(kind.reads), 404)
        raise NotServed

    def get(self, kind: Kind, path: str, query: Mapping[str, str], accept: str = JSON) -> Answer:
        """
        The response to a read of a kind. Repeats the read while a retry can succeed.

        Raises NotListed if there is no response, or only responses in ``TRY_LATER``.
        """
        tries, failing_since = 0, self._clock()
        while True:
            left = self._until - self._clock()
            if left <= 0:
                raise NotListed(late(kind.reads))
            self.requests += 1
            answer, lost = None, None
            timeout = min(left, self._request_seconds)
            try:
                answer = self._transport.get(path, query, accept=accept, timeout_seconds=timeout, max_bytes=_MAX_BYTES)
            except TooLarge as error:
                raise NotListed(no_response(kind.reads), lost=error) from None
            except Unavailable as error:
                lost = error
            if answer is not None:
                if answer.status == 200:
                    self._gave_up = False
                if answer.status not in TRY_LATER:
                    return answer
            status = answer.status if answer is not None else 0
            tries += 1
            if not self._may_try_again(tries, failing_since, is_busy=answer is not None):
                self._gave_up = True
                raise NotListed(_late(kind, status, lost), status, lost)
            if self._wait(min(2.0 ** (tries - 2), LONGEST_PAUSE, max(0.0, self._until - self._clock()))):
                raise NotListed(_late(kind, status, lost), status, lost)

    def _may_try_again(self, tries: int, failing_since: float, *, is_busy: bool) -> bool:
        """``is_busy`` is whether the API server has answered, and refused the page for now."""
        if self._gave_up:
            return False
        return tries < _MOST_TRIES or (is_busy and self._clock() < failing_since + self._busy_seconds)

    def _all(self, wanted: _List, body: bytes) -> Iterator[Item]:
        unread = no_response(wanted.kind.reads)
        while True:
            try:
                page = read_page(body)
            except Unavailable as error:
                raise NotListed(unread, 200, error) from None
            for raw in page.items or ():
                yield Item(raw, wanted.version)
            if not page.metadata.next_page:
                return
            following = self._page(wanted, page.metadata.next_page)
            if following is None:
                raise NotListed(unread, 404)
            body = following

    def _page(self, wanted: _List, token: str = "") -> bytes | None:
        """
        One page, or None if the API server does not serve the version.

        A page can be too old for the API server (410). Its response then names a token with which the list goes on at the
        newest state (``apiserver/pkg/storage/etcd3``).
        """
        kind = wanted.kind
        for _ in range(_MOST_TRIES):
            answer = self.get(kind, wanted.path, wanted.query(token), wanted.accept)
            if answer.status == 200:
                return answer.body
            if answer.status == 404:
                return None
            if answer.status in (401, 403):
                raise NotListed(forbidden(kind), answer.status)
            if answer.status != 410 or not (token := _token_in(answer.body)):
                raise NotListed(no_response(kind.reads), answer.status)
        raise NotListed(no_response(kind.reads), 410)


def _late(kind: Kind, status: int, lost: Unavailable | None) -> Unread:
    """The reason for a page that was given up: the last error, or the last status."""
    return late(kind.reads, cause=lost.message if lost is not None else f"HTTP {status}")


def _token_in(body: bytes) -> str:
    """The token in a 410 response, with which a list goes on, or an empty text."""
    try:
        metadata = decode(_expired, body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return metadata.next_page if metadata is not None else ""
