"""
Limits live reads by namespace, so that one tenant cannot occupy all connections and threads. This module does no I/O.
"""

import asyncio
from collections import deque

MAX_WAITING = 256
"""
Maximum number of reviews that read live or wait to read live at the same time.

Further reviews get a 503 response, which API servers retry.
"""
MAX_WAITING_OF_ONE = MAX_WAITING // 2
"""The maximum number of reviews for one namespace that read live or wait."""
CHECKING_OF_ONE = 16
"""
Maximum number of reviews for one namespace whose cached facts are checked at the same time. So the requests of one namespace
cannot fill the queue of requests to the API server.
"""
READING_OF_ONE = 4
"""
Maximum number of threads that read live for one namespace at the same time.

The number is small, because each thread competes with the event loop.
"""


class Overloaded(Exception):
    """Too many reviews wait: HTTP 503 with Retry-After. An API server retries the request."""


class ReadBudget:
    """
    The reviews that read live or wait to read live, by namespace. Use each instance from one event loop only.

    At most ``at_once`` reviews of a namespace read at the same time. Other reviews wait in order of arrival.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._total = 0
        self._places: dict[str, int] = {}
        """Reviews that read or wait. Namespaces without a review are removed, so that the memory stays bounded."""
        self._reading: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """The number of reviews that read live or wait to read live."""
        return self._total

    @property
    def is_crowded(self) -> bool:
        """Whether the number of reviews has reached the limit for one namespace."""
        return self._total >= MAX_WAITING_OF_ONE

    def is_full(self, namespace: str) -> bool:
        """Whether one more review of ``namespace`` is too many."""
        return self._total >= MAX_WAITING or self._places.get(namespace, 0) >= MAX_WAITING_OF_ONE

    async def begin(self, namespace: str, within_seconds: float) -> None:
        """
        Waits until the review may read. Call ``end`` afterwards.

        Raises Overloaded if too many reviews are already waiting, and TimeoutError if the wait takes too long.
        """
        if self.is_full(namespace):
            raise Overloaded
        self._total += 1
        self._places[namespace] = self._places.get(namespace, 0) + 1
        reading = self._reading.get(namespace, 0)
        if reading < self._at_once:
            self._reading[namespace] = reading + 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(namespace, deque()).append(turn)
        try:
            async with asyncio.timeout(within_seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._pass_on(namespace)  # the wait ended and timed out at the same moment
            self._leave(namespace)
            raise

    def end(self, namespace: str) -> None:
        """Ends a review. The review that has waited longest for this namespace can then read."""
        self._pass_on(namespace)
        self._leave(namespace)

    def _pass_on(self, namespace: str) -> None:
        waiting = self._waiting.get(namespace)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        if waiting is not None:
            del self._waiting[namespace]
        _take_one(self._reading, namespace)

    def _leave(self, namespace: str) -> None:
        self._total -= 1
        _take_one(self._places, namespace)


def _take_one(counts: dict[str, int], key: str) -> None:
    if counts[key] == 1:
        del counts[key]
    else:
        counts[key] -= 1
