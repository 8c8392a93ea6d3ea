"""Type aliases for ASGI, and replies to requests that do not go through ASGI."""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, NamedTuple, Protocol, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json")


class Reply(NamedTuple):
    """A whole response. The listener adds Content-Length."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = (JSON_TYPE,)
    review: dict[str, str] | None = None
    """Kind, operation and outcome of the review, or None if the request was no usable review."""


class DirectApp(Protocol):
    """An application that can answer whole requests without ASGI."""

    def takes_directly(self, path: str, /) -> bool:
        """Whether a small POST request can be answered without ASGI. The listener calls this method before the body arrives."""
        ...

    def answer_directly(
        self, path: str, query: bytes, body: bytes, began: float, /
    ) -> Reply | Coroutine[Any, Any, Reply]:
        """
        Returns the reply to a request whose first byte arrived at the monotonic time ``began``, or a coroutine that waits and
        then returns the reply.
        """
        ...
