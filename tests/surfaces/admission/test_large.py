"""Large reviews are judged like any other, and other reviews do not wait for them."""

import asyncio
import json
import threading
from typing import Any

import pytest

from tests.surfaces.admission.reviews import on_claim, review, vm
from tests.surfaces.admission.test_endpoint import door, response
from tests.surfaces.asgi import Answer, calling
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Found
from webhook.facts.world import World
from webhook.objects.storage import PersistentVolumeClaim
from webhook.serve.manifest_facts import ManifestSource
from webhook.surfaces.admission.endpoint import LARGE, MAX_LARGE, MAX_LARGE_OF_ONE, AdmissionApp

SECONDS = 300
"""A deadline that only a hang reaches."""
SMALL = review("CREATE", vm(volumes=[]))


class Held(ObjectsWorld):
    """A world that says nothing about claims until it may: a judgement that takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.finds = 0
        self.threads: set[str] = set()

    def find(self, kind: type[Any], namespace: str, name: str) -> Found[Any]:
        if kind is PersistentVolumeClaim:
            self.finds += 1
            self.threads.add(threading.current_thread().name)
            self.asked.set()
            self.may_answer.wait(SECONDS)
        return super().find(kind, namespace, name)


class Holding(ManifestSource):
    """Facts of that world."""

    def __init__(self) -> None:
        super().__init__([])
        self.held = Held()

    def world(self) -> World:
        return self.held


def large(namespace: str = "tenant", **more: Any) -> bytes:
    """A creation that is larger than what is judged at once."""
    body: dict[str, Any] = json.loads(review("CREATE", vm(**more)))
    body["request"]["namespace"] = body["request"]["object"]["metadata"]["namespace"] = namespace
    body["request"]["object"]["metadata"]["annotations"] = {"example.com/notes": "a" * LARGE}
    return json.dumps(body).encode()


async def posted(to: AdmissionApp, body: bytes, path: str = "/validate", query: str = "") -> Answer:
    return await calling(to, "POST", path, [body], [("content-type", "application/json")], query)


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
def test_a_small_review_does_not_wait_for_a_large_one(path: str) -> None:
    """
    While a large object is judged, which may take a second, others are answered.
    """
    facts = Holding()
    to = door(facts)

    async def both() -> tuple[Answer, bool, Answer]:
        waiting = asyncio.create_task(posted(to, large(volumes=[on_claim("os")]), path))
        await asyncio.to_thread(facts.held.asked.wait, SECONDS)
        small = await posted(to, SMALL, path)
        was_waiting = not waiting.done()
        facts.held.may_answer.set()
        return small, was_waiting, await waiting

    small, was_waiting, answer = asyncio.run(both())

    assert response(small)["allowed"]
    assert was_waiting
    assert response(answer)["allowed"]


@pytest.mark.parametrize(
    ("under_way", "one_more"),
    [
        (["greedy"] * MAX_LARGE_OF_ONE, "greedy"),
        (
            ["greedy"] * MAX_LARGE_OF_ONE + [f"tenant-{number}" for number in range(MAX_LARGE - MAX_LARGE_OF_ONE)],
            "late",
        ),
    ],
    ids=["of one namespace", "of all"],
)
def test_one_large_review_too_many_gets_503(under_way: list[str], one_more: str) -> None:
    """
    503 with Retry-After, which API servers repeat by themselves, for large reviews alone; the others get their answers.
    """
    facts = Holding()
    to = door(facts)

    async def crowd() -> tuple[Answer, Answer, list[Answer]]:
        waiting = [
            asyncio.create_task(posted(to, large(namespace, volumes=[on_claim("os")]))) for namespace in under_way
        ]
        await asyncio.to_thread(facts.held.asked.wait, SECONDS)
        refused, small = await posted(to, large(one_more, volumes=[])), await posted(to, SMALL)
        facts.held.may_answer.set()
        return refused, small, list(await asyncio.gather(*waiting))

    refused, small, answers = asyncio.run(crowd())

    assert (refused.status, refused.header("retry-after")) == (503, "1")
    assert response(small)["allowed"]
    assert [response(answer)["allowed"] for answer in answers] == [True] * len(under_way)
    assert asyncio.run(posted(to, large(one_more, volumes=[]))).status == 200
    assert not to.large


def test_a_large_review_is_judged_like_a_small_one() -> None:
    """
    A large object gets the same causes as a small one. An invalid large body gets a 400.
    """
    bad = {"domain": {"devices": {"gpus": [{"name": "g", "deviceName": "example.com/gpu"}]}}}

    answers = [asyncio.run(posted(door(), body)) for body in (review("CREATE", vm(**bad)), large(**bad))]
    unreadable = asyncio.run(posted(door(), b"a" * (LARGE + 1)))

    assert answers[0].json == answers[1].json
    assert not response(answers[1])["allowed"]
    assert unreadable.status == 400


def test_no_namespace_can_use_all_large_reviews() -> None:
    """
    While one namespace has all the places that it may have, a large review from another one is taken.
    """
    facts = Holding()
    to = door(facts)

    async def crowd() -> Answer:
        greedy = [asyncio.create_task(posted(to, large("greedy", volumes=[on_claim("os")]))) for _ in range(MAX_LARGE)]
        await asyncio.to_thread(facts.held.asked.wait, SECONDS)
        other = asyncio.create_task(posted(to, large("modest", volumes=[])))
        await asyncio.sleep(0)
        facts.held.may_answer.set()
        await asyncio.gather(*greedy)
        return await other

    assert response(asyncio.run(crowd()))["allowed"]


@pytest.mark.parametrize(("bytes_", "thread"), [(64 * 1024, "MainThread"), (64 * 1024 + 1, "large_0")])
def test_a_review_of_more_than_64_kib_is_judged_in_a_thread_of_its_own(bytes_: int, thread: str) -> None:
    """
    All others are judged on the event loop, which takes less time.
    """
    facts = Holding()
    facts.held.may_answer.set()
    body = review("CREATE", vm(volumes=[on_claim("os")]))

    answer = asyncio.run(posted(door(facts), body + b" " * (bytes_ - len(body))))

    assert response(answer)["allowed"]
    assert facts.held.threads == {thread}


def test_sixteen_large_reviews_may_be_in_progress() -> None:
    """
    Half of them may be about one namespace.
    """
    assert (MAX_LARGE, MAX_LARGE_OF_ONE) == (16, 8)
