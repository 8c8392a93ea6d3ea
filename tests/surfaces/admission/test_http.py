"""Bodies, time limits and plain answers of the admission listener."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from webhook.surfaces.admission.http import (
    ANSWER_MARGIN,
    CLOSE,
    DEFAULT_TIMEOUT,
    MAX_BODY,
    RETRY,
    CallerGone,
    TooLate,
    answer_in_time,
    plain,
    read_body,
    seconds_allowed,
    send_reply,
)
from webhook.surfaces.asgi import JSON_TYPE, Receive

NEVER = 3600.0
GUARD = 5
"""Seconds after which a test fails instead of waiting forever."""


def receiving(*messages: dict[str, Any]) -> Receive:
    """A client that sends these messages and then waits for its answer."""
    waiting = [*messages]

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return receive


def part(body: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def body_of(headers: list[tuple[bytes, bytes]], *messages: dict[str, Any]) -> bytes | None:
    return run(read_body({"headers": headers}, receiving(*messages)))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    async def guarded() -> Any:
        async with asyncio.timeout(GUARD):
            return await work

    return asyncio.run(guarded())


def test_a_body_is_all_of_its_parts() -> None:
    """
    Parts are joined in their order; a message without a body adds nothing, and one without ``more_body`` is the last.
    """
    messages = [
        part(b"a", more=True),
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"b"},
    ]

    assert body_of([], *messages) == b"ab"


@pytest.mark.parametrize("length", [str(MAX_BODY + 1).encode(), b"9" * 5000], ids=["a byte more", "5,000 digits"])
def test_a_declared_length_beyond_the_limit_is_not_read(length: bytes) -> None:
    """
    The answer does not wait for a body that is too large by its own header.
    """
    assert body_of([(b"accept", b"*/*"), (b"content-length", length)]) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"content-length", str(MAX_BODY).encode()),
        (b"content-length", b"soon"),
        (b"content-length", b"0" * 13 + str(MAX_BODY + 1).encode()),
        (b"x-trace", str(MAX_BODY + 1).encode()),
    ],
    ids=["at the limit", "no number", "beyond 19 digits", "another header"],
)
def test_any_other_header_leaves_the_limit_to_the_bytes(name: bytes, value: bytes) -> None:
    """
    Only the first 19 digits of a content-length refuse a body unread; otherwise the bytes are counted.
    """
    assert body_of([(name, value)], part(b"{}")) == b"{}"


@pytest.mark.parametrize(("extra", "is_read"), [(0, True), (1, False)])
def test_the_limit_is_eight_mebibytes(extra: int, is_read: bool) -> None:
    """
    A body of exactly 8 MiB is read, one of a byte more is not, also without a content-length.
    """
    body = body_of([], part(b" " * (4 * 2**20), more=True), part(b" " * (4 * 2**20 + extra)))

    assert (body is not None) is is_read


def test_a_client_that_disconnects_while_it_sends_gets_no_response() -> None:
    """
    Half a body is no request.
    """
    with pytest.raises(CallerGone):
        body_of([], part(b"{", more=True), {"type": "http.disconnect"})


async def answer() -> bytes:
    return b"answer"


def test_a_response_in_time_leaves_no_task_behind() -> None:
    """
    Neither task outlives the request: not the answer, nor the one that waits for the client to hang up.
    """

    async def scene() -> tuple[bytes, int]:
        answered = await answer_in_time(answer(), receiving(), NEVER)
        await asyncio.sleep(0)
        return answered, len(asyncio.all_tasks())

    assert run(scene()) == (b"answer", 1)


@pytest.mark.parametrize(
    ("messages", "seconds", "error"),
    [([part(), {"type": "http.disconnect"}], NEVER, CallerGone), ([part()], 0.001, TooLate)],
    ids=["hung up", "late"],
)
def test_a_response_is_cancelled_when_its_caller_leaves(
    messages: list[dict[str, Any]], seconds: float, error: type[Exception]
) -> None:
    """
    When the client hangs up, or its time is over, the answer is cancelled.
    """
    ended: list[str] = []

    async def slow() -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")
        return b""

    async def scene() -> int:
        with pytest.raises(error):
            await answer_in_time(slow(), receiving(*messages), seconds)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert run(scene()) == 1
    assert ended == ["cancelled"]


@pytest.mark.parametrize("query", [b"", b"timeout=\xff", b"dryRun=All"])
def test_a_caller_that_names_no_timeout_has_ten_seconds(query: bytes) -> None:
    """
    Ten seconds are an API server's own default, also where the query is missing or not ASCII.
    """
    assert seconds_allowed(query) == DEFAULT_TIMEOUT - ANSWER_MARGIN == 9.5


def test_a_plain_answer_is_one_line_of_text() -> None:
    """
    Two ASGI messages: status and headers with the exact length, then the body.
    """
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    run(send_reply(send, plain(503, "late", RETRY), [CLOSE]))

    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", b"1"),
        (b"content-length", b"5"),
        CLOSE,
    ]
    assert sent == [
        {"type": "http.response.start", "status": 503, "headers": headers},
        {"type": "http.response.body", "body": b"late\n"},
    ]


def test_headers_are_those_of_http() -> None:
    """
    Retry after a second, close the connection, JSON.
    """
    assert (RETRY, CLOSE) == ((b"retry-after", b"1"), (b"connection", b"close"))
    assert JSON_TYPE == (b"content-type", b"application/json")
