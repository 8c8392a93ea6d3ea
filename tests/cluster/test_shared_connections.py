"""Concurrent small reads on the event loop, with a real socket: shared connections, and calls that wait or give up."""

import asyncio
import threading
from contextlib import suppress
from unittest.mock import Mock

import pytest

from tests.cluster.http_apiserver import CLAIM, Handler, Server, hang
from tests.cluster.small_reads import OTHER, SECONDS, both, run
from webhook.cluster.http_client import AT_ONCE, MAX_BYTES, HttpReader
from webhook.cluster.kubernetes_client import KubernetesTransport
from webhook.cluster.ports import Answer, Get
from webhook.errors import Unavailable


def test_a_response_waits_only_shortly_for_the_responses_behind_it(
    server: Server, transport: KubernetesTransport
) -> None:
    """
    A slow response of another review must not delay a review until its deadline (docs/decisions/0041).
    """
    slow = [Get(CLAIM + f"-slow{number}", "application/json") for number in range(2)]
    ended = []

    def tell(handler: Handler) -> None:
        if "slow" in handler.path:
            hang(handler)
            ended.append(handler.path)
        handler.plain(200, {})

    server.answer = tell

    async def one_first(reads: HttpReader) -> None:
        await both(reads, SECONDS)  # after this, the size of responses is known
        quick, others = both(reads), asyncio.ensure_future(reads.get_all(slow, SECONDS))
        await quick
        assert ended == []
        server.released.set()
        await others

    run(transport, one_first)


def test_the_number_of_connections_is_limited(server: Server, transport: KubernetesTransport) -> None:
    """
    A read without a free connection waits for one until its deadline.
    """
    server.answer = hang

    async def two(reads: HttpReader) -> int:
        outcomes = await asyncio.gather(both(reads, 1.5), both(reads, 0.2), return_exceptions=True)
        return sum(isinstance(outcome, Unavailable) for outcome in outcomes)

    assert run(transport, two, connections=1) == 2
    assert len(server.requests) == 1


def test_concurrent_calls_share_a_connection_and_ask_once(server: Server, transport: KubernetesTransport) -> None:
    """
    Three calls need two objects. Each object is requested once, and a later call requests it again.
    """
    places = set()

    def tell(handler: Handler) -> None:
        places.add(handler.client_address)
        handler.plain(200, {"path": handler.path})

    server.answer = tell

    async def together(reads: HttpReader) -> list[list[Answer]]:
        together = await asyncio.gather(both(reads), both(reads), reads.get_all([Get(OTHER, "text/x")], SECONDS))
        return [*together, await both(reads)]

    claim, other = (Answer(200, b'{"path": "%s"}' % path.encode()) for path in (CLAIM, OTHER))
    assert run(transport, together) == [[claim, other], [claim, other], [other], [claim, other]]
    assert server.requests == [CLAIM, OTHER] * 2
    assert len(places) == 1


def test_a_call_is_not_answered_by_a_request_that_was_sent_before(
    server: Server, transport: KubernetesTransport
) -> None:
    """
    The object can have changed since. The call waits, and its own request is sent.
    """
    number = 0

    def count(handler: Handler) -> None:
        nonlocal number
        number += 1
        asked.set()
        server.released.wait(SECONDS)
        handler.plain(200, {"number": number})

    server.answer, asked = count, threading.Event()

    async def one_after_another(reads: HttpReader) -> list[Answer]:
        one = [Get(CLAIM, "application/json")]
        first = asyncio.ensure_future(reads.get_all(one, SECONDS))
        await asyncio.to_thread(asked.wait, SECONDS)
        second = asyncio.ensure_future(reads.get_all(one, SECONDS))
        await asyncio.sleep(0)
        server.released.set()
        return [*await first, *await second]

    assert [answer.body for answer in run(transport, one_after_another, 1)] == [b'{"number": 1}', b'{"number": 2}']


def test_a_slow_response_does_not_delay_other_calls(server: Server, transport: KubernetesTransport) -> None:
    """
    After a moment another connection is opened, although one response is still missing.
    """

    def one_hangs(handler: Handler) -> None:
        if handler.path == CLAIM:
            asked.set()
            server.released.wait(SECONDS)
        handler.plain(200, {"path": handler.path})

    server.answer, asked = one_hangs, threading.Event()

    async def past(reads: HttpReader) -> list[Answer]:
        slow = asyncio.ensure_future(reads.get_all([Get(CLAIM, "application/json")], SECONDS))
        await asyncio.to_thread(asked.wait, SECONDS)
        answers = await reads.get_all([Get(OTHER, "application/json")], SECONDS)
        assert not slow.done()
        server.released.set()
        return [*answers, *await slow]

    assert [answer.status for answer in run(transport, past)] == [200, 200]


def test_a_small_call_does_not_wait_for_large_ones(server: Server, transport: KubernetesTransport) -> None:
    """
    Two large calls were first. The small one is in the first batch, and the large ones have the rest of it.
    """
    server.answer = lambda handler: handler.plain(200, {"path": handler.path})
    large = [[Get(f"{CLAIM}{letter}{number}", "x") for number in range(AT_ONCE)] for letter in "ab"]

    async def three(reads: HttpReader) -> list[list[Answer]]:
        calls = [reads.get_all(gets, SECONDS) for gets in (*large, [Get(OTHER, "x")])]
        return await asyncio.gather(*calls)

    answers = run(transport, three, 1)

    assert [answer.body for answer in answers[2]] == [b'{"path": "%s"}' % OTHER.encode()]
    assert [len(one) for one in answers] == [AT_ONCE, AT_ONCE, 1]
    assert server.requests.index(OTHER) < AT_ONCE
    assert server.requests[1:AT_ONCE] == [get.path for get in large[0][: AT_ONCE - 1]]


def test_a_call_that_gives_up_does_not_end_the_read_of_another(server: Server, transport: KubernetesTransport) -> None:
    """
    Both need the same response; it arrives after the deadline of the first.
    """

    def late(handler: Handler) -> None:
        server.released.wait(SECONDS)
        handler.plain(200, {})

    server.answer = late

    async def two(reads: HttpReader) -> list[Answer]:
        one = [Get(CLAIM, "application/json")]
        patient = asyncio.ensure_future(reads.get_all(one, SECONDS))
        with pytest.raises(Unavailable):
            await reads.get_all(one, 0.05)
        server.released.set()
        return await patient

    assert run(transport, two) == [Answer(200, b"{}")]
    assert server.requests == [CLAIM]


def test_a_connection_ends_when_no_call_needs_its_other_responses(
    server: Server, transport: KubernetesTransport
) -> None:
    """
    The patient call gets its response before one that only the impatient call needed, and that may never arrive.
    """

    def tell(handler: Handler) -> None:
        if handler.path == CLAIM:
            asked.set()
            server.released.wait(SECONDS)
            handler.plain(200, {})
        else:
            with suppress(OSError):
                handler.connection.recv(1)  # until the client ends the connection
            handler.close_connection = True
            ended.set()

    server.answer = tell
    asked, ended = threading.Event(), threading.Event()

    async def two(reads: HttpReader) -> list[Answer]:
        impatient = asyncio.ensure_future(both(reads))
        patient = asyncio.ensure_future(reads.get_all([Get(CLAIM, "application/json")], SECONDS))
        await asyncio.to_thread(asked.wait, SECONDS)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        server.released.set()
        answers = await patient
        assert await asyncio.to_thread(ended.wait, SECONDS), "the connection is kept"
        return answers

    assert run(transport, two) == [Answer(200, b"{}")]


def test_no_connection_is_opened_for_requests_that_no_call_needs(
    server: Server, transport: KubernetesTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The second call waits for the only connection. Both calls give up, which ends this connection.
    """
    asked = threading.Event()

    def tell(handler: Handler) -> None:
        asked.set()
        hang(handler)

    server.answer = tell

    async def two(reads: HttpReader) -> int:
        loop = asyncio.get_running_loop()
        opened = Mock(wraps=loop.create_connection)
        monkeypatch.setattr(loop, "create_connection", opened)
        first = asyncio.ensure_future(reads.get_all([Get(CLAIM, "application/json")], SECONDS))
        await asyncio.to_thread(asked.wait, SECONDS)
        second = asyncio.ensure_future(reads.get_all([Get(OTHER, "application/json")], SECONDS))
        await asyncio.sleep(0)
        for call in (second, first):
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        for _ in range(10):
            await asyncio.sleep(0)
        return opened.call_count

    assert run(transport, two, connections=1) == 1


def test_a_large_response_fails_only_its_own_call(server: Server, transport: KubernetesTransport) -> None:
    """
    Other calls of the same connection are answered on another one.
    """

    def one_is_large(handler: Handler) -> None:
        handler.plain(200, b"x" * (MAX_BYTES + 1) if handler.path == OTHER else b"{}")

    server.answer = one_is_large

    async def three(reads: HttpReader) -> list[object]:
        small = [Get(CLAIM, "application/json")]
        calls = [reads.get_all([Get(path, "application/json")], SECONDS) for path in (CLAIM, OTHER, f"{CLAIM}3")]
        return [await reads.get_all(small, SECONDS), *await asyncio.gather(*calls, return_exceptions=True)]

    first, claim, other, third = run(transport, three)

    assert first == claim == third == [Answer(200, b"{}")]
    assert isinstance(other, Unavailable)
