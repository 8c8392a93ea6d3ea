"""An API server that cannot be reached gives one log line for each retry period, and readiness says why."""

import asyncio
import logging
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from tests.cluster.fake_apiserver import FakeTransport
from tests.cluster.test_refusals import QUICK
from tests.waiting import wait_until
from webhook.cluster.facts import WATCHED, ClusterFacts
from webhook.cluster.interruptions import Interruptions
from webhook.errors import Unavailable
from webhook.serve.health import Health

REFUSED = "no response from the API server (connection refused)"


def unreachable(*_: object) -> Any:
    raise Unavailable(REFUSED, remedy="Migratable retries.")


def test_a_period_has_one_line_for_each_problem(caplog: pytest.LogCaptureFixture) -> None:
    """
    The first failure is logged at once. The next line names all kinds that failed since.
    """
    times = [0.0]
    interruptions = Interruptions(8.0, lambda: times[-1])

    for now in (0.0, 1.0, 7.9, 8.0, 9.0):
        times.append(now)
        interruptions.failed("Node", REFUSED, 0.5)
        interruptions.failed("KubeVirt", REFUSED, 0.5)
    interruptions.failed("Node", "the API server returned HTTP 500", 0.5)

    said = [(vars(record)["kind"], vars(record)["problem"]) for record in caplog.records]
    assert said == [
        ("Node", REFUSED),
        ("KubeVirt, Node", REFUSED),
        ("Node", "the API server returned HTTP 500"),
    ]


def test_an_unreachable_api_server_gives_one_line_and_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    """
    All watches share the line. ``/readyz`` names the kinds that are not listed yet, and the problem.
    """
    transport = FakeTransport(unreachable)
    caplog.set_level(logging.WARNING, "migratable.cluster")

    facts = ClusterFacts(pace=QUICK, clock=lambda: 0.0)
    facts.start(transport=transport)
    wait_until(lambda: len(transport.asked) > 10 * len(WATCHED), 60, "retries of all kinds")
    status, body = ask(Health(lambda: facts.ready, CollectorRegistry(), lambda: facts.unread))
    facts.stop()

    assert [record.getMessage() for record in caplog.records] == ["watch interrupted"]
    assert status == 503
    assert body.startswith("not ready: not listed yet: KubeVirt, MigrationPolicy, ")
    assert body.endswith(f". Problem: {REFUSED}\n")


def ask(health: Health) -> tuple[int, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    asyncio.run(health({"type": "http", "path": "/readyz", "method": "GET"}, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()
