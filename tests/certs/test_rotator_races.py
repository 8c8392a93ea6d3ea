"""certs.rotator: concurrent rotators and conflicting writes do no harm."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from certs.cluster import Configuration, Conflict
from certs.plan import Sign, Step, Wait, plan
from certs.rotator import Reading, Rotator
from tests.certs.world import (
    SETTINGS,
    TERMS,
    VALIDATING,
    FakeCluster,
    World,
    is_good,
)

HOUR = timedelta(hours=1)


def stages() -> list[int]:
    """How many steps of a change of authority are already done when a rival comes in between."""
    return list(range(8))


QUICK = replace(SETTINGS, terms=replace(TERMS, bundle_settle=timedelta(seconds=1), leaf_settle=timedelta(seconds=2)))


def under_repair(stage: int) -> World:
    """A cluster whose authority is lost, after so many steps of the first rotator."""
    world = World(settings=QUICK).healthy()
    world.damage_secret("authority", "empty")
    for _ in range(stage):
        if isinstance(step := world.rotators[0].step(), Wait):
            world.clock.advance(step.remaining)
    return world


def interrupted_step(world: World, call: int, rival: Callable[[], None]) -> list[str]:
    """One step of the first rotator, with RIVAL before one of its calls. Returns what an API server does not trust meanwhile."""
    uncovered: list[str] = []
    calls = 0

    def interrupt(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            world.cluster.before = lambda _: None
            rival()

    world.cluster.before = interrupt
    world.cluster.after_write = lambda _: (world.note(), uncovered.extend(world.uncovered()))[0]
    with suppress(Conflict):
        world.rotators[0].step()
    world.cluster.before = lambda _: None
    return uncovered


@pytest.mark.parametrize("rival", ["sign", "rotate", "rotate twice"])
@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("stage", stages())
def test_a_concurrent_rotator_between_any_two_calls_does_no_harm(stage: int, call: int, rival: str) -> None:
    """
    A rotator stopped before any of its calls, while another does a whole rotation, wakes up and uncovers nothing.
    """
    world = under_repair(stage)

    def work_of_rival() -> None:
        for _ in range({"sign": 0, "rotate": 1, "rotate twice": 2}[rival]):
            world.damage_secret("authority", "empty")
            assert world.work(1)
        world.work(1)

    uncovered = interrupted_step(world, call, work_of_rival)

    assert uncovered == []
    assert world.work()
    assert world.trusts_alone()


@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("stage", stages())
def test_the_authority_of_a_concurrent_rotator_that_signs_is_kept(stage: int, call: int) -> None:
    """
    A rotator stopped before any of its calls never retires an authority that was minted since and is about to sign.
    """
    world = under_repair(stage)
    pending: list[tuple[Step, Reading]] = []

    def work_of_rival() -> None:
        assert world.work(1)
        world.damage_secret("authority", "empty")
        pending.append(until_signing(world, world.rotators[1]))

    uncovered = interrupted_step(world, call, work_of_rival)
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


def test_a_write_over_an_unread_version_conflicts() -> None:
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


def test_a_round_reads_again_after_a_conflict() -> None:
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


def test_a_round_ends_although_another_client_reverts_each_write() -> None:
    """
    An endless fight is fought with pauses.
    """
    world = World()
    world.cluster.after_write = lambda _: world.cluster.put_secret("authority", {})

    assert world.rotators[0].round() == SETTINGS.interval
