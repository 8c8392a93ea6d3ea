"""A progress bar on stderr, only on a terminal, and only for runs longer than one second."""

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
    """``checking [######      ] 1,234 of 10,000 files, 2,468 objects``, drawn at most ten times a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._drawn: float | None = None
        self.begin("reading")

    def begin(self, doing: str) -> None:
        """Starts a new step: sets its name and resets the counts."""
        self._doing = doing
        self._done = self._total = self._objects = 0

    def __call__(self, done: int, total: int) -> None:
        """Updates the number of files, and draws if enough time has passed."""
        self._done, self._total = done, total
        self._draw()

    def judged(self, count: int = 1) -> None:
        """Counts objects. A single file can hold 100,000 objects, so the number of files alone does not show progress."""
        self._objects += count
        self._draw()

    def clear(self) -> None:
        """Erases the bar."""
        if self._drawn is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = None

    def _draw(self) -> None:
        now = self._clock()
        if now - self._began < SHOWN_AFTER or (self._drawn is not None and now - self._drawn < _EVERY):
            return
        self._drawn = now
        objects = f", {self._objects:,} objects" if self._objects else ""
        if self._total:
            filled = "#" * (_WIDTH * self._done // self._total)
            line = f"{self._doing} [{filled:<{_WIDTH}}] {self._done:,} of {self._total:,} files{objects}"
        else:  # the objects of a cluster are not counted in advance
            line = f"{self._doing}{objects}"
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()


class _HiddenBar(Bar):
    """A bar that draws nothing."""

    def _draw(self) -> None: ...


def bar(*, quiet: bool = False) -> Bar:
    """Returns a bar. The bar is hidden in CI, on a dumb terminal, if stderr is not a terminal, and with ``quiet``."""
    if quiet or not sys.stderr.isatty() or environ.get("TERM") == "dumb" or environ.get("CI"):
        return _HiddenBar(sys.stderr, time.monotonic)
    return Bar(sys.stderr, time.monotonic)
