"""Replies without ASGI are the replies through ASGI."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.surfaces.admission.reviews import claim
from tests.surfaces.admission.test_confirming import InTime
from tests.surfaces.admission.test_endpoint import CAPTURED, CREATION, door, post
from tests.surfaces.admission.test_timed_out import world
from webhook.serve.direct import MAX_DIRECT
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.endpoint import LARGE
from webhook.surfaces.asgi import Reply

QUERY = b"timeout=10s"


@pytest.mark.parametrize("path", ["/validate", LATE_DENIES, "/mutate"])
@pytest.mark.parametrize("file", CAPTURED, ids=lambda file: file.stem)
def test_a_direct_reply_is_the_reply_through_asgi(file: Path, path: str) -> None:
    """
    For each captured review and each webhook, all bytes are the same.
    """
    to, body = door(), file.read_bytes()

    reply = to.answer_directly(path, QUERY, body, time.monotonic())

    assert isinstance(reply, Reply)
    through_asgi = post(to, body, path)
    assert (reply.status, reply.body) == (through_asgi.status, through_asgi.body)
    assert [through_asgi.header(name.decode()) for name, _ in reply.headers] == [
        value.decode() for _, value in reply.headers
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 10_000])
def test_a_bad_review_gets_the_same_refusal(body: bytes) -> None:
    """
    No review, no mark of an API server.
    """
    to = door()

    reply = to.answer_directly("/validate", QUERY, body, time.monotonic())

    assert isinstance(reply, Reply)
    assert (reply.status, reply.review, reply.body) == (400, None, post(to, body).body)


def test_a_review_that_needs_live_reads_waits_in_a_coroutine() -> None:
    """
    Only such a review needs a task.
    """
    good = world(claim("os", "ReadWriteMany"))

    waiting = door(InTime(good, good, holds=True)).answer_directly("/validate", QUERY, CREATION, time.monotonic())
    at_once = door(InTime(good, good, needed=False)).answer_directly("/validate", QUERY, CREATION, time.monotonic())

    assert not isinstance(waiting, Reply)
    assert asyncio.run(waiting) == at_once


def test_a_draining_or_unknown_path_is_not_answered_directly() -> None:
    """
    The end of a connection, and errors before the body, go through ASGI.
    """
    paths = ("/validate", LATE_DENIES, "/mutate", "/", "/validate/")

    assert [door().takes_directly(path) for path in paths] == [True, True, True, False, False]
    assert not door(draining=lambda: True).takes_directly("/validate")


def test_a_large_review_is_not_reached_directly() -> None:
    """
    The listener passes bodies of up to 64 KiB, which are judged on the event loop in both ways.
    """
    assert MAX_DIRECT <= LARGE
