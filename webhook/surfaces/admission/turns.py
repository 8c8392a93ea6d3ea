"""
Who may read live: a share for each namespace, so that one tenant cannot occupy all reads and all threads.

This file does no I/O.
"""

import asyncio
from collections import Counter, deque

MAX_WAITING = 256
"""Reviews that may read live or wait for it at one time; one more is answered 503, which API servers repeat."""
MAX_WAITING_OF_ONE = MAX_WAITING // 2
"""Of those, how many may be about one namespace."""
AT_ONCE_OF_ONE = 8
"""Reviews about one namespace that read live at one time; the others wait for their turn, in their order."""


class Overloaded(Exception):
    """Too many reviews wait: HTTP 503 with Retry-After, which an API server repeats by itself."""


class Turns:
    """The reviews that read live or wait for it, by namespace; for one event loop."""

    def __init__(self) -> None:
        self._places: Counter[str] = Counter()
        self._reading: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many reviews read live or wait for it."""
        return self._places.total()

    async def begin(self, namespace: str, within_seconds: float) -> None:
        """
        Waits for a turn; ``end`` must follow.

        Raises Overloaded where too many wait already, and TimeoutError where the turn does not come in time.
        """
        if self._places.total() >= MAX_WAITING or self._places[namespace] >= MAX_WAITING_OF_ONE:
            raise Overloaded
        self._places[namespace] += 1
        if self._reading[namespace] < AT_ONCE_OF_ONE:
            self._reading[namespace] += 1
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
        waiting = self._waiting.get(namespace, deque())
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._waiting.pop(namespace, None)
        self._reading -= Counter((namespace,))

    def _leave(self, namespace: str) -> None:
        self._places -= Counter((namespace,))
