"""
Answers whole small POST requests without ASGI (docs/decisions/0036).

For such a request, ASGI and uvicorn's cycle cost as much CPU time as the judgement of a review: a task with a copy of the
context, a scope, an event, a timer, four messages, and checks of each header of the response. All other requests, and those
that the application does not want, take the way through ASGI. The limits of ``LimitedProtocol`` apply to both.

Requests that arrive together are first all read, then all answered, then all written. TLS and the kernel push the application
out of the caches of the CPU, so reviews in a row take less time.
"""

from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from webhook.serve.limits import LimitedProtocol
from webhook.surfaces.asgi import DirectApp, Header, Reply

MAX_DIRECT = 64 * 1024
"""The maximum size of a body in bytes. uvicorn stops reading at the same size until the application takes the body."""
MAX_BATCH = 8
"""The number of requests that are answered before their responses are written. The first of them waits for the others."""
_NEED_ASGI = frozenset((b"content-length", b"expect", b"transfer-encoding", b"upgrade"))
"""Headers with which a request goes through ASGI. A small Content-Length is the exception."""
_FAILED = Reply(500, b"Internal Server Error", ((b"content-type", b"text/plain; charset=utf-8"),))


class Batch:
    """The requests and replies of one listener that become complete in the same turn of the event loop."""

    def __init__(self) -> None:
        self._connections: list[DirectProtocol] = []
        self._replies: list[tuple[DirectProtocol, Reply]] = []

    def add(self, connection: "DirectProtocol") -> None:
        """Answers the request of a connection at the end of the turn, or now if the batch is full."""
        self._connections.append(connection)
        if len(self._connections) == 1:
            connection.loop.call_soon(self._answer)
        elif len(self._connections) == MAX_BATCH:
            self._answer()

    def _answer(self) -> None:
        connections, self._connections = self._connections, []
        replies = [connection.reply() for connection in connections]
        for connection, reply in zip(connections, replies, strict=True):
            if reply is not None:
                connection.write(reply)

    def write_later(self, connection: "DirectProtocol", reply: Reply) -> None:
        """Writes a reply after the tasks of this turn, because live reads of several reviews end together (decision 41)."""
        self._replies.append((connection, reply))
        if len(self._replies) == 1:
            connection.loop.call_soon(self._write)

    def _write(self) -> None:
        replies, self._replies = self._replies, []
        for connection, reply in replies:
            connection.write(reply)


class DirectProtocol(LimitedProtocol):
    """One HTTP connection, with a short way for whole small requests."""

    def __init__(self, direct: DirectApp, batch: Batch, *args: Any, **rest: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **rest)
        self._direct = direct
        self._batch = batch
        self._parts: list[bytes] | None = None
        """The body so far, while a request takes the short way. None for requests that go through ASGI."""
        self._size = 0
        """The size of these parts in bytes."""
        self._waiting = False
        """Whether a whole request has no response yet."""
        self._closes = False
        """Whether the connection closes after the current reply."""
        self._is_lost = False
        self._path, self._query, self._body = "", b"", b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Drops the reply that waits, if there is one. A closed TLS transport does not say that it is closed."""
        self._is_lost = True
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begins a request. uvicorn would make a scope here."""
        self.begin_message()
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._parts, self._size = [], 0

    def is_unanswered(self) -> bool:
        """Whether an earlier request has no response yet."""
        return self._waiting or super().is_unanswered()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Stores a header. The name becomes lower case only where it matters."""
        if self._parts is None:
            super().on_header(name, value)
            return
        self._named += len(name) + len(value)
        if self._named > self._header_bytes:
            raise httptools.HttpParserError("too long")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Chooses the way of the request."""
        if self._is_direct():
            self.is_in_headers = False
        else:
            self._go_through_asgi()

    def _is_direct(self) -> bool:
        parser, url = self.parser, self.url
        if (
            self.app is not self._direct
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or b"%" in url
            or b"#" in url
        ):
            return False
        for name, value in self.headers:
            lower = name.lower()
            if lower in _NEED_ASGI and (lower != b"content-length" or int(value) > MAX_DIRECT):
                return False
        path, _, self._query = url.partition(b"?")
        self._path = path.decode("latin-1")
        takes: bool = self._direct.takes_directly(self._path)
        return takes

    def _go_through_asgi(self) -> None:
        """Passes the headers and the body so far to uvicorn."""
        url, headers, parts = self.url, self.headers, self._parts
        self._parts = None
        HttpToolsProtocol.on_message_begin(self)
        self.url = url
        for name, value in headers:
            HttpToolsProtocol.on_header(self, name, value)
        super().on_headers_complete()
        for part in parts or ():
            HttpToolsProtocol.on_body(self, part)

    def on_body(self, body: bytes) -> None:
        """Stores a part of the body."""
        if self._parts is None:
            super().on_body(body)
            return
        self._overhead -= len(body)
        self._parts.append(body)
        self._size += len(body)
        if self._size > MAX_DIRECT:
            self._go_through_asgi()

    def on_message_complete(self) -> None:
        """Answers the request."""
        if self._parts is not None and self.flow.write_paused:
            self._go_through_asgi()  # uvicorn waits until the client has read the last response
        parts, self._parts = self._parts, None
        if parts is None:
            super().on_message_complete()
            return
        self.is_receiving = False
        self._waiting = True
        self._body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._batch.add(self)

    def reply(self) -> Reply | None:
        """The reply to the whole request. The result is None if the reply waits for live reads."""
        body, self._body = self._body, b""
        try:
            answer = self._direct.answer_directly(self._path, self._query, body, self.request_began or 0.0)
        except Exception as error:  # noqa: BLE001 - as uvicorn
            answer = self._failed(error)
        if isinstance(answer, Reply):
            return answer
        task = self.loop.create_task(self._write_later(answer))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        return None

    def _failed(self, error: BaseException) -> Reply:
        self.logger.error("Exception in application", exc_info=error)
        self._closes = True
        return _FAILED

    async def _write_later(self, answer: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = await answer
        except BaseException as error:  # noqa: BLE001 - as uvicorn, also a cancellation at the end of the drain
            reply = self._failed(error)
        if self.flow.write_paused:
            await self.flow.drain()
        self._batch.write_later(self, reply)

    def write(self, reply: Reply) -> None:
        """Writes a whole response in one piece, and ends the request."""
        self._waiting = False
        if self._is_lost or self.transport.is_closing():
            return
        self.server_state.total_requests += 1
        close = b"connection: close\r\n" if self._closes else b""
        self.buffered.write_now(
            b"%b%b%bcontent-length: %d\r\n\r\n%b"
            % (
                STATUS_LINE[reply.status],
                _lines((*self.server_state.default_headers, *reply.headers)),
                close,
                len(reply.body),
                reply.body,
            )
        )
        if reply.review is not None:
            self.is_known = True
        self.end_request()
        if self._closes:
            self.transport.close()

    def shutdown(self) -> None:
        """Closes the connection, after the current reply if there is one."""
        if self._waiting or (self._parts is not None and not self.is_in_headers):
            self._closes = True
        else:
            super().shutdown()


@lru_cache(maxsize=64)  # the header Date changes once a second
def _lines(headers: tuple[Header, ...]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)
