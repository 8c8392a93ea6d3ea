"""
Wakes the event loop once for several responses of a pipeline (docs/decisions/0041).

An API server writes each response as soon as it is ready. A wake-up of the process for each response costs much CPU time, because
the code and data of the process have left the caches of the CPU.
"""

import asyncio
import socket

WAIT_SECONDS = 0.005
"""The maximum time that a response waits for the responses behind it."""
MAX_BYTES = 64 * 1024
"""The maximum threshold. The event loop reads larger responses in parts in any case."""


class ReceiveThreshold:
    """
    The number of bytes that must arrive before a socket counts as readable (``SO_RCVLOWAT``, socket(7)).

    It is estimated from the responses of the last pipeline. A timer removes a threshold that is too high. The end of a
    connection is always reported at once.
    """

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        self._timer: asyncio.TimerHandle | None = None
        self._threshold = 1
        self._average = 0
        """The bytes per response of the last pipeline."""
        self._bytes = self._responses = 0
        """The data and the whole responses of the current pipeline so far."""

    def begin(self, responses: int) -> None:
        """Begin a pipeline with this number of responses."""
        if self._responses:
            self._average = self._bytes // self._responses
        self._bytes = self._responses = 0
        self._expect(responses)

    def received(self, size: int, responses: int, missing: int) -> None:
        """Count data that has arrived with the end of some responses. Others are still missing."""
        self._bytes += size
        self._responses += responses
        self._expect(missing)

    def stop(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expect(self, responses: int) -> None:
        self.stop()
        threshold = min(responses * self._average, MAX_BYTES) if responses > 1 else 1
        self._set(max(threshold, 1))
        if self._threshold > 1:
            self._timer = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._end_wait)

    def _end_wait(self) -> None:
        self._timer = None
        self._set(1)

    def _set(self, threshold: int) -> None:
        if threshold == self._threshold or self._socket is None:
            return
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, threshold)
        except OSError:  # a sandbox without this option, or a socket that was closed
            self._socket = None
        else:
            self._threshold = threshold
