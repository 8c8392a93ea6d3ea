"""The HTTP side of admission: bodies, plain responses and the caller's timeout."""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qs

from webhook.surfaces.asgi import Header, Receive, Reply, Scope, Send

T = TypeVar("T")

MAX_BODY = 8 * 2**20
"""The maximum size in bytes: two versions of an object with 3 MiB each, and the envelope."""
ANSWER_MARGIN = 0.5
"""The part of the caller's ``timeout`` that is reserved for sending the response, in seconds."""
DEFAULT_TIMEOUT = 10.0

CLOSE: Header = (b"connection", b"close")
RETRY: Header = (b"retry-after", b"1")
PLAIN_TYPE: Header = (b"content-type", b"text/plain; charset=utf-8")


class CallerGone(Exception):
    """The caller disconnected. No response is sent."""


class TooLate(Exception):
    """No time is left, and allowing the request would depend on an unread object. The response is HTTP 503 with Retry-After."""


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large. The size is also checked if Content-Length is wrong."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:19]) > MAX_BODY:
            return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def answer_in_time(answer: Coroutine[Any, Any, T], receive: Receive, seconds: float) -> T:
    """The response, if it is ready in time. Raises TooLate, or CallerGone if the caller disconnects. Cancels the rest."""
    answering = asyncio.ensure_future(answer)
    disconnecting = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((answering, disconnecting), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        raise CallerGone if disconnecting.done() else TooLate
    finally:
        answering.cancel()
        disconnecting.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@lru_cache(maxsize=16)  # an API server sends one query for each webhook
def seconds_allowed(query: bytes) -> float:
    """The seconds in the ``timeout`` parameter of a query, minus the margin for sending the response."""
    values = parse_qs(query.decode("ascii", "replace")).get("timeout")
    seconds = DEFAULT_TIMEOUT
    if values:
        try:
            seconds = float(values[0].removesuffix("s"))
        except ValueError:
            seconds = DEFAULT_TIMEOUT
    return (seconds if 0 < seconds <= 60 else DEFAULT_TIMEOUT) - ANSWER_MARGIN


def plain(status: int, text: str, *headers: Header) -> Reply:
    """A reply with one line of text."""
    return Reply(status, text.encode() + b"\n", (PLAIN_TYPE, *headers))


async def send_reply(send: Send, reply: Reply, headers: Sequence[Header] = ()) -> None:
    """Sends the reply with further headers."""
    length = b"content-length", b"%d" % len(reply.body)
    start = {"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
