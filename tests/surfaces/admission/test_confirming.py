"""Live reads: when they are needed, which result counts, and that turns and threads are released."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.surfaces.admission.reviews import claim, on_claim, review, vm
from tests.surfaces.admission.test_endpoint import door, response
from tests.surfaces.admission.test_large import SECONDS, posted
from tests.surfaces.admission.test_timed_out import Cluster, post, world
from webhook.facts.world import World
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.admission.http import ANSWER_MARGIN
from webhook.surfaces.admission.read_budget import Overloaded, ReadBudget
from webhook.surfaces.admission.responses import NOT_CONFIRMED
from webhook.surfaces.admission.validate import Outcome

BAD, GOOD = claim("os", "ReadWriteOnce"), claim("os", "ReadWriteMany")
CREATION = review("CREATE", vm(volumes=[on_claim("os")]))
SOON = f"timeout={ANSWER_MARGIN + 0.1}s"


class InTime(Cluster):
    """A cluster that is read in time; `holds` says whether the cache is found to be right."""

    def __init__(self, cached: World, sure: World, *, holds: bool = False, needed: bool = True) -> None:
        super().__init__(cached, sure)
        self.holds, self.needed = holds, needed
        self.steps: list[str] = []

    def needs_confirmation(self, _world: World, _outcome: Outcome) -> bool:
        return self.needed

    async def is_unchanged(self, _world: World, _outcome: Outcome, _seconds: float) -> bool:
        self.steps.append("check")
        return self.holds

    def confirm(self, _world: World, _cached: Outcome, decide: Callable[[World], Outcome], _seconds: float) -> Outcome:
        self.steps.append(threading.current_thread().name.partition("_")[0])
        return decide(self._sure)


class Failing(Cluster):
    """A cluster whose live reads fail, late."""

    def confirm(self, *_: Any) -> Outcome:
        self.over.wait(SECONDS)
        raise OSError("refused")


class Full(ReadBudget):
    """No place is left."""

    async def begin(self, namespace: str, within_seconds: float) -> None:
        raise Overloaded


def free(to: AdmissionApp) -> bool:
    """Whether no review holds a turn."""
    return (len(to.checking), len(to.reading)) == (0, 0)


@pytest.mark.parametrize(
    ("needed", "holds", "steps"),
    [(False, False, []), (True, True, ["check"]), (True, False, ["check", "confirming"])],
    ids=["no confirmation needed", "the cache is right", "read live"],
)
def test_an_outcome_is_confirmed_as_far_as_needed(needed: bool, holds: bool, steps: list[str]) -> None:
    """
    The cache decides unless it must be confirmed and is not right; then objects are read live, in a thread of that name.
    """
    read_live = needed and not holds
    facts = InTime(world(GOOD if read_live else BAD), world(BAD if read_live else GOOD), holds=holds, needed=needed)
    to = door(facts)

    said = response(asyncio.run(posted(to, CREATION, query="timeout=5s")))

    assert not said["allowed"]
    assert "warnings" not in said
    assert facts.steps == steps
    assert free(to)


def test_an_allow_that_live_reads_confirm_is_given() -> None:
    """
    A request that was read in time passes without a warning.
    """
    said = response(post(InTime(world(BAD), world(GOOD))))

    assert (said["allowed"], said.get("warnings")) == (True, None)


def test_turns_are_released_after_an_error() -> None:
    """
    Live reads that fail take no place from later reviews.
    """
    to = door(Failing(world(GOOD), world()))

    assert response(asyncio.run(posted(to, CREATION)))["auditAnnotations"]["internal"] == "OSError"
    assert free(to)


def test_a_read_that_outlasts_its_review_keeps_its_turn_and_is_no_error() -> None:
    """
    The thread still counts while it reads, and nothing is logged of how the read ends.
    """
    facts = Failing(world(GOOD), world(), hangs=True)
    to = door(facts)
    problems: list[Any] = []

    async def scene() -> tuple[int, int]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        answer = await posted(to, CREATION, query=SOON)
        reading = len(to.reading)
        facts.over.set()
        async with asyncio.timeout(SECONDS):
            while not free(to):
                await asyncio.to_thread(time.sleep, 0)
        gc.collect()
        return answer.status, reading

    assert asyncio.run(scene()) == (503, 1)
    assert problems == []


@pytest.mark.parametrize("turns", ["checking", "reading"])
def test_a_review_beyond_the_share_gets_503(turns: str) -> None:
    """
    503 with Retry-After where too many wait to check cached facts or to read live.
    """
    answer = post(Cluster(world(GOOD), world()), **{turns: Full(1)})

    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert answer.text == "too many reviews are being judged\n"


def test_a_late_review_closes_the_connection_of_a_draining_server() -> None:
    """
    The API server then repeats the call at another replica.
    """
    answer = post(Cluster(world(GOOD), world()), draining=lambda: True)

    assert (answer.status, answer.header("connection")) == (503, "close")


def test_a_late_request_that_passes_gets_no_warning_about_a_denial() -> None:
    """
    Under `hotplug: warn`, the default, a late volume request is allowed, so there is no denial to confirm.
    """
    source = {"name": "hot", "volumeSource": {"persistentVolumeClaim": {"claimName": "os"}}}
    requested = vm(status={"created": True, "volumeRequests": [{"addVolumeOptions": source}]})
    plugging = review("UPDATE", requested, vm(status={"created": True}), sub_resource="status")

    said = response(post(Cluster(world(BAD), world(BAD)), plugging))

    assert said["allowed"]
    assert said["warnings"]
    assert NOT_CONFIRMED not in said["warnings"]
