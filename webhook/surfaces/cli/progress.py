"""A progress bar on standard error, for people who wait: only on a terminal, and only after a second."""

import sys
import time
from collections.abc import Callable
from os import environ
from typing import TextIO

SHOWN_AFTER = 1.0
"""Seconds."""
_EVERY = 0.1
_WIDTH = 24


class Bar:
    """``reading [######      ] 1,234 of 10,000 files``, drawn anew at most ten times a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._drawn: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """Shows how far it is, if it is time to."""
        now = self._clock()
        if now - self._began < SHOWN_AFTER or (self._drawn is not None and now - self._drawn < _EVERY):
            return
        self._drawn = now
        filled = "#" * (_WIDTH * done // max(total, 1))
        self._stream.write(f"\rreading [{filled:<{_WIDTH}}] {done:,} of {total:,} files")
        self._stream.flush()

    def clear(self) -> None:
        """Leaves the line as it was."""
        if self._drawn is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = None


def bar() -> Bar | None:
    """A bar, if standard error is a terminal that can draw one."""
    if not sys.stderr.isatty() or environ.get("TERM") == "dumb" or environ.get("CI"):
        return None
    return Bar(sys.stderr, time.monotonic)
