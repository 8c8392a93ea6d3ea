"""certs.rotator: the rotator repairs what it finds, and only ever writes over what it has read."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from certs.cluster import Configuration, Conflict, Missing, Refused
from certs.inspection import inspect_authority, inspect_leaf
from certs.plan import Sign, Step, Wait, plan
from certs.rotator import Observation, Reading, Rotator, Settings, rotate
from tests.certs.world import (
    BUNDLE_DAMAGES,
    DAMAGES,
    MUTATING,
    NAMES,
    SETTINGS,
    TERMS,
    VALIDATING,
    FakeClock,
    FakeCluster,
    World,
    authority_of,
)

HOUR = timedelta(hours=1)


def is_good(world: World) -> bool:
    """Whether both pairs are good and belong together."""
    authority, leaf = world.cluster.pair("authority"), world.cluster.pair("serving")
    now = world.clock.now()
    if not inspect_authority(authority, now).is_good:
        return False
    return inspect_leaf(leaf, now, NAMES, (authority_of(authority),)).is_good


def test_a_first_round_makes_everything() -> None:
    """
    From empty Secrets and caBundles one round leads to an authority, a leaf, and trust in it, without waiting.
    """
    world = World()

    pause = world.rotators[0].round()

    assert pause == SETTINGS.interval
    assert is_good(world)
    assert world.trusts_alone()


def test_rest_writes_nothing() -> None:
    """
    A rotator that finds all well leaves every resourceVersion as it is.
    """
    world = World().healthy()
    before = (dict(world.cluster.secrets), dict(world.cluster.bundles))

    for _ in range(3):
        world.rotators[1].round()

    assert (world.cluster.secrets, world.cluster.bundles) == before


def test_a_secret_beside_the_leaf_holds_its_issuer() -> None:
    """
    The serving Secret has the three keys of a TLS Secret, and the authority's key is not among them.
    """
    world = World().healthy()

    stored = world.cluster.secrets["serving"]

    assert stored is not None
    assert set(stored[0]) == {"tls.crt", "tls.key", "ca.crt"}
    assert stored[0]["ca.crt"] == world.cluster.pair("authority").certificate
    assert stored[0]["tls.key"] != world.cluster.pair("authority").key


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("secret", ["authority", "serving"])
def test_every_damage_of_a_secret_is_repaired_in_ten_seconds(secret: str, kind: str) -> None:
    """
    Whatever happens to a Secret: within 10 s all is good again, and the leaf never lacks trust.
    """
    world = World().healthy()
    began = world.clock.monotonic()

    world.damage_secret(secret, kind)
    world.clock.advance(SETTINGS.interval)
    while not is_good(world):
        world.clock.advance(world.rotators[0].round())
        assert not world.uncovered()
    took = world.clock.monotonic() - began

    assert took <= 10
    assert world.work()
    assert world.trusts_alone()


@pytest.mark.parametrize("kind", BUNDLE_DAMAGES)
def test_every_damage_of_a_bundle_is_repaired_in_one_round(kind: str) -> None:
    """
    Whatever happens to a caBundle, one round later the API servers trust the leaf again, which is left alone.
    """
    world = World().healthy()
    leaf = world.cluster.pair("serving")

    world.damage_bundles(kind)
    world.rotators[0].round()

    assert not world.uncovered()
    assert world.cluster.pair("serving") == leaf
    assert world.work()
    assert world.trusts_alone()


def test_trust_survives_the_loss_of_the_authority_and_every_bundle() -> None:
    """
    What is being served is trusted again first, from the ``ca.crt`` beside it; only then is everything renewed.
    """
    world = World().healthy()
    world.damage_secret("authority", "empty")
    for name in (VALIDATING, MUTATING):
        world.cluster.put_bundles(name, dict.fromkeys(world.cluster.bundles[name][0], b""))
    world.note()

    world.rotators[0].round()

    assert not world.uncovered()
    assert is_good(world) is False  # the old leaf serves while every API server learns of the new authority
    assert world.work()
    assert is_good(world)


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-1), timedelta(days=5), timedelta(days=-4000)])
def test_a_jump_of_the_clock_is_healed_in_ten_seconds(jump: timedelta) -> None:
    """
    Forward or back, by a day or by years: valid certificates are there within 10 s.
    """
    world = World().healthy()
    began = world.clock.monotonic()

    world.clock.wall += jump
    world.clock.advance(SETTINGS.interval)
    while not is_good(world):
        world.clock.advance(world.rotators[0].round())

    assert world.clock.monotonic() - began <= 10


def test_a_year_passes_without_a_refused_handshake() -> None:
    """
    Leaf after leaf and one change of authority, looked at every six hours: nobody is ever refused.
    """
    world = World().healthy()
    authorities = set()
    leaves = set()
    refused: list[str] = []

    for _ in range(4 * 365):
        world.clock.advance(timedelta(hours=6))
        world.work(tick=lambda: refused.extend(world.refused_handshakes()))
        authorities.add(world.cluster.pair("authority").certificate)
        leaves.add(world.cluster.pair("serving").certificate)

    assert refused == []
    assert len(authorities) == 2
    assert len(leaves) > 70


LATE = [
    {"slow_api": timedelta(minutes=1)},
    {"slow_replica": timedelta(minutes=5)},
    {"slow_api": timedelta(seconds=20), "slow_replica": timedelta(minutes=4)},
]


@pytest.mark.parametrize("late", LATE)
def test_whoever_is_later_than_the_settle_times_is_waited_for_if_asked(late: dict[str, timedelta]) -> None:
    """
    A settle time is the least: an API server or a replica that answers with the old is given as long as it takes.
    """
    world = World(**late).healthy()
    refused: list[str] = []

    world.damage_secret("authority", "empty")
    rests = world.work(steps=200, tick=lambda: refused.extend(world.refused_handshakes()))
    world.clock.advance(HOUR)

    assert refused == []
    assert rests
    assert world.trusts_alone()
    assert world.refused_handshakes() == []


@pytest.mark.parametrize("late", LATE)
def test_without_asking_they_would_be_refused(late: dict[str, timedelta]) -> None:
    """
    The test above can fail: by settle times alone somebody so late is cut off.
    """
    world = World(**late)
    world.cluster.spread = lambda: True
    world.rotators = [Rotator(world.cluster, world.settings, world.clock)]
    world.healthy()
    refused: list[str] = []

    world.damage_secret("authority", "empty")
    world.work(steps=200, tick=lambda: refused.extend(world.refused_handshakes()))
    refused.extend(world.refused_handshakes())

    assert refused


def test_a_replica_that_hangs_for_ever_holds_the_old_authority_until_its_leaf_has_expired() -> None:
    """
    Nobody accepts an expired leaf, so from then on the old authority protects nobody and goes.
    """
    world = World(slow_replica=timedelta(days=300)).healthy()
    leaf = world.cluster.pair("serving")
    expires = inspect_leaf(leaf, world.clock.now(), NAMES).not_after
    assert expires is not None

    world.damage_secret("authority", "empty")
    world.work()
    held_until = world.clock.now()
    for _ in range(20):
        if world.trusts_alone():
            break
        held_until = world.clock.now()
        world.clock.advance(timedelta(hours=12))
        world.work(steps=1)

    assert expires - timedelta(hours=13) < held_until <= expires


def test_no_api_server_is_asked_once_the_settle_time_is_over() -> None:
    """
    Rest costs four reads and no questions.
    """
    world = World().healthy()
    world.rotators[0].round()
    world.clock.advance(HOUR)
    world.rotators[0].round()
    calls: list[str] = []
    world.cluster.before = calls.append

    world.rotators[0].round()

    assert calls == [
        "read serving",
        "read validatingwebhookconfigurations",
        "read mutatingwebhookconfigurations",
        "read authority",
    ]


def stages() -> list[int]:
    """How many steps of a change of authority are already done when a rival comes in between."""
    return list(range(8))


QUICK = replace(SETTINGS, terms=replace(TERMS, bundle_settle=timedelta(seconds=1), leaf_settle=timedelta(seconds=2)))


@pytest.mark.parametrize("rival", ["sign", "rotate", "rotate twice"])
@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("stage", stages())
def test_a_rival_between_any_two_calls_does_no_harm(stage: int, call: int, rival: str) -> None:
    """
    A rotator stopped before any of its calls, while another does a whole rotation, wakes up and uncovers nothing.
    """
    world = World(settings=QUICK).healthy()
    world.damage_secret("authority", "empty")
    for _ in range(stage):
        if isinstance(step := world.rotators[0].step(), Wait):
            world.clock.advance(step.remaining)
    uncovered: list[str] = []
    calls = 0

    def interrupt(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls != call:
            return
        world.cluster.before = lambda _: None
        for _round in range({"sign": 0, "rotate": 1, "rotate twice": 2}[rival]):
            world.damage_secret("authority", "empty")
            assert world.work(1)
        world.work(1)

    world.cluster.before = interrupt
    world.cluster.after_write = lambda _: (world.note(), uncovered.extend(world.uncovered()))[0]
    with suppress(Conflict):
        world.rotators[0].step()
    world.cluster.before = lambda _: None

    assert uncovered == []
    assert world.work()
    assert world.trusts_alone()


@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("stage", stages())
def test_a_rival_about_to_sign_is_not_robbed_of_its_authority(stage: int, call: int) -> None:
    """
    A rotator stopped before any of its calls never retires an authority that was minted since and is about to sign.
    """
    world = World(settings=QUICK).healthy()
    world.damage_secret("authority", "empty")
    for _ in range(stage):
        if isinstance(step := world.rotators[0].step(), Wait):
            world.clock.advance(step.remaining)
    uncovered: list[str] = []
    pending: list[tuple[Step, Reading]] = []
    calls = 0

    def interrupt(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls != call:
            return
        world.cluster.before = lambda _: None
        assert world.work(1)
        world.damage_secret("authority", "empty")
        pending.append(until_signing(world, world.rotators[1]))

    world.cluster.before = interrupt
    world.cluster.after_write = lambda _: (world.note(), uncovered.extend(world.uncovered()))[0]
    with suppress(Conflict):
        world.rotators[0].step()
    world.cluster.before = lambda _: None
    for step, reading in pending:
        with suppress(Conflict):
            world.rotators[1]._execute(step, reading)

    assert uncovered == []
    assert world.work()
    assert world.trusts_alone()


def until_signing(world: World, rotator: Rotator) -> tuple[Step, Reading]:
    """Work up to the moment before a leaf is written."""
    for _ in range(20):
        reading = rotator.read()
        step = plan(reading.inventory, reading.now, QUICK.terms)
        if isinstance(step, Sign):
            return step, reading
        rotator._execute(step, reading)
        if isinstance(step, Wait):
            world.clock.advance(step.remaining)
    raise AssertionError("it never came to signing")


def test_a_write_over_something_unread_conflicts() -> None:
    """
    The fake compares versions as the API server does, or the tests above would prove nothing.
    """
    cluster = FakeCluster.installed()
    secret = cluster.read_secret("serving")
    configuration = cluster.read_configuration(VALIDATING)
    assert isinstance(configuration, Configuration)
    cluster.write_secret(secret, {})
    cluster.write_bundles(configuration, {})

    with pytest.raises(Conflict):
        cluster.write_secret(secret, {})
    with pytest.raises(Conflict):
        cluster.write_bundles(configuration, {})


def test_a_round_looks_again_after_a_conflict() -> None:
    """
    Losing a race is no trouble: the same round goes on with what the winner left.
    """
    world = World()
    lost = iter([True, True, False])

    def rival(call: str) -> None:
        if call.startswith("write") and next(lost, False):
            raise Conflict(call, "Again.")

    world.cluster.before = rival

    world.rotators[0].round()

    assert is_good(world)


def test_a_round_ends_although_somebody_undoes_everything() -> None:
    """
    An endless fight is fought with pauses.
    """
    world = World()
    world.cluster.after_write = lambda _: world.cluster.put_secret("authority", {})

    assert world.rotators[0].round() == SETTINGS.interval


def test_a_missing_secret_is_told_and_the_bundle_mended_all_the_same() -> None:
    """
    Without the right to create, the rotator says what is missing, after it has restored the trust in the served leaf.
    """
    world = World().healthy()
    world.cluster.secrets["authority"] = None
    world.damage_bundles("empty")

    with pytest.raises(Missing):
        world.rotators[0].round()

    assert not world.uncovered()


def test_a_missing_secret_is_made_where_that_is_allowed() -> None:
    """
    With the right to create, deleting both Secrets is damage like any other.
    """
    world = World().healthy()
    world.cluster.creates_secrets = True
    world.cluster.secrets.update(authority=None, serving=None)

    assert world.work()
    assert is_good(world)


def test_a_configuration_that_is_not_installed_is_passed_over() -> None:
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


def test_the_loop_lives_through_an_outage_and_tells_of_it_once(caplog: pytest.LogCaptureFixture) -> None:
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


def test_the_repr_of_a_secret_holds_none() -> None:
    """
    A Secret printed by mistake shows its name and version.
    """
    world = World().healthy()

    assert repr(world.cluster.read_secret("authority")) == "Secret(name='authority', version='2')"


def test_a_sighting_begins_anew_with_a_new_thing() -> None:
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
