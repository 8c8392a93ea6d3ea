"""certs.clock: the clock of the API server counts, and jumps of the local clock have no effect."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from certs.clock import ServerClock
from tests.certs.world import NOW, FakeClock

DATE = "Sun, 01 Mar 2026 12:00:00 GMT"  # NOW


def test_before_the_first_response_the_local_clock_is_used() -> None:
    """
    No API server has responded yet.
    """
    assert ServerClock(FakeClock()).now() == NOW


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-1), timedelta(days=-4000)])
def test_a_jump_of_the_local_clock_changes_nothing(jump: timedelta) -> None:
    """
    The hour goes on from what the API server said, by seconds that do not jump.
    """
    system = FakeClock()
    clock = ServerClock(system)
    clock.synchronize(DATE)

    system.wall += jump
    system.advance(timedelta(seconds=30))

    assert clock.now() == NOW + timedelta(seconds=30)
    assert clock.monotonic() == system.monotonic()


def test_a_jump_of_the_api_servers_clock_is_followed() -> None:
    """
    It verifies our certificates, so its hour is right by definition.
    """
    clock = ServerClock(FakeClock())
    clock.synchronize(DATE)

    clock.synchronize("Mon, 05 Apr 2027 12:00:00 GMT")

    assert clock.now() == datetime(2027, 4, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 01 Mar 2026 12:00:00 -0000", "2026-03-01T12:00:00Z"])
def test_a_response_without_a_date_changes_nothing(date: str | None) -> None:
    """
    A proxy may remove the header or make it invalid.
    """
    system = FakeClock(wall=NOW + timedelta(days=7))
    clock = ServerClock(system)
    clock.synchronize(DATE)

    clock.synchronize(date)

    assert clock.now() == NOW


def test_a_large_clock_difference_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    A node whose clock is wrong is worth a warning, not one at each answer; a few minutes are not.
    """
    system = FakeClock(wall=NOW - timedelta(minutes=4))
    clock = ServerClock(system)

    with caplog.at_level(logging.INFO, "certs"):
        clock.synchronize(DATE)
        system.wall = NOW + timedelta(days=400)
        clock.synchronize(DATE)
        clock.synchronize(DATE)

    assert [record.getMessage() for record in caplog.records] == [
        "the clock of this machine differs from the API server's by 400 days, 0:00:00; using the API server's"
    ]
