"""certs.rotator: missing objects, API server errors, log lines and settings."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest

from certs.cluster import Missing, Refused
from certs.rotator import Observation, Settings, rotate
from tests.certs.world import (
    DAMAGES,
    MUTATING,
    SETTINGS,
    TERMS,
    FakeClock,
    World,
    is_good,
)

HOUR = timedelta(hours=1)


def test_a_missing_secret_is_an_error_and_the_bundle_is_still_repaired() -> None:
    """
    Without the right to create, the rotator says what is missing, after it has restored the trust in the served leaf.
    """
    world = World().healthy()
    world.cluster.secrets["authority"] = None
    world.damage_bundles("empty")

    with pytest.raises(Missing):
        world.rotators[0].round()

    assert not world.uncovered()


def test_a_missing_secret_is_created_if_that_is_allowed() -> None:
    """
    With the right to create, deleting both Secrets is damage like any other.
    """
    world = World().healthy()
    world.cluster.creates_secrets = True
    world.cluster.secrets.update(authority=None, serving=None)

    assert world.work()
    assert is_good(world)


def test_a_missing_configuration_is_ignored() -> None:
    """
    Nothing waits for a webhook configuration that was deleted, and one that comes back is filled.
    """
    world = World()
    bundles = world.cluster.bundles.pop(MUTATING)
    assert world.work()
    assert is_good(world)

    world.cluster.bundles[MUTATING] = bundles
    world.rotators[0].round()

    assert world.trusts_alone()


class Stop(threading.Event):
    """Is set after some waits, and lets the fake time pass."""

    def __init__(self, clock: FakeClock, waits: int) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._clock = clock
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        self._clock.advance(timedelta(seconds=timeout or 0.0))
        if len(self.pauses) == self._waits:
            self.set()
        return self.is_set()


def test_the_loop_survives_an_outage_and_logs_it_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    An API server that is away costs one warning and no more than the usual pause; the work goes on afterwards.
    """
    world = World()
    away = iter([True] * 3)

    def outage(call: str) -> None:
        if next(away, False):
            raise Refused("no answer", "Try again.")

    world.cluster.before = outage
    stop = Stop(world.clock, waits=5)

    with caplog.at_level(logging.INFO, "certs"):
        rotate(world.rotators[0], SETTINGS.interval, stop)

    assert is_good(world)
    assert set(stop.pauses) == {SETTINGS.interval.total_seconds()}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "no answer. Try again."
    ]


def test_no_key_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """
    Every kind of damage and every step is logged without a line of any PEM, and rest is logged once.
    """
    world = World()
    with caplog.at_level(logging.DEBUG):
        for kind in DAMAGES:
            world.damage_secret("authority", kind)
            world.damage_secret("serving", kind)
            world.work()
            caplog.handler.flush()
        said = len(caplog.records)
        world.rotators[0].round()
        world.rotators[0].round()

    assert len(caplog.records) == said
    assert "BEGIN" not in caplog.text
    assert "MII" not in caplog.text


def test_the_repr_of_a_secret_has_no_key() -> None:
    """
    A Secret printed by mistake shows its name and version.
    """
    world = World().healthy()

    assert repr(world.cluster.read_secret("authority")) == "Secret(name='authority', version='2')"


def test_an_observation_restarts_with_a_new_value() -> None:
    """
    Only the same thing, seen look after look, is seen for longer and longer.
    """
    observation = Observation()

    lengths = [
        observation.duration(thing, moment).total_seconds() for thing, moment in zip("aabbb", range(5), strict=True)
    ]

    assert lengths == [0, 1, 0, 1, 2]
    assert [observation.duration(None, moment).total_seconds() for moment in (9, 11)] == [0, 0]


@pytest.mark.parametrize(
    "change",
    [{"authority_secret": "serving"}, {"interval": timedelta()}, {"interval": timedelta(seconds=61)}],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, object]) -> None:
    """
    The authority's key must not be where serving pods read, and the clock is looked at every minute at least.
    """
    good = {"terms": TERMS, "authority_secret": "authority", "serving_secret": "serving", "configurations": ()}

    with pytest.raises(ValueError, match=r"."):
        Settings(**{**good, **change})  # type: ignore[arg-type]
