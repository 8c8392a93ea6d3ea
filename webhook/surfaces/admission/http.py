"""The HTTP side of the admission door: bodies, plain answers, and how long a caller waits."""

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from webhook.surfaces.asgi import Receive, Scope, Send

MAX_BODY = 8 * 2**20
"""Bytes: an object and its old self of 3 MiB each, and the envelope."""
ANSWER_MARGIN = 0.5
"""Seconds kept back from the caller's ``timeout`` for the answer to reach the caller."""
DEFAULT_TIMEOUT = 10.0

Header: TypeAlias = tuple[bytes, bytes]
CLOSE: Header = (b"connection", b"close")
RETRY: Header = (b"retry-after", b"1")
JSON_TYPE: Header = (b"content-type", b"application/json")


class Gone(Exception):
    """The caller disconnected. No response is sent."""


class TooLate(Exception):
    """No time is left, and to let the request pass would rest on what could not be read: HTTP 503 with Retry-After."""


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None where it is larger than allowed (also when it lies about its length)."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:19]) > MAX_BODY:
            return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def while_waited_for(answer: Coroutine[Any, Any, bytes], receive: Receive, seconds: float) -> bytes:
    """The answer, if it comes in time and the caller has not hung up. Raises TooLate or Gone, and stops what it can."""
    answering = asyncio.ensure_future(answer)
    hanging_up = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((answering, hanging_up), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        raise Gone if hanging_up.done() else TooLate
    finally:
        answering.cancel()
        hanging_up.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def allotted(scope: Scope) -> float:
    """Seconds of the caller's ``timeout`` parameter, less the margin for the answer to reach the caller."""
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
