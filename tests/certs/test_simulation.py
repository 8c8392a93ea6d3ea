"""The whole life of certificates, played against a cluster in memory with rotators that crash and race."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.cluster import ClusterError, Rotator, Settings
from certs.plan import Terms
from tests.certs.world import BUNDLE_DAMAGES, DAMAGES, MUTATING, NAMES, SETTINGS, VALIDATING, FakeClock, World

# what a replica can see is of no use, so that it goes on with what it has in memory
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
def test_everything_heals_and_no_write_uncovers_the_leaf(acts: list[tuple[str, object]]) -> None:
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
    """Lets one of several threads run at a time, and lets a seed decide which: races that can be repeated."""

    def __init__(self, threads: int, seed: int) -> None:
        self._changed = threading.Condition()
        self._alive = threads
        self._waiting: set[int] = set()
        self._chosen: int | None = None
        self._random = random.Random(seed)

    def pause(self, me: int) -> None:
        """Let the others go first, or not."""
        with self._changed:
            self._waiting.add(me)
            self._choose()
            if not self._changed.wait_for(lambda: self._chosen == me, timeout=60):
                raise AssertionError("nobody let us go on")
            self._waiting.discard(me)
            self._chosen = None

    def leave(self) -> None:
        """Take no further part."""
        with self._changed:
            self._alive -= 1
            self._choose()

    def _choose(self) -> None:
        if self._chosen is None and self._waiting and len(self._waiting) == self._alive:
            self._chosen = self._random.choice(sorted(self._waiting))
            self._changed.notify_all()


RACERS = 5
QUICK = Settings(
    Terms(NAMES, bundle_settle=timedelta(seconds=1), leaf_settle=timedelta(seconds=2)),
    "authority",
    "serving",
    (VALIDATING, MUTATING),
)


def race(world: World, rotators: list[Rotator], seed: int, steps: int) -> None:
    """Let each rotator make some steps in a thread of its own, with a pause before every call."""
    lockstep = Lockstep(len(rotators), seed)
    own = threading.local()
    world.cluster.before = lambda _: lockstep.pause(own.number)

    def run(number: int) -> None:
        own.number = number
        try:
            for _ in range(steps):
                try:
                    rotators[number].step()
                except ClusterError:
                    continue
                finally:
                    world.clock.advance(timedelta(seconds=0.1))
        finally:
            lockstep.leave()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(rotators))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    world.cluster.before = lambda _: None


@pytest.mark.parametrize("damage", ["authority", "serving", "both"])
def test_five_racing_rotators_agree(damage: str) -> None:
    """
    Of five rotators that race, one authority wins, key and certificate match, and every leaf served is covered.
    """
    world = World(FakeClock(), settings=QUICK).healthy()
    rotators = [Rotator(world.cluster, QUICK, world.clock) for _ in range(RACERS)]
    uncovered: list[str] = []
    world.cluster.after_write = lambda _: (world.note(), uncovered.extend(world.uncovered()))[0]

    for seed in range(12):
        for name in ("authority", "serving"):
            if damage in (name, "both"):
                world.damage_secret(name, DAMAGES[seed % len(DAMAGES)])
        race(world, rotators, seed, steps=12)

    assert uncovered == []
    assert world.work()
    assert world.trusts_alone()
    assert world.refused_handshakes() == []
