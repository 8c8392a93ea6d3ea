"""An overloaded server sheds a review before it reads and judges it."""

import asyncio
import json
from typing import Any

import pytest

from tests.surfaces.admission.reviews import review, vm
from tests.surfaces.admission.test_endpoint import door
from tests.surfaces.asgi import calling
from webhook.serve.manifest_facts import ManifestSource
from webhook.surfaces.admission import endpoint
from webhook.surfaces.admission.read_budget import MAX_WAITING, MAX_WAITING_OF_ONE
from webhook.surfaces.admission.requests import read_review

NEVER = 3600.0
BODY = review("CREATE", vm(volumes=[]))
NAMESPACE = json.loads(BODY)["request"]["namespace"]


async def status_beside(waiting: dict[str, int], path: str = "/validate") -> int:
    """The HTTP status of one small review while others, counted by namespace, wait for live reads."""
    to = door(ManifestSource([]))
    tasks = [
        asyncio.create_task(to.checking.begin(namespace, NEVER))
        for namespace, count in waiting.items()
        for _ in range(count)
    ]
    await asyncio.sleep(0)
    answer = await calling(to, "POST", path, [BODY], [("content-type", "application/json")])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return answer.status


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that the endpoint reads."""
    bodies: list[bytes] = []
    read = read_review

    def noted(body: bytes) -> Any:
        bodies.append(body)
        return read(body)

    monkeypatch.setattr(endpoint, "read_review", noted)
    return bodies


@pytest.mark.parametrize(
    "waiting", [{NAMESPACE: MAX_WAITING_OF_ONE}, {f"tenant-{n}": MAX_WAITING // 4 for n in range(4)}]
)
def test_a_review_too_many_is_shed_unread(waiting: dict[str, int], reads: list[bytes]) -> None:
    """
    The response is 503, both where the namespace has used its share and where the server is full.
    """
    assert asyncio.run(status_beside(waiting)) == 503
    assert reads == []


@pytest.mark.parametrize("waiting", [{NAMESPACE: MAX_WAITING_OF_ONE - 1}, {"other": MAX_WAITING_OF_ONE}])
def test_a_review_within_its_share_is_judged(waiting: dict[str, int], reads: list[bytes]) -> None:
    """
    Other namespaces do not use up the share of a namespace.
    """
    assert asyncio.run(status_beside(waiting)) == 200
    assert reads == [BODY]


def test_defaults_are_filled_in_beside_a_full_server(reads: list[bytes]) -> None:
    """
    The defaulting webhook waits for no live reads of the namespace, so it sheds nothing.
    """
    assert asyncio.run(status_beside({NAMESPACE: MAX_WAITING_OF_ONE}, "/mutate")) == 200
    assert reads == [BODY]
