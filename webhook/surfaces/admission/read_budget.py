"""
Limits live reads for each namespace, so that one tenant cannot occupy all reads and all threads.

This file does no I/O.
"""

import asyncio
from collections import deque

MAX_WAITING = 256
"""Reviews that may read live or wait for it at one time; one more is answered 503, which API servers repeat."""
MAX_WAITING_OF_ONE = MAX_WAITING // 2
"""Of those, how many may be about one namespace."""
CHECKING_OF_ONE = 16
"""Reviews about one namespace whose cached facts are checked at one time: half of the connections for that."""
READING_OF_ONE = 4
"""Threads that read live for one namespace at one time: few, because each takes the interpreter from the event loop."""


class Overloaded(Exception):
    """Too many reviews wait: HTTP 503 with Retry-After, which an API server repeats by itself."""


class ReadBudget:
    """
    The reviews that read live or wait for it, by namespace; for one event loop.

    ``at_once`` reviews of one namespace read at one time; the others wait for their turn, in their order.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._total = 0
        self._places: dict[str, int] = {}
        """Reviews that read or wait; namespaces without one are left out, so that names do not pile up."""
        self._reading: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many reviews read live or wait for it."""
        return self._total

    @property
    def is_crowded(self) -> bool:
        """Whether so many reviews wait that a namespace may have taken its share."""
        return self._total >= MAX_WAITING_OF_ONE

    def is_full(self, namespace: str) -> bool:
        """Whether one more review about ``namespace`` is too many."""
        return self._total >= MAX_WAITING or self._places.get(namespace, 0) >= MAX_WAITING_OF_ONE

    async def begin(self, namespace: str, within_seconds: float) -> None:
        """
        Waits for a turn; ``end`` must follow.

        Raises Overloaded where too many wait already, and TimeoutError where the turn does not come in time.
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
                self._pass_on(namespace)  # the turn came at the moment in which the caller gave up
            self._leave(namespace)
            raise

    def end(self, namespace: str) -> None:
        """Gives the turn to the review that waits longest for one of this namespace."""
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
