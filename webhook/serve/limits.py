"""
Per-connection limits for each listener. uvicorn lacks these limits, so this module extends its HTTP protocol class.

The extended class is passed to uvicorn as the option ``http``, so uvicorn itself is not patched. The docstring of each override
names the limit that uvicorn lacks. A sweep over all connections every ``SWEEP_SECONDS`` needs less CPU time than a timer for
each request.

Without these limits, uvicorn 0.54 reads headers of any length and waits for a slow body forever. The uvicorn option
``limit_concurrency`` is not sufficient: with many idle connections of unknown clients, all clients get 503
(docs/decisions/0008).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httptools
import uvloop
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from webhook.serve.buffered_writes import BufferedTransport

log = logging.getLogger("migratable.listener")
log.setLevel(logging.ERROR)  # otherwise each malformed request writes a log line, although metrics count such requests

SWEEP_SECONDS = 0.5
REST_SECONDS = {False: 0.5, True: 5.0}
"""Idle time after which a connection can be closed to make room. The key is True for known clients."""
KNOWN = "known"
"""A key in the ``state`` of a request. The application sets this key for requests that only an API server sends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one listener."""

    handshake_seconds: float = 5.0
    header_seconds: float = 5.0
    """Time from the first byte of a request to the end of its headers."""
    request_seconds: float = 10.0
    """Time from the first byte of a request to the last byte of its body."""
    answer_seconds: float = 60.0
    """Time for a client to read a response."""
    silent_seconds: float = 10.0
    """Lifetime of a connection on which the client has sent no data. Up to ``spare`` such connections can live longer."""
    spare: int = 64
    """
    The number of unused connections that can stay open until the keep-alive timeout, because Go's client opens some connections
    in advance.

    This is also the number of connections above ``connections`` that get 503 with Retry-After instead of being closed.
    """
    header_bytes: int = 64 * 1024
    """The maximum size of a request without its body, in bytes: target, headers, trailers and chunk framing."""
    connections: int = 1024
    connections_per_source: int = 512


class ConnectionLimiter:
    """Tracks the connections of one listener, and closes connections that exceed the limits."""

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        client_names: Iterable[str] = (),
        refused: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.client_names = frozenset(client_names)
        """
        The client certificate must contain one of these common names or DNS names. If the set is empty, no name is required.
        """
        self.refused = refused
        self.open: dict[LimitedProtocol, None] = {}
        self._sources: Counter[str] = Counter()

    def admit(self, connection: "LimitedProtocol") -> bool:
        """
        Accept a connection. If there are too many connections, close an idle connection to make room.

        If one source has too many connections, only connections from this source are closed, and only those of unknown clients.
        If all connections are busy, the new connection gets 503 after its request, because a response that is sent before the
        request can be lost.
        """
        source, taken = connection.source, True
        if (over := self._sources[source] - self.limits.connections_per_source) >= 0:
            own = [other for other in self.open if other.source == source and not other.is_known]
            taken = self._make_room("source", over, connection, own)
        elif (over := len(self.open) - self.limits.connections) >= 0:
            taken = self._make_room("connections", over, connection, self.open)
        if taken:
            self.open[connection] = None
            self._sources[source] += 1
        return taken

    def remove(self, connection: "LimitedProtocol") -> None:
        """Remove a connection that has ended."""
        if connection not in self.open:
            return
        del self.open[connection]
        self._sources[connection.source] -= 1
        if not self._sources[connection.source]:
            del self._sources[connection.source]

    def _make_room(self, why: str, over: int, newcomer: "LimitedProtocol", among: "Iterable[LimitedProtocol]") -> bool:
        """
        Close the connection that has been idle for the longest time. Connections of unknown clients are closed first. If no
        connection is idle, the new connection gets 503.

        Recently used connections stay open: a request on a closed connection is lost, but API servers retry after a 503
        response.
        """
        now = self.clock()
        idle = [other for other in among if other.is_idle and now - other.idle_since >= REST_SECONDS[other.is_known]]
        closed = min(
            (other for other in idle if other.app is not too_many_connections),
            key=lambda other: (other.is_known, other.idle_since),
            default=None,
        )
        if closed is None:
            self.refused(why)
            newcomer.app = too_many_connections
            return over < self.limits.spare
        self.refused("idle")
        closed.abort()
        self.remove(closed)
        return True

    def sweep(self) -> None:
        """Close connections that exceed a time limit."""
        now, limits = self.clock(), self.limits
        silent: list[LimitedProtocol] = []
        for connection in list(self.open):
            if (
                connection.write_blocked_since is not None
                and now - connection.write_blocked_since > limits.answer_seconds - SWEEP_SECONDS
            ):
                self.refused("unread")
                connection.abort()
            elif connection.request_began is None:
                if not connection.has_sent:
                    silent.append(connection)
                elif now - connection.idle_since > connection.timeout_keep_alive:
                    connection.transport.close()
            elif (
                connection.is_in_headers and now - connection.request_began > limits.header_seconds - SWEEP_SECONDS
            ) or (connection.is_receiving and now - connection.request_began > limits.request_seconds - SWEEP_SECONDS):
                self.refused("slow")
                connection.abort()
        for connection in silent[: max(0, len(silent) - limits.spare)]:  # oldest first
            if now - connection.idle_since > limits.silent_seconds - SWEEP_SECONDS:
                self.refused("silent")
                connection.abort()


class LimitedProtocol(HttpToolsProtocol):
    """One HTTP connection, with uvicorn's protocol and limits."""

    def __init__(self, limiter: ConnectionLimiter, *args: Any, **rest: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **rest)
        self.logger = log
        self._limiter = limiter
        self._header_bytes = limiter.limits.header_bytes
        self._overhead = 0
        """The size of the current request without its body, in bytes."""
        self._named = 0
        """The size of the target, headers and trailers of the current request, in bytes."""
        self.source = ""
        self.idle_since = limiter.clock()
        """The time at which the connection opened or its last request ended, in monotonic seconds."""
        self.request_began: float | None = None
        """The time of the first byte of the current request, or None between requests."""
        self.has_sent = False
        """Whether the client has sent any byte."""
        self.is_in_headers = False
        self.is_receiving = False
        """Whether the current request is incomplete."""
        self.write_blocked_since: float | None = None
        """The time at which the client stopped reading a response, or None while the client reads."""
        self.is_known = False

    @property
    def is_idle(self) -> bool:
        """Whether there is no current request."""
        return self.request_began is None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """uvicorn checks neither the client certificate's names nor the number of connections per source."""
        self.buffered = BufferedTransport(transport)
        super().connection_made(self.buffered)  # type: ignore[arg-type]
        self.source = self.client[0] if self.client else ""
        if self._limiter.client_names and not is_trusted_client(transport, self._limiter.client_names):
            self._limiter.refused("certificate")
            self.abort()
        elif not self._limiter.admit(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn does not report the end of a connection to the limiter."""
        self._limiter.remove(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection without a TLS shutdown, which would wait for the client."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """uvicorn does not limit the bytes outside the body, such as chunk framing, and has no time limit for a request."""
        if self.transport.is_closing():
            return
        if self.request_began is None:
            self.request_began, self.has_sent, self.is_receiving = self._limiter.clock(), True, True
            self._overhead = self._named = 0
        self._overhead += len(data)
        super().data_received(data)
        if self.is_receiving and self._overhead > self._header_bytes and not self.transport.is_closing():
            self._named = self._overhead
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """uvicorn answers 400 to all malformed requests. This server answers 431 to headers that are too long."""
        if self._named <= self._header_bytes:
            self._limiter.refused("malformed")
            super().send_400_response(msg)
        else:
            self._limiter.refused("headers")
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def pause_writing(self) -> None:
        """uvicorn does not limit the time that a client takes to read a response."""
        self.write_blocked_since = self._limiter.clock()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Record that the client has read the response."""
        self.write_blocked_since = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        """uvicorn queues pipelined requests. API servers do not send pipelined requests, but request smuggling uses them."""
        self.begin_message()
        super().on_message_begin()

    def begin_message(self) -> None:
        """Begin a request. Raises HttpParserError if it is pipelined."""
        if (
            self.is_unanswered() or self.request_began is None
        ):  # or this request arrived together with the end of the previous request
            raise httptools.HttpParserError("pipelined")
        self.is_in_headers = True

    def is_unanswered(self) -> bool:
        """Whether an earlier request has no response yet."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # the cycle is None before the first request, contrary to uvicorn's annotation
        return cycle is not None and not cycle.response_complete

    def on_url(self, url: bytes) -> None:
        """uvicorn does not limit the length of the target."""
        self._named += len(url)
        self._bound()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """uvicorn does not limit the length of headers and trailers."""
        self._named += len(name) + len(value)
        self._bound()
        super().on_header(name, value)

    def _bound(self) -> None:
        if self._named > self._header_bytes:
            raise httptools.HttpParserError("too long")

    def on_headers_complete(self) -> None:
        """uvicorn accepts transfer codings other than ``chunked``, which proxies might read differently."""
        for name, value in self.headers:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                raise httptools.HttpParserError("unsupported transfer coding")
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise httptools.HttpParserError("unsupported HTTP version")
        self.is_in_headers = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Excludes the body from the count of bytes, because the application has a separate limit for bodies."""
        self._overhead -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The time limit for the request no longer applies."""
        self.is_receiving = False
        if self.cycle.response_complete:  # the response preceded the end of the request
            self.request_began, self.idle_since = None, self._limiter.clock()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Ends the current request, and records whether the client is an API server."""
        if KNOWN in self.cycle.scope["state"]:
            self.is_known = True
        self.end_request()
        super().on_response_complete()

    def end_request(self) -> None:
        """Record that the response is complete."""
        self.request_began, self.idle_since = None, self._limiter.clock()


def is_trusted_client(transport: asyncio.BaseTransport, names: Iterable[str]) -> bool:
    """
    Whether the peer's verified certificate has extended key usage clientAuth and contains one of ``names``.

    A valid chain does not suffice, because the same CA can sign certificates of other clients (GHSA-38jw-g2qx-4286).
    """
    tls = transport.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if der is None:
        return False
    try:
        certificate = x509.load_der_x509_certificate(der)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            return False
        presented = {str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    except (ValueError, x509.ExtensionNotFound):
        return False
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        presented.update(alternative.get_values_for_type(x509.DNSName))
    except (ValueError, x509.ExtensionNotFound):
        pass
    return not presented.isdisjoint(names)


class Loop(uvloop.Loop):  # type: ignore[misc] # uvloop has no types for it
    """uvloop with timeouts for the TLS handshake and the TLS shutdown, which uvicorn cannot set."""

    limits = Limits()

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401
        """As ``loop.create_server``."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", self.limits.handshake_seconds)
            options.setdefault("ssl_shutdown_timeout", self.limits.handshake_seconds)
        server: asyncio.Server = await super().create_server(*args, **options)
        return server


async def too_many_connections(_scope: object, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The ASGI application for connections above the limit. It responds 503 with Retry-After."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    text = b"too many connections\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
    headers += [(b"retry-after", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text})


_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 25\r\n"
    b"connection: close\r\n\r\n"
    b"the headers are too long\n"
)
