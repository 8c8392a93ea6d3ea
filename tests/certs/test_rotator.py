"""certs.rotator: the rotator creates and repairs all certificates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from certs.inspection import inspect_leaf
from certs.rotator import Rotator
from tests.certs.world import (
    BUNDLE_DAMAGES,
    DAMAGES,
    MUTATING,
    NAMES,
    SETTINGS,
    VALIDATING,
    World,
    is_good,
)

HOUR = timedelta(hours=1)


def test_the_first_round_creates_all_certificates() -> None:
    """
    From empty Secrets and caBundles one round leads to an authority, a leaf, and trust in it, without waiting.
    """
    world = World()

    pause = world.rotators[0].round()

    assert pause == SETTINGS.interval
    assert is_good(world)
    assert world.trusts_alone()


def test_an_idle_rotator_writes_nothing() -> None:
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
def test_each_damage_of_a_secret_is_repaired_in_ten_seconds_of_its_clock(secret: str, kind: str) -> None:
    """
    After any damage of a Secret, all certificates are valid within 10 s, and the leaf is always trusted.
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
def test_each_damage_of_a_bundle_is_repaired_in_one_round(kind: str) -> None:
    """
    After any damage of a caBundle, API servers trust the unchanged leaf after one round.
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
    The served leaf is trusted again first, from the ``ca.crt`` beside it. Then all certificates are renewed.
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
def test_a_jump_of_the_clock_is_repaired_in_ten_seconds_of_its_clock(jump: timedelta) -> None:
    """
    Forward or back, by a day or by years, valid certificates exist within 10 s.
    """
    world = World().healthy()
    began = world.clock.monotonic()

    world.clock.wall += jump
    world.clock.advance(SETTINGS.interval)
    while not is_good(world):
        world.clock.advance(world.rotators[0].round())

    assert world.clock.monotonic() - began <= 10


def test_no_handshake_fails_within_a_year() -> None:
    """
    With renewals of the leaf and one change of the authority, checked every six hours.
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
def test_the_rotator_waits_for_servers_that_are_later_than_the_settle_times(late: dict[str, timedelta]) -> None:
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
def test_late_servers_fail_if_the_rotator_does_not_check_them(late: dict[str, timedelta]) -> None:
    """
    The test above can fail: with settle times alone, such a late server is refused.
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


def test_a_replica_that_hangs_keeps_the_old_authority_until_its_leaf_expires() -> None:
    """
    API servers refuse an expired leaf, so from then on the old authority is removed.
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


def test_api_servers_are_not_read_after_the_settle_time() -> None:
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
