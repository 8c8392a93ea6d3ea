"""
Whose turn it is to look: a Lease, so that of many rotators one does the work.

Nothing rests on it. Writes are safe because each names the version that was read; so a Lease that cannot be read, or is
not there, makes everybody look, and whoever is off duty looks every minute all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from certs.clock import Clock
from certs.cluster import ClusterError, Conflict

log = logging.getLogger(__name__)

LEASE_DURATION: Final = timedelta(seconds=15)
LOOK_ANYWAY: Final = timedelta(seconds=60)
"""How long a rotator that is off duty trusts the one that is on duty, before it looks for itself once."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as read."""

    name: str
    holder: str
    """Empty when nobody holds it."""
    version: str
    manifest: Mapping[str, object] = field(repr=False, default_factory=dict)


class Leases(Protocol):
    """Where Leases are kept."""

    def read_lease(self, name: str) -> Lease:
        """Read a Lease of our namespace; raises :class:`ClusterError`."""
        ...

    def write_lease(self, lease: Lease, holder: str, duration: timedelta) -> None:
        """Let somebody hold the Lease that was read, from now on; raises :class:`Conflict` when it has changed since."""
        ...


class Duty:
    """
    Takes and keeps a Lease.

    The dates in it are never compared with a clock: another's Lease has run out when it was seen unchanged for its whole
    duration, so clocks that differ or jump let nobody take it early.
    """

    def __init__(
        self, leases: Leases, name: str, holder: str, clock: Clock, duration: timedelta = LEASE_DURATION
    ) -> None:
        if duration <= timedelta():
            raise ValueError("a Lease must last for some time")
        self._leases = leases
        self._name = name
        self._holder = holder
        self._clock = clock
        self._duration = duration
        self._seen: Lease | None = None
        self._since = 0.0
        self._renewed = 0.0
        self._trouble = ""
        self._told = ""

    def is_ours(self) -> bool:
        """Tell whether to look now; never raises for trouble with the Lease, which is no reason not to look."""
        try:
            ours = self._try()
        except Conflict:
            return False
        except ClusterError as error:
            log.log(logging.DEBUG if str(error) == self._trouble else logging.WARNING, "working without: %s", error)
            self._trouble = str(error)
            return True
        self._trouble = ""
        return ours

    def resign(self) -> None:
        """Let the next one begin at once."""
        try:
            lease = self._leases.read_lease(self._name)
            if lease.holder == self._holder:
                self._leases.write_lease(lease, "", self._duration)
        except ClusterError as error:
            log.debug("not handed over: %s", error)

    def _try(self) -> bool:
        lease, now = self._leases.read_lease(self._name), self._clock.monotonic()
        if self._seen is None or lease.version != self._seen.version:
            self._seen, self._since = lease, now
        if lease.holder == self._holder:
            if timedelta(seconds=now - self._renewed) >= self._duration / 3:
                self._take(lease, now)
            return True
        if lease.holder and timedelta(seconds=now - self._since) < self._duration:
            self._tell(f"off duty while {lease.holder} holds the Lease")
            return False
        self._take(lease, now)
        self._tell(f"on duty, and {lease.holder or 'nobody'} was before")
        return True

    def _tell(self, line: str) -> None:
        if line != self._told:
            log.info("%s", line)
        self._told = line

    def _take(self, lease: Lease, now: float) -> None:
        self._leases.write_lease(lease, self._holder, self._duration)
        self._renewed = now
