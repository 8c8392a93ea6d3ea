"""Every response comes before the caller's timeout, and no request passes because a response was late."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.surfaces.admission.reviews import claim, on_claim, read, review, vm
from tests.surfaces.admission.test_endpoint import door, response
from tests.surfaces.admission.test_large import SECONDS, Holding, large, posted
from tests.surfaces.asgi import Answer, call
from webhook.check.check import ReleaseChoice
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Action, Policy
from webhook.serve.manifest_facts import ManifestSource
from webhook.surfaces.admission.endpoint import LEAST_SECONDS, ActiveConfiguration
from webhook.surfaces.admission.http import ANSWER_MARGIN, seconds_allowed
from webhook.surfaces.admission.read_budget import READING_OF_ONE
from webhook.surfaces.admission.responses import MAX_WARNING, NOT_CONFIRMED
from webhook.surfaces.admission.validate import Outcome

BAD, GOOD = claim("os", "ReadWriteOnce"), claim("os", "ReadWriteMany")
CREATION = review("CREATE", vm(volumes=[on_claim("os")]))
UNCHANGED = review("UPDATE", vm(volumes=[on_claim("os")]), vm(volumes=[on_claim("os")]))


def world(*known: dict[str, Any]) -> World:
    return ObjectsWorld([read(manifest) for manifest in known])


class Cluster(ManifestSource):
    """A cluster whose cache holds some objects and which is too late to confirm them; what is known for sure is `sure`."""

    def __init__(self, cached: World, sure: World, *, hangs: bool = False) -> None:
        super().__init__([])
        self._cached, self._sure = cached, sure
        self.over = threading.Event()
        self.seconds_left: list[float] = []
        if not hangs:
            self.over.set()

    def world(self) -> World:
        return self._cached

    def late(self, world: World) -> World:
        return self._sure

    def needs_confirmation(self, _world: World, _outcome: Outcome) -> bool:
        return True

    async def is_unchanged(self, _world: World, _outcome: Outcome, seconds: float) -> bool:
        self.seconds_left.append(seconds)
        return False

    def confirm(self, _world: World, _cached: Outcome, decide: Callable[[World], Outcome], seconds: float) -> Outcome:
        self.seconds_left.append(seconds)
        self.over.wait(SECONDS)
        return replace(decide(self._sure), late=True)


def post(facts: ManifestSource, body: bytes = CREATION, query: str = "timeout=5s", **more: Any) -> Answer:
    return call(door(facts, **more), "POST", "/validate", body, [("content-type", "application/json")], query)


@contextmanager
def hanging(facts: Cluster) -> Iterator[Cluster]:
    """Its live reads hang until the block ends."""
    try:
        yield facts
    finally:
        facts.over.set()


def under(most: Action) -> Callable[[], ActiveConfiguration]:
    return lambda: ActiveConfiguration(
        Policy(at_most=most), ReleaseChoice(only(NEWEST), str(NEWEST)), "kubevirt", "2026-01-01"
    )


def test_an_allow_that_depends_on_an_unread_object_is_late() -> None:
    """
    503 with Retry-After: the API server repeats the call within its timeout, then the webhook's failurePolicy decides.
    """
    answer = post(Cluster(world(GOOD), world()))

    assert (answer.status, answer.header("retry-after")) == (503, "1")


def test_a_late_denial_by_known_facts_is_kept() -> None:
    """
    The denial names its causes, and a warning says that it is not confirmed.
    """
    said = response(post(Cluster(world(BAD), world(BAD))))

    assert not said["allowed"]
    assert [cause["field"] for cause in said["status"]["details"]["causes"]] == ["spec.template.spec.volumes[0]"]
    assert NOT_CONFIRMED in said["warnings"]
    assert len(NOT_CONFIRMED) <= MAX_WARNING


@pytest.mark.parametrize("most", [Action.WARN, Action.AUDIT])
def test_lateness_denies_nothing_under_a_policy_that_only_warns(most: Action) -> None:
    """
    Under `atMost: warn` no request could have been denied, so it passes, late or not.
    """
    assert response(post(Cluster(world(GOOD), world()), configuration=under(most)))["allowed"]


ADDED = {"name": "hot", "volumeSource": {"persistentVolumeClaim": {"claimName": "os", "hotpluggable": True}}}
REQUESTED = vm(status={"created": True, "volumeRequests": [{"addVolumeOptions": ADDED}]})
PLUGGING = review("UPDATE", REQUESTED, vm(status={"created": True}), sub_resource="status")


@pytest.mark.parametrize(("most", "status"), [(Action.WARN, 200), (Action.AUDIT, 200), (Action.DENY, 503)])
def test_a_late_volume_request_gets_a_verdict_unless_the_policy_can_deny_it(most: Action, status: int) -> None:
    """
    Under `hotplug: warn`, the default, a volume request cannot be denied, so a late one passes.
    """
    policy = ActiveConfiguration(
        Policy(hotplug=most), ReleaseChoice(only(NEWEST), str(NEWEST)), "kubevirt", "2026-01-01"
    )

    assert post(Cluster(world(GOOD), world()), PLUGGING, configuration=lambda: policy).status == status


def test_a_never_blocked_request_reads_nothing() -> None:
    """
    An update that leaves the judged part as it is passes at once, though its claim is bad and cannot be confirmed.
    """
    facts = Cluster(world(BAD), world(BAD))

    assert response(post(facts, UNCHANGED))["allowed"]
    assert facts.seconds_left == []


@pytest.mark.parametrize(("cached", "status"), [(BAD, 200), (GOOD, 503)])
def test_an_answer_does_not_wait_for_reads_that_hang(cached: dict[str, Any], status: int) -> None:
    """
    The review is answered by what is known for sure when its time is over, while a thread still waits.
    """
    with hanging(Cluster(world(cached), world(BAD) if cached is BAD else world(), hangs=True)) as facts:
        answer = post(facts, query=f"timeout={ANSWER_MARGIN + 0.1}s")

    assert answer.status == status
    assert status == 503 or not response(answer)["allowed"]


def test_a_review_that_gets_no_turn_in_time_is_late() -> None:
    """
    While reads for its namespace hang, a further review is answered by what is known for sure; threads are not taken for it.
    """

    async def crowd(facts: Cluster) -> list[Answer]:
        to = door(facts)
        query = f"timeout={ANSWER_MARGIN + 0.2}s"
        many = [posted(to, CREATION, query=query) for _ in range(READING_OF_ONE + 3)]
        answers = await asyncio.gather(*many)
        facts.over.set()
        return list(answers)

    with hanging(Cluster(world(BAD), world(BAD), hangs=True)) as facts:
        answers = asyncio.run(crowd(facts))

    assert {response(answer)["allowed"] for answer in answers} == {False}
    assert len(facts.seconds_left) == (READING_OF_ONE + 3) + READING_OF_ONE  # each was checked, few got a thread


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        (b"timeout=5s", 4.5),
        (b"timeout=1s", 0.5),
        (b"timeout=60s", 59.5),
        (b"timeout=61s", 9.5),
        (b"timeout=1e9s", 9.5),
        (b"timeout=infs", 9.5),
        (b"timeout=nans", 9.5),
        (b"timeout=0s", 9.5),
        (b"timeout=-1s", 9.5),
        (b"timeout=soon", 9.5),
        (b"", 9.5),
    ],
)
def test_half_a_second_of_the_callers_timeout_is_kept_for_the_answer_to_arrive(query: bytes, seconds: float) -> None:
    """
    API servers wait 60 s at most, and 10 s where they do not say; no caller binds a thread for longer.
    """
    assert seconds_allowed(query) == seconds


def test_the_cache_check_gets_a_third_of_the_time_and_the_reads_what_is_left() -> None:
    """
    Of 4.5 s the look whether the cache still holds takes 1.5 at most; the reads then have all that is left.
    """
    facts = Cluster(world(GOOD), world())
    to = door(facts)
    to.clock = lambda: 100.0

    call(to, "POST", "/validate", CREATION, [("content-type", "application/json")], "timeout=5s")

    assert facts.seconds_left == [pytest.approx(1.5), pytest.approx(4.5)]


def test_a_caller_whose_timeout_is_over_gets_the_least_time() -> None:
    """
    Reads get a twentieth of a second where nothing is left.
    """
    facts = Cluster(world(GOOD), world())

    post(facts, query="timeout=0.1s")

    assert facts.seconds_left == [pytest.approx(LEAST_SECONDS / 3), LEAST_SECONDS]
    assert LEAST_SECONDS == 0.05


def test_a_large_review_that_waits_for_longer_than_its_caller_is_not_judged() -> None:
    """
    It is answered 503 in time, and leaves the queue; what is judged already comes to its end.
    """
    facts = Holding()
    to = door(facts)
    query = f"timeout={ANSWER_MARGIN + 0.1}s"

    async def crowd() -> list[Answer]:
        first = asyncio.create_task(posted(to, large(volumes=[on_claim("os")]), query="timeout=60s"))
        await asyncio.to_thread(facts.held.asked.wait, SECONDS)
        waiting = await asyncio.gather(
            *(posted(to, large("other", volumes=[on_claim("os")]), query=query) for _ in range(3))
        )
        facts.held.may_answer.set()
        return [await first, *waiting]

    answers = asyncio.run(crowd())

    assert [answer.status for answer in answers] == [200, 503, 503, 503]
    assert {answer.header("retry-after") for answer in answers[1:]} == {"1"}
    assert not to.large
    to.large_executor.submit(int).result(SECONDS)  # whatever was in the queue has left it
    assert facts.held.finds == 1


def test_a_large_review_whose_caller_has_gone_is_not_judged() -> None:
    """
    A caller that hangs up frees its place in the queue at once.
    """
    facts = Holding()
    to = door(facts)

    async def scene() -> bool:
        first = asyncio.create_task(posted(to, large(volumes=[on_claim("os")])))
        await asyncio.to_thread(facts.held.asked.wait, SECONDS)
        incoming = [{"type": "http.request", "body": large("gone")}, {"type": "http.disconnect"}]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await to(
            {"type": "http", "path": "/validate", "method": "POST", "headers": [], "query_string": b""}, receive, send
        )
        left = to.large["gone"] == 0 and not sent
        facts.held.may_answer.set()
        await first
        return left

    assert asyncio.run(scene())
