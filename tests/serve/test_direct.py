"""The short way of whole small requests, tested on the wire."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.serve.wire import DirectlyCounting, Listening, Wire, listening, post
from webhook.serve.direct import MAX_BATCH, MAX_DIRECT
from webhook.serve.limits import Limits
from webhook.serve.listeners import KEEP_ALIVE
from webhook.surfaces.asgi import Reply

CHUNKED = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
EXPECTING = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\nexpect: 100-continue\r\n\r\n"


@dataclass
class Observing(DirectlyCounting):
    """An application that records how many requests are in progress at each reply."""

    busy: Callable[[], int] = int
    seen: list[int] = field(default_factory=list)

    def _reply(self, path: str, body: bytes) -> Reply:
        self.seen.append(self.busy())
        return super()._reply(path, body)


@pytest.fixture
def app() -> DirectlyCounting:
    """An application that answers requests directly."""
    return DirectlyCounting()


def test_a_whole_small_request_is_answered_directly(running: Listening, app: DirectlyCounting) -> None:
    """
    The response has the length and the date of a response through ASGI, and the connection stays open for the next request.
    """
    with Wire(running.port) as wire:
        for size in (0, 5, MAX_DIRECT):
            answer = wire.send(post("/", b"x" * size)).answer()

            assert (answer.status, answer.body) == (200, b"%d" % size)
            assert set(answer.headers) == {"content-type", "content-length", "date"}
    assert app.direct == ["/"] * 3
    assert running.refusals == []


def test_a_body_in_parts_is_answered_as_a_whole(running: Listening, app: DirectlyCounting) -> None:
    """
    Each part arrives in a segment of its own.
    """
    with Wire(running.port) as wire:
        for part in (b"POST / HTTP/1.1\r\ncontent-le", b"ngth: 4\r\n", b"\r\n", b"ab", b"c"):
            wire.send(part)
            running.wait_busy(1)
            running.settle()
        assert wire.send(b"d").answer().body == b"4"
    assert app.direct == ["/"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        post("/", b"x" * (MAX_DIRECT + 1)),
        CHUNKED,
        post("/%20"),
        post("/", b"", b"connection: close"),
        post("/", b"", b"upgrade: h2c"),
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n",
    ],
    ids=["large", "chunked", "encoded target", "close", "upgrade", "GET", "HTTP/1.0"],
)
def test_other_requests_go_through_asgi(running: Listening, app: DirectlyCounting, request_bytes: bytes) -> None:
    """
    The application gets the same path and body, whatever the way.
    """
    with Wire(running.port) as wire:
        answer = wire.send(request_bytes).answer()

    assert (answer.status, len(app.handled), app.direct) == (200, 1, [])


def test_a_client_that_expects_to_continue_is_told_to(running: Listening, app: DirectlyCounting) -> None:
    """
    Go's client sends the body only after the response 100, or after a second.
    """
    with Wire(running.port) as wire:
        assert wire.send(EXPECTING).answer().status == 100
        assert wire.send(b"x").answer().body == b"1"
    assert app.direct == []


def test_each_request_of_a_connection_takes_its_own_way(running: Listening, app: DirectlyCounting) -> None:
    """
    A request through ASGI leaves nothing behind for a direct one, and the reverse.
    """
    with Wire(running.port) as wire:
        bodies = [
            wire.send(request).answer().body for request in (post("/a", b"xx"), CHUNKED, post("/b", b"xxx"), CHUNKED)
        ]

    assert bodies == [b"2", b"1", b"3", b"1"]
    assert app.direct == ["/a", "/b"]


@pytest.mark.parametrize(
    ("count", "seen"), [(3, [3] * 3), (MAX_BATCH + 2, [MAX_BATCH] * MAX_BATCH + [2, 2])], ids=["few", "many"]
)
def test_requests_that_arrive_together_are_answered_before_a_response_is_written(count: int, seen: list[int]) -> None:
    """
    Answers in a row take less CPU time. A batch is limited, because the first response waits for all answers.
    """
    app = Observing()
    with listening(app) as running, ExitStack() as stack:
        wires = [stack.enter_context(Wire(running.port)) for _ in range(count)]
        running.wait_open(count)
        app.busy = lambda: sum(not connection.is_idle for connection in running.limiter.open)
        running.on_loop(lambda: [wire.send(post("/", b"x" * size)) for size, wire in enumerate(wires)])

        assert [wire.answer().body for wire in wires] == [b"%d" % size for size in range(count)]
        assert app.seen == seen


def test_replies_whose_waits_end_together_are_written_in_a_row() -> None:
    """
    The responses to live reads arrive together (docs/decisions/0041).
    """
    app = Observing()
    with listening(app) as running, ExitStack() as stack:
        wires = [stack.enter_context(Wire(running.port)) for _ in range(3)]
        for size, wire in enumerate(wires):
            wire.send(post("/held", b"x" * size))
        running.wait(lambda: len(app.handled) == 3, "the requests")
        app.busy = lambda: sum(not connection.is_idle for connection in running.limiter.open)
        running.on_loop(app.held.set)

        assert [wire.answer().body for wire in wires] == [b"%d" % size for size in range(3)]
        assert app.seen == [3, 3, 3]


def test_an_error_leaves_the_other_requests_of_its_batch_alone(running: Listening) -> None:
    """
    Each request gets its own response.
    """
    with Wire(running.port) as wire, Wire(running.port) as broken:
        running.wait_open(2)
        running.on_loop(lambda: [broken.send(post("/broken")), wire.send(post())])

        assert [one.answer().status for one in (wire, broken)] == [200, 500]


@pytest.mark.parametrize("path", ["/broken", "/late"])
def test_an_error_in_the_application_gets_500_and_ends_the_connection(
    running: Listening, app: DirectlyCounting, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The response contains no text of the error.
    """
    app.held.set()
    with Wire(running.port) as wire, caplog.at_level(logging.ERROR):
        answer = wire.send(post(path)).answer()

        assert (answer.status, answer.headers["connection"]) == (500, "close")
        assert answer.body == b"Internal Server Error"
        assert wire.rest() == b""
    assert "Exception in application" in caplog.text


def test_a_client_that_leaves_gets_no_response(running: Listening, app: DirectlyCounting) -> None:
    """
    A reply that waits is dropped with its connection, without an error.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"))
        running.wait(lambda: app.handled, "the request")
    running.wait_open(0)
    running.on_loop(app.held.set)
    running.settle()

    with Wire(running.port) as wire:
        assert wire.send(post()).answer().status == 200


def test_a_second_request_while_a_reply_waits_is_refused(running: Listening, app: DirectlyCounting) -> None:
    """
    As for requests through ASGI, pipelining is refused.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"))
        running.wait(lambda: app.handled, "the request")

        assert wire.send(post()).answer().status == 400
    assert running.refusals == ["malformed"]
    assert app.handled == ["/held"]


def test_a_review_makes_its_client_known(running: Listening, app: DirectlyCounting) -> None:
    """
    Only an API server sends reviews, so the connection is closed last.
    """
    with Wire(running.port) as known, Wire(running.port) as unknown:
        known.send(post("/known")).answer()
        unknown.send(post("/")).answer()

        assert sorted(connection.is_known for connection in running.limiter.open) == [False, True]


def test_a_response_waits_until_the_client_has_read_the_last_one(app: DirectlyCounting) -> None:
    """
    A client that reads nothing cannot make the server buffer more than a response.
    """
    app.answer = b"x" * 2**26
    with listening(app, Limits()) as running, Wire(running.port) as wire:
        wire.send(post("/answer"))
        running.wait(lambda: any(one.write_blocked_since is not None for one in running.limiter.open), "a full buffer")
        wire.send(post("/answer"))
        running.wait(lambda: len(app.handled) == 2, "the second request")

        assert app.direct == ["/answer"]
        assert [len(wire.answer().body) for _ in range(2)] == [2**26] * 2


def test_the_end_of_the_server_waits_for_a_reply(app: DirectlyCounting) -> None:
    """
    The response asks the client to close its connection.
    """
    with (
        listening(app) as running,
        Wire(running.port) as wire,
        Wire(running.port) as partial,
        Wire(running.port) as idle,
    ):
        idle.send(post()).answer()
        wire.send(post("/held"))
        partial.send(post("/", b"xx")[:-1])
        running.wait(lambda: "/held" in app.handled, "the request")
        running.settle()
        running.on_loop(lambda: [connection.shutdown() for connection in list(running.limiter.open)])

        assert idle.rest() == b""
        partial.send(b"x")
        running.on_loop(app.held.set)
        for waiting in (wire, partial):
            answer = waiting.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert waiting.rest() == b""


def test_an_idle_connection_is_closed_after_the_keep_alive_timeout(running: Listening) -> None:
    """
    The sweep closes it, because a timer for each request costs more.
    """
    with Wire(running.port) as wire:
        wire.send(post()).answer()
        running.clock.advance(KEEP_ALIVE)
        running.sweep()
        assert running.is_open(wire)

        running.clock.advance(1)
        running.sweep()

        assert wire.rest() == b""
