"""The share of live reads that each namespace has."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from webhook.cluster.http_client import CONNECTIONS
from webhook.surfaces.admission.endpoint import CONFIRMING_THREADS
from webhook.surfaces.admission.read_budget import (
    CHECKING_OF_ONE,
    MAX_WAITING,
    MAX_WAITING_OF_ONE,
    READING_OF_ONE,
    Overloaded,
    ReadBudget,
)

SOON, NEVER = 0.001, 3600.0
AT_ONCE = 3
GUARD = 5
"""Seconds after which a test fails instead of waiting forever."""


def run(work: Coroutine[Any, Any, None]) -> None:
    async def guarded() -> None:
        async with asyncio.timeout(GUARD):
            await work

    asyncio.run(guarded())


async def started(turns: ReadBudget, namespace: str, count: int) -> list[asyncio.Task[None]]:
    """So many reviews that have begun to read or to wait."""
    tasks = [asyncio.create_task(turns.begin(namespace, NEVER)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_one_namespace_reads_for_a_few_reviews_at_a_time() -> None:
    """
    Others of this namespace wait, and take their turns in the order in which they came; other namespaces do not wait.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        tasks = await started(turns, "greedy", AT_ONCE + 2)

        assert [task.done() for task in tasks] == [True] * AT_ONCE + [False, False]
        await turns.begin("modest", SOON)

        turns.end("greedy")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [task.done() for task in tasks[-2:]] == [True, False]
        await stopped(tasks)

    run(scene())


def test_a_review_that_waits_too_long_is_late() -> None:
    """
    It leaves its place, and the turn goes to the next one.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        await started(turns, "greedy", AT_ONCE)

        with pytest.raises(TimeoutError):
            await turns.begin("greedy", SOON)

        (next_one,) = await started(turns, "greedy", 1)
        assert not next_one.done()
        turns.end("greedy")
        await next_one
        assert len(turns) == AT_ONCE

    run(scene())


@pytest.mark.parametrize(
    ("others", "greedy"), [(0, MAX_WAITING_OF_ONE), (MAX_WAITING - MAX_WAITING_OF_ONE, MAX_WAITING_OF_ONE)]
)
def test_one_review_too_many_gets_503(others: int, greedy: int) -> None:
    """
    One namespace has half of all places, so that another one finds a place until all are taken.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        tasks = [task for number in range(others) for task in await started(turns, f"tenant-{number}", 1)]
        tasks += await started(turns, "greedy", greedy)
        assert len(turns) == others + greedy

        with pytest.raises(Overloaded):
            await turns.begin("greedy", NEVER)
        if len(turns) < MAX_WAITING:
            await turns.begin("modest", SOON)
        else:
            with pytest.raises(Overloaded):
                await turns.begin("modest", NEVER)
        await stopped(tasks)

    run(scene())


def test_the_shares_leave_room_for_others() -> None:
    """
    256 reviews may wait; one namespace has half of these places, half of the connections and an eighth of the threads.
    """
    assert (MAX_WAITING, MAX_WAITING_OF_ONE) == (256, 128)
    assert (CHECKING_OF_ONE, READING_OF_ONE) == (CONNECTIONS // 2, CONFIRMING_THREADS // 8)


def test_a_turn_that_comes_as_its_review_gives_up_is_passed_on() -> None:
    """
    No turn is lost when a review is cancelled in the moment in which it gets its turn.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        await started(turns, "greedy", AT_ONCE)
        unlucky, lucky = await started(turns, "greedy", 2)

        turns.end("greedy")
        unlucky.cancel()
        await lucky

        for _ in range(AT_ONCE):
            turns.end("greedy")
        assert len(turns) == 0
        await asyncio.gather(unlucky, return_exceptions=True)

    run(scene())


def test_a_place_is_free_again_after_its_review() -> None:
    """
    However many reviews of one namespace come one after another, or a few at a time, none waits and none is too many.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        for _ in range(MAX_WAITING_OF_ONE + 1):
            for _ in range(AT_ONCE):
                await turns.begin("busy", NEVER)
            for _ in range(AT_ONCE):
                turns.end("busy")
        assert len(turns) == 0

    run(scene())


def test_idle_namespaces_use_no_memory() -> None:
    """
    After reviews that read, that waited and that gave up, the limits are as new.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        tasks = await started(turns, "busy", AT_ONCE + 2)
        with pytest.raises(TimeoutError):
            await turns.begin("busy", SOON)
        for _ in range(AT_ONCE + 2):
            turns.end("busy")
        await asyncio.gather(*tasks)

        assert vars(turns) == vars(ReadBudget(AT_ONCE))

    run(scene())


def test_a_review_that_is_dropped_while_it_waits_passes_no_turn_on() -> None:
    """
    When its coroutine is closed, it never had a turn, so that the reviews before it still wait.
    """

    async def scene() -> None:
        turns = ReadBudget(AT_ONCE)
        tasks = await started(turns, "greedy", AT_ONCE + 1)
        dropped = turns.begin("greedy", NEVER)
        dropped.send(None)

        dropped.close()
        await asyncio.sleep(0)

        assert not tasks[-1].done()
        assert len(turns) == AT_ONCE + 1
        await stopped(tasks)

    run(scene())
