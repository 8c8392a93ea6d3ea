"""Clocks: one that may jump and one that never does, and the hour as an API server has it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

log = logging.getLogger(__name__)

NOTEWORTHY: Final = timedelta(minutes=5)
"""How far this machine's clock may be off without a word."""


class Clock(Protocol):
    """The wall clock, which may jump, and one that never does."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, not counting suspension."""
        return time.monotonic()


@dataclass(slots=True)
class ServerClock:
    """
    The hour as the API server last told it, carried on by the clock that does not jump.

    API servers are who verifies our certificates, so it is their clock that counts. With the clock of its own node a
    rotator on a node that is a year ahead would replace everything that works by what nobody accepts yet.
    """

    system: Clock
    _told: datetime | None = None
    _at: float = 0.0
    _is_off: bool = False

    def now(self) -> datetime:
        """The time of day, UTC; this machine's own until an API server has told its."""
        if self._told is None:
            return self.system.now()
        return self._told + timedelta(seconds=self.system.monotonic() - self._at)

    def monotonic(self) -> float:
        """Seconds since some moment, not counting suspension."""
        return self.system.monotonic()

    def hear(self, date: str | None) -> None:
        """Take over the ``Date`` of an answer (RFC 9110 section 6.6.1, whole seconds); anything else is passed over."""
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if told.tzinfo is None:
            return
        self._told, self._at = told.astimezone(UTC), self.system.monotonic()
        self._warn(abs(self.system.now() - self._told))

    def _warn(self, difference: timedelta) -> None:
        is_off = difference > NOTEWORTHY
        if is_off and not self._is_off:
            log.warning(
                "this machine's clock is %s off the API server's, which counts",
                timedelta(seconds=round(difference.total_seconds())),
            )
        self._is_off = is_off
