"""The clocks of this machine, and the clock of the API server."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

log = logging.getLogger(__name__)

MAX_DIFFERENCE: Final = timedelta(minutes=5)
"""Larger differences between this machine's clock and the API server's are logged."""


class Clock(Protocol):
    """A wall clock, which may jump, and a monotonic clock."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""
        ...

    def monotonic(self) -> float:
        """Returns the seconds since an arbitrary start."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns the seconds since an arbitrary start. The time in which the machine is suspended does not count."""
        return time.monotonic()


@dataclass(slots=True)
class ServerClock:
    """
    A clock that returns the time of the last API server response, plus the monotonic time since then.

    API servers verify the certificates, so their clock decides. With the clock of a node that is a year ahead, the
    rotator would replace valid certificates with certificates that API servers do not accept yet.
    """

    system: Clock
    _server_time: datetime | None = None
    _read_at: float = 0.0
    _differs: bool = False

    def now(self) -> datetime:
        """Returns the current time in UTC. Before the first response, uses the clock of this machine."""
        if self._server_time is None:
            return self.system.now()
        return self._server_time + timedelta(seconds=self.system.monotonic() - self._read_at)

    def monotonic(self) -> float:
        """Returns the seconds since an arbitrary start. The time in which the machine is suspended does not count."""
        return self.system.monotonic()

    def synchronize(self, date: str | None) -> None:
        """Reads the ``Date`` header of a response (RFC 9110 section 6.6.1, whole seconds). Ignores an invalid date."""
        try:
            server_time = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if server_time.tzinfo is None:
            return
        self._server_time, self._read_at = server_time.astimezone(UTC), self.system.monotonic()
        self._warn(abs(self.system.now() - self._server_time))

    def _warn(self, difference: timedelta) -> None:
        differs = difference > MAX_DIFFERENCE
        if differs and not self._differs:
            log.warning(
                "the clock of this machine differs from the API server's by %s; using the API server's",
                timedelta(seconds=round(difference.total_seconds())),
            )
        self._differs = differs
