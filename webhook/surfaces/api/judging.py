"""
Work that would keep the event loop busy, done beside it.

Admission is served by the same loop, and an API server does not wait long: one large file that somebody pastes into the
page must not keep it from its answers.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from webhook.errors import Unavailable

T = TypeVar("T")

AT_ONCE = 2
"""More threads would only take the interpreter from each other, and from admission."""
MAX_WAITING = 8
"""Requests that may wait for their turn; each holds its body in memory."""


class Judging:
    """A few threads, and a short queue before them."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Raises Unavailable where too many wait already."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("too many manifests are being judged", remedy="Try again in a second.")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            return await asyncio.to_thread(work)
        finally:
            self._turn.release()
