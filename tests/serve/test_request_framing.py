"""Requests that another parser could read as two are refused, tested on the wire."""

import pytest

from tests.serve.wire import Counting, Listening, Wire, listening, post
from webhook.serve.limits import Limits

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"


def test_a_second_request_before_the_answer_is_refused(running: Listening, app: Counting) -> None:
    """
    No API server sends a request before the response to the last one. Such a request gets 400, and no second handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"), post("/second"))

        answer = wire.answer()
        wire.rest()
        running.settle()

    assert answer.status == 400
    assert "/second" not in app.handled
    assert running.refusals == ["malformed"]


def test_a_second_request_in_the_same_bytes_as_the_end_of_the_first_is_refused(
    running: Listening, app: Counting
) -> None:
    """
    This holds even if the first response came before the body was complete. Otherwise, the second request would have no deadline.
    """
    with Wire(running.port) as wire:
        wire.send(HEAD.replace(b"/", b"/early", 1), b"content-length: 1\r\n\r\n")
        assert wire.answer().status == 200

        wire.send(b"x", post("/second"))

        assert wire.answer().status == 400
        running.settle()
    assert app.handled == ["/early"]


def test_a_connection_above_the_limit_has_the_same_deadlines(app: Counting) -> None:
    """
    A silent client beyond the limit keeps its place only until its deadline. Beyond the spare places, there is no response.
    """
    with (
        listening(app, Limits(connections=1, spare=1)) as running,
        Wire(running.port).send(post("/held")) as working,
        Wire(running.port) as second,
    ):
        running.wait_busy()
        running.wait_open(2)
        with Wire(running.port) as third:
            assert third.rest() == b""
        second.send(b"POST")
        running.wait_busy(2)
        running.clock.advance(4.6)

        running.sweep()

        assert second.rest() == b""
        running.on_loop(app.held.set)
        assert working.answer().status == 200
    assert running.refusals == ["connections", "connections", "slow"]


def test_requests_one_after_another_are_accepted(running: Listening, app: Counting) -> None:
    """
    A connection serves any number of requests, one after the other's answer.
    """
    with Wire(running.port) as wire:
        answers = [wire.send(post(f"/{number}", bytes(number))).answer().body for number in range(5)]

    assert answers == [b"0", b"1", b"2", b"3", b"4"]
    assert app.handled == ["/0", "/1", "/2", "/3", "/4"]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 4\r\ncontent-length: 5\r\n",
        b"content-length: 4\r\ncontent-length: 4\r\n",
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"content-length : 4\r\n",
        b"content-length: +4\r\n",
        b"content-length: 4 4\r\n",
        b"content-length: 0x4\r\n",
        b"content-length: -4\r\n",
        b"content-length: 99999999999999999999999\r\n",
        b"x: y\n",
        b"x: y\r\n content-length: 4\r\n",
        b"x\r\n",
        b"x: a\x00b\r\n",
        b"x: a\rb\r\n",
    ],
)
def test_a_request_that_could_be_read_as_two_is_refused(running: Listening, app: Counting, head: bytes) -> None:
    """
    I16: two lengths, a length beside chunks, a bare line feed and their like are answered 400; no handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(HEAD, head, b"\r\n", b"0\r\n\r\n", SMUGGLED)

        answer = wire.answer()
        rest = wire.rest()
        running.settle()

    assert (answer.status, rest) == (400, b"")
    assert app.handled == []


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\n", b"POST / HTTP/2.0\r\n", b"POST /\r\n"])
def test_an_invalid_request_line_is_refused(running: Listening, app: Counting, line: bytes) -> None:
    """
    I16: a bare line feed, another protocol and none are answered 400; no handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(line, b"host: localhost\r\ncontent-length: 0\r\n\r\n")

        answer = wire.answer()
        running.settle()

    assert answer.status == 400
    assert app.handled == []
