"""Limits on time and size of requests, tested on the wire."""

import asyncio
import ssl
import time
from typing import Any

import pytest

from tests.serve.wire import Counting, Listening, Wire, listening, post
from webhook.serve.limits import ConnectionLimiter, Limits, Loop
from webhook.serve.listeners import Listener, maintain_all

CHUNKED = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"


def test_headers_must_arrive_within_five_seconds(running: Listening) -> None:
    """
    The server closes a connection whose headers are incomplete five seconds after the first byte of the request. A slow
    request that is in time gets a response.
    """
    with Wire(running.port) as late, Wire(running.port) as early:
        late.send(b"POST / HT")
        running.wait_busy(1)
        running.clock.advance(2)
        early.send(b"POST / HT")
        running.wait_busy(2)
        running.clock.advance(2.6)

        running.sweep()
        early.send(b"TP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")

        assert late.rest() == b""
        assert early.answer().status == 200
    assert running.refusals == ["slow"]


def test_a_request_must_arrive_within_ten_seconds(running: Listening) -> None:
    """
    The server closes a connection whose body is incomplete ten seconds after the first byte of the request, however
    often a byte arrives.
    """
    with Wire(running.port) as drip, Wire(running.port) as early:
        drip.send(HEAD, b"content-length: 100\r\n\r\n")
        early.send(HEAD, b"content-length: 1\r\n\r\n")
        running.wait_busy(2)
        for _ in range(9):
            drip.send(b"x")
            running.clock.advance(1)
            running.sweep()
        early.send(b"x")
        assert early.answer().status == 200
        assert running.is_open(drip)

        running.clock.advance(0.6)
        running.sweep()

        assert drip.rest() == b""
    assert running.refusals == ["slow"]


def test_an_empty_line_starts_the_time_of_a_request(running: Listening) -> None:
    """
    Line ends before the first line, which parsers skip, win no time.
    """
    with Wire(running.port) as wire:
        wire.send(b"\r\n")
        running.wait_busy()
        running.clock.advance(9.6)

        running.sweep()

        assert wire.rest() == b""


def test_the_listener_does_not_limit_the_time_of_the_application(running: Listening, app: Counting) -> None:
    """
    A complete request gets a response however long it takes. The application has its own deadline.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"))
        running.wait(lambda: app.handled, "the request")
        running.clock.advance(29)
        running.sweep()

        running.on_loop(app.held.set)

        assert wire.answer().status == 200


def test_a_response_that_the_client_does_not_read_is_abandoned(app: Counting) -> None:
    """
    A caller that does not read what it asked for holds no memory for longer than a minute.
    """
    app.answer = bytes(8 * 2**20)
    with listening(app) as running, Wire(running.port) as wire:
        wire.send(post("/answer"))
        running.wait(
            lambda: any(connection.write_blocked_since is not None for connection in list(running.limiter.open)),
            "the answer to be stuck",
        )
        running.clock.advance(59)
        running.sweep()
        assert running.refusals == []

        running.clock.advance(1)
        running.sweep()

        running.wait_open(0)
        assert len(wire.rest()) < len(app.answer)
    assert running.refusals == ["unread"]


def test_an_idle_connection_stays_longer_than_api_servers_keep_it(running: Listening) -> None:
    """
    API servers keep idle connections about 90 seconds and do not repeat a POST on one that we closed.
    """
    with Wire(running.port) as wire:
        wire.send(post("/known"))
        assert wire.answer().status == 200
        running.clock.advance(119)

        running.sweep()
        wire.send(post("/known", b"again"))

        assert wire.answer().body == b"5"


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["silent", "half a hello"])
def test_a_tls_handshake_has_its_own_deadline(app: Counting, server_tls: ssl.SSLContext, hello: bytes) -> None:
    """
    Who does not finish the TLS handshake is cut in time; uvicorn alone waits for a minute.
    """
    with listening(app, Limits(handshake_seconds=0.2), tls=server_tls) as running, Wire(running.port) as wire:
        wire.send(hello)

        assert wire.rest() == b""


def test_the_limiter_sweeps_periodically(app: Counting) -> None:
    """
    All connections are checked every half second.
    """
    limits = Limits(header_seconds=0.6)
    with listening(app, limits, clock=time.monotonic, sweeping=True) as running, Wire(running.port) as wire:
        wire.send(b"P")

        assert wire.rest() == b""


class CountedLoop(Loop):
    """Counts its timers."""

    timers = 0

    def call_later(self, *args: Any, **options: Any) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_later(*args, **options)  # type: ignore[no-any-return]


class Limiter(ConnectionLimiter):
    """Sets an event after some sweeps, the first of which fails."""

    def __init__(self) -> None:
        super().__init__(Limits(), time.monotonic, (), lambda _: None)
        self.sweeps = 0
        self.done = asyncio.Event()

    def sweep(self) -> None:
        self.sweeps += 1
        if self.sweeps == 1:
            raise ValueError("a fault of the first sweep")
        self.done.set()


def test_one_timer_maintains_all_listeners() -> None:
    """
    Idle listeners wake up for nothing else. If a sweep fails, the next one takes place, and the other listeners are
    swept.
    """
    limiters, loop = [Limiter(), Limiter()], CountedLoop()

    async def main() -> None:
        stopped = asyncio.Event()
        servers = [Listener("test", Counting(), "127.0.0.1", 0, limiter).server() for limiter in limiters]
        tasks = [asyncio.create_task(server.serve()) for server in servers]
        maintaining = asyncio.create_task(maintain_all(servers, stopped))
        ends: list[asyncio.Future[Any]] = [maintaining, asyncio.gather(*(limiter.done.wait() for limiter in limiters))]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        sweeps, timers = limiters[0].sweeps, loop.timers
        stopped.set()
        for server in servers:
            server.stop()
        await asyncio.gather(maintaining, *tasks)
        assert sweeps <= timers <= sweeps + 1

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())

    assert [limiter.sweeps for limiter in limiters] == [2, 2]


def test_the_date_of_responses_follows_the_clock(app: Counting) -> None:
    with listening(app, sweeping=True) as running, Wire(running.port) as wire:
        first = wire.send(post()).answer().headers["date"]

        running.wait(lambda: wire.send(post()).answer().headers["date"] != first, "another date")


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"x: " + b"a" * 70_000,
        HEAD + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b"".join(b"x%d: %s\r\n" % (number, b"a" * 1000) for number in range(70)),
        b"POST /" + b"a" * 70_000,
        CHUNKED + b"0\r\nx: " + b"a" * 70_000,
        CHUNKED + b"0\r\n" + b"".join(b"x%d: %s\r\n" % (number, b"a" * 1000) for number in range(70)),
        CHUNKED + b"1;" + b"a" * 70_000,
        CHUNKED + b"1\r\nx\r\n" * 15_000,
        b"\r\n" * 40_000,
    ],
    ids=[
        *("one header", "a whole request", "many headers", "target", "one trailer", "many trailers"),
        *("chunk extension", "chunks", "lines"),
    ],
)
def test_bytes_outside_the_body_are_limited_to_64_kib(running: Listening, app: Counting, request_bytes: bytes) -> None:
    """
    A request whose target, headers, trailers and framing pass 64 KiB is answered 431, and the connection ends.
    """
    with Wire(running.port) as wire:
        wire.send(request_bytes)

        answer = wire.answer()
        rest = wire.rest()
        running.settle()

    assert (answer.status, answer.headers["connection"], rest) == (431, "close", b"")
    assert request_bytes.startswith(CHUNKED) or app.handled == []
    assert running.refusals == ["headers"]


def test_headers_below_64_kib_are_accepted(running: Listening) -> None:
    """
    Headers of 60 KB are no offence, on every request of a connection, and neither is a large body.
    """
    large = b"x: " + b"a" * 60_000

    with Wire(running.port) as wire:
        answers = [wire.send(post("/", bytes(3 * 2**20), large)).answer().body for _ in range(3)]

    assert answers == [b"%d" % (3 * 2**20)] * 3
    assert running.refusals == []
