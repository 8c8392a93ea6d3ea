"""Access reviews that hang: pages get 503 in time, and few wait."""

import asyncio
import threading
from collections.abc import Iterator, Mapping

import pytest

from tests.surfaces.api.console.visiting import BROWSER, Cluster, Pages, get, server
from webhook.cluster.access_reviews import User
from webhook.errors import Unavailable
from webhook.surfaces.api.console import sight
from webhook.surfaces.api.console.sight import AT_ONCE, MOST_CALLERS, Sights


class Hanging(Cluster):
    """An API server that answers access reviews only after ``released``."""

    def __init__(self) -> None:
        super().__init__({f"t{number}": f"user-{number}" for number in range(MOST_CALLERS + 1)}, {})
        self.released = threading.Event()
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    def may(self, user: User, attributes: Mapping[str, str], timeout_seconds: float) -> bool:
        with self._lock:
            self.running += 1
            self.most_running = max(self.running, self.most_running)
        self.released.wait(30)
        with self._lock:
            self.running -= 1
        return super().may(user, attributes, timeout_seconds)


@pytest.fixture
def cluster() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.released.set()


def test_reviews_that_take_too_long_give_503(cluster: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The page says what to do.
    """
    monkeypatch.setattr(sight, "TOTAL_SECONDS", 0.1)

    page = get(server(Pages("shop"), cluster), "/fleet", BROWSER, ("cookie", "__Host-migratable=t0"))

    assert page.status == 503
    assert "The API server did not answer the access reviews in time." in page.text


def test_few_callers_wait_and_few_reviews_run(cluster: Hanging) -> None:
    """
    A further caller gets 503 at once. The threads are not those of admission.
    """
    sights = Sights(cluster)

    async def ask() -> list[BaseException | object]:
        tasks = [
            asyncio.create_task(sights.sight(f"t{number}", Pages("shop").namespaces))
            for number in range(MOST_CALLERS + 1)
        ]
        await asyncio.wait([tasks[-1]])
        assert await asyncio.to_thread(lambda: "the default threads are free")
        cluster.released.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    answers = asyncio.run(ask())

    assert isinstance(answers[-1], Unavailable)
    assert [answer for answer in answers[:-1] if isinstance(answer, Unavailable)] == []
    assert cluster.most_running <= AT_ONCE
