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
    """``checking [######      ] 1,234 of 10,000 files, 2,468 objects``, drawn anew at most ten times a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._drawn: float | None = None
        self.begin("reading")

    def begin(self, doing: str) -> None:
        """Says what is done from now on; the count begins anew."""
        self._doing = doing
        self._done = self._total = self._objects = 0

    def __call__(self, done: int, total: int) -> None:
        """Shows how many files are done of how many, if it is time to."""
        self._done, self._total = done, total
        self._draw()

    def judged(self) -> None:
        """Counts an object: of one file there may be a hundred thousand."""
        self._objects += 1
        self._draw()

    def clear(self) -> None:
        """Leaves the line as it was."""
        if self._drawn is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = None

    def _draw(self) -> None:
        now = self._clock()
        if now - self._began < SHOWN_AFTER or (self._drawn is not None and now - self._drawn < _EVERY):
            return
        self._drawn = now
        filled = "#" * (_WIDTH * self._done // max(self._total, 1))
        objects = f", {self._objects:,} objects" if self._objects else ""
        line = f"{self._doing} [{filled:<{_WIDTH}}] {self._done:,} of {self._total:,} files{objects}"
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()


class _Silence(Bar):
    """For who is not there to see it."""

    def _draw(self) -> None: ...


def bar() -> Bar:
    """A bar, which draws nothing if standard error is no terminal that can draw one."""
    if not sys.stderr.isatty() or environ.get("TERM") == "dumb" or environ.get("CI"):
        return _Silence(sys.stderr, time.monotonic)
    return Bar(sys.stderr, time.monotonic)
