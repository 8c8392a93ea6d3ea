"""certs.lease: one of several rotators does the work, and the certificates do not depend on the Lease."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from certs.cluster import Conflict, Missing, Refused
from certs.lease import FOLLOWER_INTERVAL, LEASE_DURATION, LeaderElection, Lease
from certs.rotator import Rotator, rotate
from tests.certs.world import SETTINGS, FakeClock, World

SECOND = timedelta(seconds=1)


@dataclass
class FakeLeases:
    """One Lease that compares versions."""

    holder: str = ""
    version: int = 1
    error: Exception | None = None
    writes: list[str] = field(default_factory=list)

    def read_lease(self, name: str) -> Lease:
        if self.error is not None:
            raise self.error
        return Lease(name, self.holder, str(self.version))

    def write_lease(self, lease: Lease, holder: str, duration: timedelta) -> None:
        if lease.version != str(self.version):
            raise Conflict("lease", "Again.")
        assert duration == LEASE_DURATION
        self.holder, self.version = holder, self.version + 1
        self.writes.append(holder)


def elections(leases: FakeLeases, clock: FakeClock, *names: str) -> list[LeaderElection]:
    return [LeaderElection(leases, "rotator", name, clock) for name in names]


def test_the_first_rotator_becomes_the_leader() -> None:
    """
    A Lease without a holder is acquired. While it is renewed, no other rotator gets it.
    """
    leases, clock = FakeLeases(), FakeClock()
    first, second = elections(leases, clock, "first", "second")

    turns = []
    for _ in range(40):
        turns.append((first.is_leader(), second.is_leader()))
        clock.advance(3 * SECOND)

    assert set(turns) == {(True, False)}


def test_a_lease_is_renewed_at_a_third_of_its_duration() -> None:
    """
    Two renewals may fail before anybody else steps in, and not every look is a write.
    """
    leases, clock = FakeLeases(), FakeClock()
    (election,) = elections(leases, clock, "only")

    for _ in range(60):
        election.is_leader()
        clock.advance(SECOND)

    assert len(leases.writes) == 60 / (LEASE_DURATION / 3).total_seconds()


def test_the_lease_of_a_stopped_leader_is_taken_over_after_its_duration() -> None:
    """
    Within twenty seconds with checks every three seconds, and not before the Lease was unchanged for its whole duration.
    """
    leases, clock = FakeLeases(), FakeClock()
    first, second = elections(leases, clock, "first", "second")
    assert first.is_leader()
    assert not second.is_leader()

    turns = []
    for _ in range(8):
        turns.append(second.is_leader())
        clock.advance(3 * SECOND)

    assert LEASE_DURATION <= 3 * SECOND * turns.index(True) <= 20 * SECOND
    assert not first.is_leader()


def test_a_jump_of_the_wall_clock_does_not_move_the_lease() -> None:
    """
    No date in a Lease is compared with a clock.
    """
    leases, clock = FakeLeases(), FakeClock()
    first, second = elections(leases, clock, "first", "second")
    assert first.is_leader()
    assert not second.is_leader()

    clock.wall += timedelta(days=400)

    assert not second.is_leader()
    assert first.is_leader()


def test_a_change_of_the_leader_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    The log names the leader when it changes, and not at each check.
    """
    leases, clock = FakeLeases(holder="first"), FakeClock()
    (election,) = elections(leases, clock, "second")

    with caplog.at_level(logging.INFO, "certs"):
        for _ in range(12):
            election.is_leader()
            clock.advance(3 * SECOND)

    assert [record.getMessage() for record in caplog.records] == [
        "inactive while first holds the Lease",
        "acquired the Lease; the previous holder was first",
    ]


def test_a_leader_that_ends_releases_the_lease() -> None:
    """
    A rolling update leaves no gap. A rotator does not release the Lease of another.
    """
    leases, clock = FakeLeases(), FakeClock()
    first, second = elections(leases, clock, "first", "second")
    assert first.is_leader()

    second.release()
    assert leases.holder == "first"
    first.release()

    assert second.is_leader()


def test_one_of_two_concurrent_writers_gets_the_lease() -> None:
    """
    The write names the version that was read.
    """
    leases, clock = FakeLeases(), FakeClock()
    (election,) = elections(leases, clock, "slow")
    read = leases.read_lease

    def overtaken(name: str) -> Lease:
        lease = read(name)
        leases.write_lease(lease, "quick", LEASE_DURATION)
        return lease

    leases.read_lease = overtaken  # type: ignore[method-assign]

    assert not election.is_leader()


@pytest.mark.parametrize("error", [Missing("no Lease", "Make it."), Refused("no right", "Give it.")])
def test_all_rotators_work_without_a_lease(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """
    A Lease only saves work. Its absence is logged once.
    """
    leases = FakeLeases(error=error)
    (election,) = elections(leases, FakeClock(), "any")

    with caplog.at_level(logging.INFO, "certs"):
        turns = [election.is_leader(), election.is_leader()]
    election.release()

    assert turns == [True, True]
    assert [record.getMessage() for record in caplog.records] == [f"working without the Lease: {error}"]


def test_a_lease_without_duration_is_refused() -> None:
    """
    It would be everybody's at all times.
    """
    with pytest.raises(ValueError, match="must be positive"):
        LeaderElection(FakeLeases(), "rotator", "any", FakeClock(), timedelta())


def test_a_rotator_without_the_lease_checks_once_a_minute() -> None:
    """
    A leader that renews its Lease and does no work is replaced within a minute.
    """
    world = World()
    leases = FakeLeases(holder="asleep")
    election = LeaderElection(leases, "rotator", "awake", world.clock)
    looks: list[float] = []
    world.cluster.before = lambda call: looks.append(world.clock.monotonic()) if call == "read serving" else None

    class Minutes(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            world.clock.advance(timedelta(seconds=timeout))
            leases.version += 1
            if world.clock.monotonic() > 150:
                self.set()
            return self.is_set()

    rotate(Rotator(world.cluster, SETTINGS, world.clock), SETTINGS.interval, Minutes(), election)

    assert sorted(set(looks)) == [FOLLOWER_INTERVAL.total_seconds(), 2 * FOLLOWER_INTERVAL.total_seconds()]
    assert world.trusts_alone()
