"""
GET requests on the event loop, over plain HTTP/1.1 connections.

For a GET of a PVC, the ``kubernetes`` client needs 0.37 ms of CPU time and a thread (docs/decisions/0011). This reader pipelines
the requests of all callers on one kept connection (RFC 9112, section 9.3.2). So concurrent callers share the cost of TLS and of
system calls, and one request serves all callers that need the same object (docs/decisions/0037).

The reader uses the credentials of the client. If a read fails here, the caller repeats the read with the client.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from ssl import SSLContext

import httptools

from webhook.cluster.ports import Answer, Get
from webhook.cluster.receive_threshold import ReceiveThreshold
from webhook.errors import Unavailable

CONNECTIONS = 32
CONNECT_SECONDS = 1.0
PATIENCE_SECONDS = 0.01
"""
The time that requests wait for the responses to earlier requests. Then another connection is opened, because one slow response
delays all later responses of its connection.
"""
AT_ONCE = 32
"""Maximum number of requests that are in progress on one connection."""
FEW = 4
"""
Calls with at most this many requests have half of the places on a connection. So a VM with two claims does not wait for VMs with
hundreds of claims.
"""
MAX_BYTES = 4 * 2**20
"""Maximum size of a response with its headers. etcd refuses objects above 1.5 MiB by default."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Address, TLS settings and credentials of an API server."""

    host: str
    port: int
    base: str
    """The prefix of every path, without a trailing slash."""
    tls: SSLContext | None
    server_name: str | None
    authorization: Callable[[], str | None]
    """Returns the Authorization header that the client sent last. Never waits."""


class _Call:
    """The requests of one caller, and the responses so far."""

    __slots__ = ("answers", "future", "missing", "size")

    def __init__(self, future: "asyncio.Future[list[Answer]]", count: int) -> None:
        self.future = future
        self.answers: list[Answer | None] = [None] * count
        self.missing = count
        self.size = 0

    def give(self, place: int, answer: Answer) -> None:
        """Stores a response. The future ends with the last one."""
        self.answers[place] = answer
        self.missing -= 1
        self.size += len(answer.body)
        if self.size > MAX_BYTES:
            self.fail(OSError("the responses are too large"))
        elif not self.missing and not self.future.done():
            self.future.set_result([one for one in self.answers if one is not None])

    def fail(self, error: Exception) -> None:
        """Ends the future with an error."""
        if not self.future.done():
            self.future.set_exception(error)


class _Read:
    """One request, and the callers that need its response."""

    __slots__ = ("get", "waiting")

    def __init__(self, get: Get) -> None:
        self.get = get
        self.waiting: list[tuple[_Call, int]] = []

    @property
    def is_needed(self) -> bool:
        """Whether a caller still waits for the response."""
        return any(not call.future.done() for call, _ in self.waiting)

    def give(self, answer: Answer) -> None:
        """Passes the response to all callers."""
        for call, place in self.waiting:
            call.give(place, answer)

    def fail(self, error: Exception) -> None:
        """Fails all callers."""
        for call, _ in self.waiting:
            call.fail(error)


class HttpReader:
    """
    An ``AsyncReader`` over HTTP/1.1. Keeps connections open between reads.

    A request is sent after the call that needs it. So a response is never older than the call.
    """

    def __init__(self, settings: ConnectionSettings, user_agent: str, connections: int = CONNECTIONS) -> None:
        self._settings = settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._tail = f"Host: {host}:{settings.port}\r\nUser-Agent: {user_agent}\r\n"
        self._limit = connections
        self._small: dict[Get, _Read] = {}
        """Requests of small calls that are not sent yet."""
        self._large: dict[Get, _Read] = {}
        """Requests of other calls that are not sent yet."""
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._opening: asyncio.Task[None] | None = None
        self._is_scheduled = False
        self._patience: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def get_all(self, gets: Sequence[Get], within_seconds: float) -> list[Answer]:
        """Returns the responses in the order of ``gets``. Raises Unavailable if one of the responses does not arrive in time."""
        loop = asyncio.get_running_loop()
        call = _Call(loop.create_future(), len(gets))
        queue = self._small if len(gets) <= FEW else self._large
        for place, get in enumerate(gets):
            read = queue.get(get)
            if read is None:
                read = queue[get] = _Read(get)
            read.waiting.append((call, place))
        if not self._is_scheduled:  # all calls of this turn of the event loop are sent together
            self._is_scheduled = True
            loop.call_soon(self._send_queued)
        deadline = loop.call_later(within_seconds, call.fail, TimeoutError())
        try:
            return await call.future
        except (TimeoutError, OSError, httptools.HttpParserError) as error:
            raise Unavailable(
                f"no response from the API server ({type(error).__name__})", remedy="Migratable retries."
            ) from error
        finally:
            deadline.cancel()
            if call.missing:
                self._close_unneeded()

    def close(self) -> None:
        """Close all connections."""
        self._is_closed = True
        if self._opening is not None:
            self._opening.cancel()
        for connection in (*self._idle, *self._busy):
            connection.close()

    def _send_queued(self) -> None:
        """Sends the queued requests on an idle connection. If there is none, they wait for a connection."""
        self._is_scheduled = False
        while self._small or self._large:
            connection = self._idle.pop() if self._idle else None
            if connection is None:
                self._wait_for_connection()
                return
            if not connection.is_open:
                continue
            reads = [read for read in self._next_reads() if read.is_needed]
            if reads:
                self._busy.add(connection)
                connection.send(self._written(reads), reads)
            else:
                self._idle.append(connection)

    def _next_reads(self) -> list[_Read]:
        """Takes requests from the queues. Small calls get at least half of the places."""
        large = [*islice(self._large, AT_ONCE)]
        small = [*islice(self._small, max(AT_ONCE // 2, AT_ONCE - len(large)))]
        return [
            *(self._small.pop(get) for get in small),
            *(self._large.pop(get) for get in large[: AT_ONCE - len(small)]),
        ]

    def _written(self, reads: Sequence[_Read]) -> bytes:
        token = self._settings.authorization()
        tail = self._tail if token is None else f"{self._tail}Authorization: {token}\r\n"
        base = self._settings.base
        return "".join(
            f"GET {base}{read.get.path} HTTP/1.1\r\nAccept: {read.get.accept}\r\n{tail}\r\n" for read in reads
        ).encode()

    def _wait_for_connection(self) -> None:
        """Opens the first connection now, and another one if all connections stay busy."""
        if self._opening is not None:
            return
        if not self._busy:
            self._begin_opening()
        elif self._patience is None and len(self._busy) < self._limit:
            self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if not self._idle and self._opening is None and len(self._busy) < self._limit:
            self._begin_opening()

    def _begin_opening(self) -> None:
        """Opens a connection if a caller still waits for a queued request. Drops all other queued requests."""
        for queue in (self._small, self._large):
            for get in [get for get, read in queue.items() if not read.is_needed]:
                del queue[get]
        if self._small or self._large:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        settings = self._settings
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self),
                    settings.host,
                    settings.port,
                    ssl=settings.tls,
                    server_hostname=settings.server_name or settings.host if settings.tls else None,
                )
        except Exception as error:  # noqa: BLE001 - otherwise no connection would be opened again
            self._opening = None
            queued = [*self._small.values(), *self._large.values()]
            self._small.clear()
            self._large.clear()
            for read in queued:
                read.fail(error if isinstance(error, OSError) else ConnectionError())
        else:
            self._opening = None
            self.free(connection)

    def free(self, connection: "_Connection") -> None:
        """Uses a connection without requests in progress for the queued requests."""
        self._busy.discard(connection)
        if connection.is_open:
            self._idle.append(connection)
        self._send_queued()

    def lost(self, connection: "_Connection", unanswered: Sequence[_Read], error: Exception, *, again: bool) -> None:
        """Fails the requests of a connection that has ended, or queues them again, because a GET can be repeated safely."""
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        for read in unanswered:
            if not again or self._is_closed:
                read.fail(error)
            elif read.is_needed:
                self._small.setdefault(read.get, _Read(read.get)).waiting.extend(read.waiting)
        self._send_queued()

    def _close_unneeded(self) -> None:
        """Closes connections whose responses no caller needs, because the API server may never send them."""
        for connection in tuple(self._busy):
            if not connection.is_needed:
                connection.close()


class _Connection(asyncio.Protocol):
    """One connection, with the requests in progress."""

    def __init__(self, reader: HttpReader) -> None:
        self._reader = reader
        self._transport: asyncio.Transport | None = None
        self._reads: deque[_Read] = deque()
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._bytes = 0
        """The bytes since the end of the last response."""
        self._error: Exception = ConnectionResetError()
        self._repeats = False
        """
        Whether requests without a response are sent again after the end of the connection. An API server closes idle connections
        without notice, and after any response.
        """

    @property
    def is_open(self) -> bool:
        """Whether more requests can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_needed(self) -> bool:
        """Whether a caller still waits for a response."""
        return any(read.is_needed for read in self._reads)

    def send(self, requests: bytes, reads: Sequence[_Read]) -> None:
        """Send requests on an open connection without requests in progress."""
        self._reads.extend(reads)
        if self._transport is not None:
            self._threshold.begin(len(reads))
            self._transport.write(requests)

    def close(self) -> None:
        """Abort the connection without a TLS close_notify."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Stores the transport of the connection that was opened."""
        self._transport = transport
        self._threshold = ReceiveThreshold(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Returns the requests without a response."""
        self._transport = None
        self._threshold.stop()
        reads, self._reads = [*self._reads], deque()
        self._reader.lost(self, reads, self._error, again=self._repeats)

    def data_received(self, data: bytes) -> None:
        """Parses a part of a response."""
        self._bytes += len(data)
        if not self._reads:
            self.close()  # no request is pending
        elif self._bytes > MAX_BYTES:
            self._reads.popleft().fail(OSError("the response is too large"))
            self.close()
        else:
            pending = len(self._reads)
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError as error:
                self._error, self._repeats = error, False
                self.close()
            if self.is_open:
                self._threshold.received(len(data), pending - len(self._reads), len(self._reads))
                # Not before all data is parsed: a response without a request must not answer the next request.
                if not self._reads:
                    self._reader.free(self)
                elif not self.is_needed:  # the API server may never send the other responses
                    self.close()

    def on_body(self, body: bytes) -> None:
        """Stores a part of a body, without chunk framing."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """
        Passes on a complete response. Closes the connection after an unexpected response, which would answer the wrong request.
        """
        if not self._reads:
            self.close()
            return
        if self._parser.get_status_code() < 200:  # an interim response (RFC 9110, section 15.2)
            return
        read = self._reads.popleft()
        self._bytes, self._repeats = 0, True
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        self._body.clear()
        read.give(answer)
        if not self._parser.should_keep_alive():
            self.close()
