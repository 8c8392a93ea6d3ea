"""
Leader election with a Lease, so that one of several rotators is active.

Correctness does not depend on the election, because each write is conditional on the version that was read. Without a readable
Lease, all rotators are active. A rotator that is not the leader still checks once a minute.
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
FOLLOWER_INTERVAL: Final = timedelta(seconds=60)
"""Time between two checks of a rotator that is not the leader."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as the API server returned it."""

    name: str
    holder: str
    """Empty without a holder."""
    version: str
    manifest: Mapping[str, object] = field(repr=False, default_factory=dict)


class Leases(Protocol):
    """Reads and writes Leases."""

    def read_lease(self, name: str) -> Lease:
        """Reads a Lease in the namespace. Raises :class:`ClusterError`."""
        ...

    def write_lease(self, lease: Lease, holder: str, duration: timedelta) -> None:
        """
        Sets the holder and the renewal time of the Lease. Raises :class:`Conflict` if the Lease has changed since it was read.
        """
        ...


class LeaderElection:
    """
    Acquires, renews and releases a Lease.

    The dates in the Lease are never compared with a clock. A Lease of another holder counts as expired when it has not changed
    for its whole duration. A wrong or jumping clock therefore never causes an early takeover.
    """

    def __init__(
        self, leases: Leases, name: str, holder: str, clock: Clock, duration: timedelta = LEASE_DURATION
    ) -> None:
        if duration <= timedelta():
            raise ValueError("the duration of a Lease must be positive")
        self._leases = leases
        self._name = name
        self._holder = holder
        self._clock = clock
        self._duration = duration
        self._last: Lease | None = None
        self._since = 0.0
        self._renewed = 0.0
        self._last_error = ""
        self._logged = ""

    def is_leader(self) -> bool:
        """
        Whether this rotator is active now. Never raises. If the Lease cannot be read or written, the rotator is active without
        it.
        """
        try:
            is_leader = self._try()
        except Conflict:
            return False
        except ClusterError as error:
            log.log(
                logging.DEBUG if str(error) == self._last_error else logging.WARNING,
                "working without the Lease: %s",
                error,
            )
            self._last_error = str(error)
            return True
        self._last_error = ""
        return is_leader

    def release(self) -> None:
        """Releases the Lease, so that another rotator can acquire it immediately."""
        try:
            lease = self._leases.read_lease(self._name)
            if lease.holder == self._holder:
                self._leases.write_lease(lease, "", self._duration)
        except ClusterError as error:
            log.debug("the Lease was not released: %s", error)

    def _try(self) -> bool:
        lease, now = self._leases.read_lease(self._name), self._clock.monotonic()
        if self._last is None or lease.version != self._last.version:
            self._last, self._since = lease, now
        if lease.holder == self._holder:
            if timedelta(seconds=now - self._renewed) >= self._duration / 3:
                self._acquire(lease, now)
            return True
        if lease.holder and timedelta(seconds=now - self._since) < self._duration:
            self._log_change(f"inactive while {lease.holder} holds the Lease")
            return False
        self._acquire(lease, now)
        self._log_change(f"acquired the Lease; the previous holder was {lease.holder or 'none'}")
        return True

    def _log_change(self, line: str) -> None:
        if line != self._logged:
            log.info("%s", line)
        self._logged = line

    def _acquire(self, lease: Lease, now: float) -> None:
        self._leases.write_lease(lease, self._holder, self._duration)
        self._renewed = now
