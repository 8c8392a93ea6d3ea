"""The whole life of certificates, simulated in a cluster in memory with rotators that crash and race."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.cluster import ClusterError, Refused
from certs.plan import Terms
from certs.rotator import Rotator, Settings
from tests.certs.world import BUNDLE_DAMAGES, DAMAGES, MUTATING, NAMES, SETTINGS, VALIDATING, FakeClock, World

# the files of a replica are unusable, so it continues with the certificate in memory
UNSERVABLE = DAMAGES

spans = st.sampled_from([timedelta(seconds=1), timedelta(seconds=5), timedelta(minutes=2), timedelta(days=1)])
which = st.integers(0, 1)
steps = st.tuples(st.just("step"), which)
harmless = st.one_of(
    steps,
    steps,
    steps,
    st.tuples(st.just("pass"), spans),
    st.tuples(st.just("crash"), which),
    st.tuples(st.just("fault"), st.integers(1, 6)),
    st.tuples(st.just("authority"), st.sampled_from(DAMAGES)),
    st.tuples(st.just("serving"), st.sampled_from(UNSERVABLE)),
)
jumps = st.sampled_from([timedelta(days=400), timedelta(days=-1), timedelta(days=-400), timedelta(days=6)])
anything = st.one_of(
    harmless,
    st.tuples(st.just("bundles"), st.sampled_from(BUNDLE_DAMAGES)),
    st.tuples(st.just("jump"), jumps),
)


def play(world: World, act: tuple[str, object]) -> None:
    """Do one thing to the world."""
    match act:
        case ("step", int(which)):
            try:
                world.rotators[which].step()
            except ClusterError:
                world.note()
        case ("crash", int(which)):
            world.crash(which)
        case ("pass", timedelta() as span):
            world.clock.advance(span)
        case ("jump", timedelta() as span):
            world.clock.wall += span
        case ("fault", int(calls)):
            world.calls_until_fault = calls
        case ("bundles", str(kind)):
            world.damage_bundles(kind)
        case (("authority" | "serving") as name, str(kind)):
            world.damage_secret(name, kind)
        case _:
            raise AssertionError(act)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(harmless, max_size=25))
def test_no_handshake_fails_whatever_happens_to_the_secrets(acts: list[tuple[str, object]]) -> None:
    """
    Once all is well, no API server ever refuses a replica, however late either is, for damage to Secrets or crashes.
    """
    world = World().healthy()
    refused: list[str] = []

    for act in acts:
        play(world, act)
        if act[0] == "pass":
            world.work(tick=lambda: refused.extend(world.refused_handshakes()))
        refused.extend(world.refused_handshakes())
    rests = world.work(tick=lambda: refused.extend(world.refused_handshakes()))

    assert refused == []
    assert rests
    assert world.trusts_alone()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(anything, max_size=25))
def test_all_damage_is_repaired_and_no_write_removes_trust_in_the_leaf(acts: list[tuple[str, object]]) -> None:
    """
    From any damage and any jump of the clock it takes at most 12 deeds until all is well, and none uncovers a leaf.
    """
    world = World().healthy()
    uncovered: list[str] = []

    def after_write(what: str) -> None:
        world.note()
        if what == "serving":
            uncovered.extend(world.uncovered())

    world.cluster.after_write = after_write

    for act in acts:
        play(world, act)
    world.calls_until_fault = 0
    rests = world.work(steps=40)
    world.clock.advance(SETTINGS.terms.leaf_settle)

    assert uncovered == []
    assert rests
    assert world.trusts_alone()
    assert world.refused_handshakes() == []


class Lockstep:
    """
    Lets one of several threads run at a time, and lets a seed decide which: races that can be repeated.

    One falls asleep between two of its calls until nearly everybody else is done: what it then writes rests on what was
    true long ago. Just when it does, the damage is done.
    """

    def __init__(self, threads: int, chance: random.Random, damage: Callable[[], None]) -> None:
        self._changed = threading.Condition()
        self._alive = threads
        self._waiting: set[int] = set()
        self._chosen: int | None = None
        self._chance = chance
        self._sleeper = chance.randrange(threads)
        self._sleeps_before = chance.choice(["", "write", "write serving"])
        self._calls_until_sleep = chance.randint(1, 16) if not self._sleeps_before else 1
        self._damage = damage

    def pause(self, me: int, call: str) -> None:
        """Let the others go first, or not."""
        with self._changed:
            if me == self._sleeper and call.startswith(self._sleeps_before) and self._calls_until_sleep:
                self._calls_until_sleep -= 1
                if not self._calls_until_sleep:
                    self._damage()
            self._waiting.add(me)
            self._choose()
            if not self._changed.wait_for(lambda: self._chosen == me, timeout=60):
                raise AssertionError("no other rotator handed over")
            self._waiting.discard(me)
            self._chosen = None

    def leave(self, me: int) -> None:
        """Ends the part of a rotator. A rotator that leaves without a pause damages objects as its last step."""
        with self._changed:
            if me == self._sleeper and self._calls_until_sleep:
                self._damage()
            self._alive -= 1
            self._choose()

    def _choose(self) -> None:
        if self._chosen is not None or not self._waiting or len(self._waiting) < self._alive:
            return
        awake = sorted(self._waiting)
        if not self._calls_until_sleep and len(awake) > 1 and self._chance.random() < 0.999:
            awake = [one for one in awake if one != self._sleeper]
        self._chosen = self._chance.choice(awake)
        self._changed.notify_all()


RACERS = 5
ROUNDS = 50
"""For each of the four kinds of damage: 200 in all."""
QUICK = Settings(
    Terms(NAMES, bundle_settle=timedelta(seconds=1), leaf_settle=timedelta(seconds=2)),
    "authority",
    "serving",
    (VALIDATING, MUTATING),
)


class Race:
    """Rounds in which each of five rotators makes some steps in a thread of its own, with a pause before every call."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.rotators = [self.newcomer() for _ in range(RACERS)]
        self.faults = 0
        self.refused: list[str] = []
        self.uncovered: list[str] = []
        self._before: set[str] = set()

    def newcomer(self) -> Rotator:
        return Rotator(self.world.cluster, QUICK, self.world.clock, self.world)

    def run_round(self, damage: Callable[[], None]) -> None:
        """Until every thread has made its steps."""
        lockstep = Lockstep(RACERS, self.chance, damage)
        own = threading.local()

        def before(call: str) -> None:
            lockstep.pause(own.number, call)
            if call.startswith("write"):
                self._before = set(self.world.uncovered())
            self._perhaps_fail(call)

        def after_write(what: str) -> None:
            self.world.note()
            self.uncovered.extend(set(self.world.uncovered()) - self._before)
            self._perhaps_fail(f"answer to the write of {what}")

        steps = [self.chance.randint(5, 13) for _ in range(RACERS)]

        def run(number: int) -> None:
            own.number = number
            try:
                for _ in range(steps[number]):
                    with suppress(ClusterError):
                        self.rotators[number].step()
                    self.world.clock.advance(timedelta(seconds=0.5))
                    self.refused.extend(self.world.refused_handshakes())
            finally:
                lockstep.leave(number)

        self.world.cluster.before, self.world.cluster.after_write = before, after_write
        threads = [threading.Thread(target=run, args=(number,)) for number in range(RACERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        assert not any(thread.is_alive() for thread in threads)
        self.world.cluster.before, self.world.cluster.after_write = lambda _: None, lambda _: self.world.note()
        if self.chance.random() < 0.2:  # a crash costs the memory of what was seen for how long
            self.rotators[self.chance.randrange(RACERS)] = self.newcomer()

    def _perhaps_fail(self, call: str) -> None:
        """A call that never arrives, or one that did its work and whose answer is lost."""
        if self.chance.random() < 0.04:
            self.faults += 1
            raise Refused(call, "Try again.")


def harm(world: World, what: str, number: int) -> None:
    """Do the damage of this number to one or both Secrets, or to the caBundles."""
    if what == "bundles":
        world.damage_bundles(BUNDLE_DAMAGES[number % len(BUNDLE_DAMAGES)])
    for name in ("authority", "serving"):
        if what in (name, "both"):
            world.damage_secret(name, DAMAGES[number % len(DAMAGES)])


@pytest.mark.parametrize("damage", ["authority", "serving", "both", "bundles"])
def test_five_racing_rotators_agree(damage: str) -> None:
    """
    Of five rotators that race, with calls and answers that get lost and crashes, one authority wins, key and certificate
    match, no write takes the trust away from the leaf that is served, and no handshake fails but by damaged bundles.
    """
    world = World(FakeClock(), settings=QUICK).healthy()
    race = Race(world, seed=len(damage))

    for number in range(ROUNDS):
        race.run_round(partial(harm, world, damage, number))

    assert race.faults > ROUNDS
    assert race.uncovered == []
    assert damage == "bundles" or race.refused == []
    assert world.work()
    assert world.trusts_alone()
    assert world.refused_handshakes() == []
