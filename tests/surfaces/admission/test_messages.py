"""The ASGI messages of the admission endpoint, and the entries that it adds to the scope for the listener and for traces."""

import asyncio
from typing import Any

import pytest

from tests.surfaces.admission.test_endpoint import CREATION, UID, door
from webhook.surfaces.admission.endpoint import AdmissionApp


def exchange(to: AdmissionApp, body: bytes, path: str = "/validate", **more: Any) -> tuple[list[Any], dict[str, Any]]:
    """The messages that are sent for a request, and the scope afterwards."""
    scope = {"type": "http", "path": path, "method": "POST", "headers": [], "query_string": b"", **more}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(to(scope, receive, send))
    return sent, scope


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
def test_an_answer_is_one_start_and_one_body(path: str) -> None:
    """
    The start has status and headers, with the length of the body; the body follows whole.
    """
    sent, _ = exchange(door(), CREATION, path)

    body = sent[1]["body"]
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    assert UID.encode() in body
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]


@pytest.mark.parametrize("state", [{}, {"state": {"connection": 7}}], ids=["no state", "state of the listener"])
@pytest.mark.parametrize(("path", "outcome"), [("/validate", "allowed"), ("/mutate", "allowed")])
def test_a_review_leaves_its_outcome_in_the_scope(state: dict[str, Any], path: str, outcome: str) -> None:
    """
    ``known`` keeps the connection open before others; kind, operation and outcome are for the trace.
    """
    _, scope = exchange(door(), CREATION, path, **state)

    review = {"kind": "VirtualMachine", "operation": "CREATE", "outcome": outcome}
    assert scope["state"] == {**state.get("state", {}), "known": True, "review": review}


def test_a_caller_that_sends_no_review_is_not_known() -> None:
    """
    Its connection is the first to be closed when there are too many.
    """
    _, scope = exchange(door(), b"{", state={})

    assert scope["state"] == {}


def test_an_event_that_is_no_request_is_ignored() -> None:
    """
    The server of the listener starts and stops the application; neither gets an answer.
    """
    assert exchange(door(), b"", type="lifespan")[0] == []
