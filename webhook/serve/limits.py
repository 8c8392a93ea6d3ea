"""
What a listener bears from whoever connects: uvicorn has no such limits, so its protocol is extended here.

uvicorn takes a protocol class as ``http`` and this is one; nothing of uvicorn is patched. One look every ``SWEEP_SECONDS``
at all connections costs less than a timer for each request, and cuts what is late.

What is measured of uvicorn 0.54 without it: headers of any length are read, a body that drips in stays open for ever, and
``limit_concurrency`` answers everybody 503 once strangers hold enough idle connections (docs/decisions/0008).
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
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from webhook.serve.buffered_writes import BufferedTransport

log = logging.getLogger("migratable.listener")
log.setLevel(logging.ERROR)  # else strangers write a line of log with each broken request; the metrics count them

SWEEP_SECONDS = 0.5
REST_SECONDS = {False: 0.5, True: 5.0}
"""How long a connection, of a stranger or a known one, must have been idle before it may go to make room."""
KNOWN = "known"
"""Key of a request's ``state``: set by an application that has seen a request which only an API server would send."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and numbers of connections of one listener."""

    handshake_seconds: float = 5.0
    header_seconds: float = 5.0
    """From a request's first byte to the end of its headers."""
    request_seconds: float = 10.0
    """From a request's first byte to the last one of its body."""
    answer_seconds: float = 60.0
    """How long an answer may wait for a caller that does not read it."""
    silent_seconds: float = 10.0
    """How long a connection that never sent anything may stay, beyond the ``spare`` ones."""
    spare: int = 64
    """
    Go's client opens connections that it then does not use at once; so many may stay until the keep-alive ends.

    Also the number of connections beyond ``connections`` that are told to come again instead of being cut.
    """
    header_bytes: int = 64 * 1024
    """Also the limit of everything else in a request that is not its body, such as trailers."""
    connections: int = 1024
    connections_per_source: int = 512


class ConnectionLimiter:
    """The connections of one listener, and who of them has to go."""

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
        """Common or DNS names that a client certificate must carry one of; empty where none is demanded."""
        self.refused = refused
        self.open: dict[LimitedProtocol, None] = {}
        self._sources: Counter[str] = Counter()

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        **rest: Any,  # noqa: ANN401
    ) -> "LimitedProtocol":
        """Makes a connection's protocol, as uvicorn asks its ``http_protocol_class`` to."""
        return LimitedProtocol(self, config, server_state, app_state, **rest)

    def admit(self, connection: "LimitedProtocol") -> bool:
        """
        Takes a connection up, in the place of the least useful one where there are too many.

        A source that has its share gives up a stranger of its own. Where everybody is at work the newcomer is heard out
        and told to come again: who is answered before he has spoken may miss the answer.
        """
        source, taken = connection.source, True
        if (over := self._sources[source] - self.limits.connections_per_source) >= 0:
            own = [each for each in self.open if each.source == source and not each.known]
            taken = self._make_room("source", over, connection, own)
        elif (over := len(self.open) - self.limits.connections) >= 0:
            taken = self._make_room("connections", over, connection, self.open)
        if taken:
            self.open[connection] = None
            self._sources[source] += 1
        return taken

    def forget(self, connection: "LimitedProtocol") -> None:
        """A connection has ended."""
        if connection not in self.open:
            return
        del self.open[connection]
        self._sources[connection.source] -= 1
        if not self._sources[connection.source]:
            del self._sources[connection.source]

    def _make_room(self, why: str, over: int, newcomer: "LimitedProtocol", among: "Iterable[LimitedProtocol]") -> bool:
        """
        Cuts the longest idle stranger, else the longest idle one of all, else tells the newcomer to come again.

        Nobody is cut who may be about to speak: a review that meets a closed connection is lost, one that is answered 503
        is sent again.
        """
        now = self.clock()
        idle = [each for each in among if each.is_idle and now - each.since >= REST_SECONDS[each.known]]
        victim = min(
            (each for each in idle if each.app is not too_many_connections),
            key=lambda each: (each.known, each.since),
            default=None,
        )
        if victim is None:
            self.refused(why)
            newcomer.app = too_many_connections
            return over < self.limits.spare
        self.refused("idle")
        victim.cut()
        self.forget(victim)
        return True

    def sweep(self) -> None:
        """Cuts what is late."""
        now, limits = self.clock(), self.limits
        silent: list[LimitedProtocol] = []
        for each in list(self.open):
            if each.stuck is not None and now - each.stuck > limits.answer_seconds - SWEEP_SECONDS:
                self.refused("unread")
                each.cut()
            elif each.began is None:
                if not each.ever:
                    silent.append(each)
            elif (each.in_headers and now - each.began > limits.header_seconds - SWEEP_SECONDS) or (
                each.in_request and now - each.began > limits.request_seconds - SWEEP_SECONDS
            ):
                self.refused("slow")
                each.cut()
        for each in silent[: max(0, len(silent) - limits.spare)]:  # in the order in which they came
            if now - each.since > limits.silent_seconds - SWEEP_SECONDS:
                self.refused("silent")
                each.cut()

    async def keep(self, stopping: asyncio.Event) -> None:
        """Sweeps until ``stopping``."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), SWEEP_SECONDS)
            except TimeoutError:
                self.sweep()


class LimitedProtocol(HttpToolsProtocol):
    """One connection: uvicorn's, with the limiter's limits."""

    def __init__(self, limiter: ConnectionLimiter, *args: Any, **rest: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **rest)
        self.logger = log
        self._limiter = limiter
        self._header_bytes = limiter.limits.header_bytes
        self._overhead = 0
        """Bytes of the request under way that are not its body."""
        self._named = 0
        """Bytes of its target, headers and trailers."""
        self.source = ""
        self.since = limiter.clock()
        """When it was made, or last finished a request; monotonic seconds."""
        self.began: float | None = None
        """When the first byte of the request under way came; None between requests."""
        self.ever = False
        """Whether a byte of a request ever came."""
        self.in_headers = False
        self.in_request = False
        """Whether the request under way has not arrived whole."""
        self.stuck: float | None = None
        """Since when more of an answer waits than the system takes; None while the caller reads."""
        self.known = False

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.began is None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Lets nobody send a byte who has no right to, and nobody at all where there is no room."""
        super().connection_made(BufferedTransport(transport))  # type: ignore[arg-type]
        self.source = self.client[0] if self.client else ""
        if self._limiter.client_names and not is_trusted_client(transport, self._limiter.client_names):
            self._limiter.refused("certificate")
            self.cut()
        elif not self._limiter.admit(self):
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """Makes room."""
        self._limiter.forget(self)
        super().connection_lost(exc)

    def cut(self) -> None:
        """Ends the connection without another word: a TLS farewell would wait for the other side."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser and bounds what is not body."""
        if self.transport.is_closing():
            return
        if self.began is None:
            self.began, self.ever, self.in_request = self._limiter.clock(), True, True
            self._overhead = self._named = 0
        self._overhead += len(data)
        super().data_received(data)
        if self.in_request and self._overhead > self._header_bytes and not self.transport.is_closing():
            self._named = self._overhead
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to what is no HTTP; 431 where there is only too much of it."""
        if self._named <= self._header_bytes:
            self._limiter.refused("malformed")
            super().send_400_response(msg)
        else:
            self._limiter.refused("headers")
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def pause_writing(self) -> None:
        """The caller does not read as fast as it is answered."""
        self.stuck = self._limiter.clock()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller has read nearly everything."""
        self.stuck = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        """Refuses a second request before the first is answered: no API server sends one, smugglers do."""
        if self._unanswered() or self.began is None:  # or in one breath with the end of the first
            raise httptools.HttpParserError("pipelined")
        self.in_headers = True
        super().on_message_begin()

    def _unanswered(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn says there always is one, and begins with None
        return cycle is not None and not cycle.response_complete

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._named += len(url)
        self._bound()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._named += len(name) + len(value)
        self._bound()
        super().on_header(name, value)

    def _bound(self) -> None:
        if self._named > self._header_bytes:
            raise httptools.HttpParserError("too long")

    def on_headers_complete(self) -> None:
        """The headers are whole; of codings other than ``chunked`` the parser lets some pass that others read otherwise."""
        for name, value in self.headers:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                raise httptools.HttpParserError("another coding")
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise httptools.HttpParserError("another protocol")
        self.in_headers = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._overhead -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.in_request = False
        if self.cycle.response_complete:  # it was answered before it had come
            self.began, self.since = None, self._limiter.clock()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The request is answered."""
        if KNOWN in self.cycle.scope["state"]:
            self.known = True
        self.began, self.since = None, self._limiter.clock()
        super().on_response_complete()


def is_trusted_client(transport: asyncio.BaseTransport, names: Iterable[str]) -> bool:
    """
    Whether the peer's certificate, whose chain is verified already, is meant for clients and bears one of ``names``.

    A valid chain alone is not enough: the same authority may have signed for others (GHSA-38jw-g2qx-4286).
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
        found = {str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    except (ValueError, x509.ExtensionNotFound):
        return False
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found.update(alternative.get_values_for_type(x509.DNSName))
    except (ValueError, x509.ExtensionNotFound):
        pass
    return not found.isdisjoint(names)


class Loop(uvloop.Loop):  # type: ignore[misc] # its types are not read here
    """uvloop's, with a deadline for handshakes and farewells of TLS, which uvicorn does not let us set."""

    limits = Limits()

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401
        """As ``loop.create_server``."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", self.limits.handshake_seconds)
            options.setdefault("ssl_shutdown_timeout", self.limits.handshake_seconds)
        server: asyncio.Server = await super().create_server(*args, **options)
        return server


async def too_many_connections(_scope: object, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The ASGI application of a connection too many."""
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
