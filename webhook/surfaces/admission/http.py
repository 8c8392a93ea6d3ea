"""The HTTP side of admission: bodies, plain responses and the caller's timeout."""

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from webhook.surfaces.asgi import Receive, Scope, Send

MAX_BODY = 8 * 2**20
"""The maximum size in bytes: two versions of an object with 3 MiB each, and the envelope."""
ANSWER_MARGIN = 0.5
"""The part of the caller's ``timeout`` that is reserved for sending the response, in seconds."""
DEFAULT_TIMEOUT = 10.0

Header: TypeAlias = tuple[bytes, bytes]
CLOSE: Header = (b"connection", b"close")
RETRY: Header = (b"retry-after", b"1")
JSON_TYPE: Header = (b"content-type", b"application/json")


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


async def answer_in_time(answer: Coroutine[Any, Any, bytes], receive: Receive, seconds: float) -> bytes:
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


def seconds_allowed(scope: Scope) -> float:
    """The seconds in the caller's ``timeout`` parameter, minus the margin for sending the response."""
    return _timeout(scope.get("query_string", b"")) - ANSWER_MARGIN


@lru_cache(maxsize=16)  # an API server sends one query for each webhook
def _timeout(query: bytes) -> float:
    values = parse_qs(query.decode("ascii", "replace")).get("timeout")
    seconds = DEFAULT_TIMEOUT
    if values:
        try:
            seconds = float(values[0].removesuffix("s"))
        except ValueError:
            seconds = DEFAULT_TIMEOUT
    return seconds if 0 < seconds <= 60 else DEFAULT_TIMEOUT


async def answer_plain(send: Send, status: int, text: str, headers: list[Header]) -> None:
    """Sends one line of text."""
    body = text.encode() + b"\n"
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
