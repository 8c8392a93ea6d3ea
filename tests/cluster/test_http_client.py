"""Small reads on the event loop, with a real socket: kept connections, deadlines, and invalid responses."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from unittest.mock import Mock

import pytest

from tests.cluster.http_apiserver import CLAIM, Handler, Server, cut, drip, hang, hang_up
from webhook.cluster.http_client import AT_ONCE, MAX_BYTES, ConnectionSettings, HttpReader
from webhook.cluster.kubernetes_client import KubernetesTransport, connect
from webhook.cluster.ports import Answer, Get
from webhook.errors import Unavailable

T = TypeVar("T")
OTHER = CLAIM + "2"
SECONDS = 20.0


def run(transport: KubernetesTransport, work: Callable[[HttpReader], Awaitable[T]], connections: int = 4) -> T:
    async def main() -> T:
        settings = transport.connection_settings()
        assert settings is not None
        reads = HttpReader(settings, "migratable/0", connections)
        try:
            return await work(reads)
        finally:
            reads.close()

    return asyncio.run(main())


def both(reads: HttpReader, seconds: float = SECONDS) -> Awaitable[list[Answer]]:
    return reads.get_all([Get(CLAIM, "application/json"), Get(OTHER, "text/x")], seconds)


def test_several_objects_are_read_on_one_kept_connection(server: Server, transport: KubernetesTransport) -> None:
    """
    Each request has its own path and Accept header, and the latest token of the client. Responses keep their order.
    """
    places = set()

    def tell(handler: Handler) -> None:
        places.add(handler.client_address)
        handler.plain(200 if handler.path == CLAIM else 404, {"path": handler.path})

    server.answer = tell
    transport.get("/version", {}, timeout_seconds=SECONDS)
    places.clear()

    async def twice(reads: HttpReader) -> list[list[Answer]]:
        return [await both(reads), await both(reads)]

    first, second = run(transport, twice)

    assert (
        first
        == second
        == [
            Answer(200, b'{"path": "%s"}' % CLAIM.encode()),
            Answer(404, b'{"path": "%s"}' % OTHER.encode()),
        ]
    )
    assert len(places) == 1
    sent = server.headers[-1]
    assert (sent["Accept"], sent["User-Agent"], sent["Authorization"]) == ("text/x", "migratable/0", "Bearer canary")
    assert sent["Host"] == f"127.0.0.1:{server.server_port}"


def test_an_interim_response_answers_no_request(server: Server, transport: KubernetesTransport) -> None:
    """
    A proxy can send responses such as 103 before the response (RFC 9110, section 15.2).
    """

    def tell(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        handler.plain(200, {"path": handler.path})

    server.answer = tell

    answers = run(transport, both)

    assert answers == [Answer(200, b'{"path": "%s"}' % path.encode()) for path in (CLAIM, OTHER)]


def test_a_connection_that_was_closed_meanwhile_is_replaced(server: Server, transport: KubernetesTransport) -> None:
    """
    An API server closes idle connections without notice. The next read uses a new connection.
    """

    def once(handler: Handler) -> None:
        handler.plain(200, {})
        handler.close_connection = True

    server.answer = once

    async def thrice(reads: HttpReader) -> list[int]:
        one = [Get(CLAIM, "application/json")]
        return [(await reads.get_all(one, SECONDS))[0].status for _ in range(3)]

    assert run(transport, thrice) == [200, 200, 200]


def large(handler: Handler) -> None:
    handler.plain(200, b"x" * (MAX_BYTES + 1))


def junk(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0\r\n\r\n")


@pytest.mark.parametrize("fault", [hang, drip, cut, hang_up, large, junk])
def test_a_read_without_a_complete_response_is_unavailable(
    server: Server, transport: KubernetesTransport, fault: Callable[[Handler], None]
) -> None:
    """
    The error comes before the deadline, and the next read is not affected.
    """
    server.answer = fault

    async def then_again(reads: HttpReader) -> list[Answer]:
        with pytest.raises(Unavailable):
            await both(reads, 0.3)
        server.released.set()
        server.answer = lambda handler: handler.plain(200, {})
        return await both(reads)

    assert run(transport, then_again) == [Answer(200, b"{}"), Answer(200, b"{}")]


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


def test_a_response_without_a_request_ends_the_connection(server: Server, transport: KubernetesTransport) -> None:
    """
    Otherwise it would be taken for the response to a later request.
    """

    def twice(handler: Handler) -> None:
        body = b'{"path": "%s"}' % handler.path.encode()
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        handler.wfile.write(whole if handler.path == CLAIM else whole + whole)

    server.answer = twice

    async def both_twice(reads: HttpReader) -> list[list[Answer]]:
        return [await both(reads), await both(reads)]

    wanted = [Answer(200, b'{"path": "%s"}' % path.encode()) for path in (CLAIM, OTHER)]
    assert run(transport, both_twice) == [wanted, wanted]


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


def test_requests_behind_a_last_response_are_sent_again(server: Server, transport: KubernetesTransport) -> None:
    """
    An API server that shuts down closes the connection after a response, and does not answer the requests behind it.
    """

    def last(handler: Handler) -> None:
        handler.plain(200, {"path": handler.path}, Connection="close")
        handler.close_connection = True

    server.answer = last

    bodies = [answer.body for answer in run(transport, both)]

    assert bodies == [b'{"path": "%s"}' % path.encode() for path in (CLAIM, OTHER)]


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


def test_a_closed_reader_fails_its_calls(server: Server, transport: KubernetesTransport) -> None:
    """
    It opens no further connection, although requests on a kept connection are repeated otherwise.
    """
    places, asked = set(), threading.Event()

    def first_at_once(handler: Handler) -> None:
        places.add(handler.client_address)
        if len(server.requests) > 1:
            asked.set()
            server.released.wait(SECONDS)
        handler.plain(200, {})

    server.answer = first_at_once

    async def closed(reads: HttpReader) -> None:
        await reads.get_all([Get(CLAIM, "x")], SECONDS)
        call = asyncio.ensure_future(reads.get_all([Get(OTHER, "x")], SECONDS))
        await asyncio.to_thread(asked.wait, SECONDS)
        reads.close()
        with pytest.raises(Unavailable):
            await call
        server.released.set()

    run(transport, closed)
    assert len(places) == 1


def test_a_refused_connection_is_unavailable(transport: KubernetesTransport) -> None:
    """
    The read fails without waiting for its deadline.
    """

    async def nowhere(_: HttpReader) -> None:
        settings = transport.connection_settings()
        assert isinstance(settings, ConnectionSettings)
        with pytest.raises(Unavailable):
            await both(HttpReader(replace(settings, port=1), "migratable/0"), SECONDS)

    run(transport, nowhere)


def test_the_reader_is_not_used_behind_a_proxy(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The kubernetes client can use a proxy, and this reader cannot.
    """
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")

    assert connect(kubeconfig).async_reader() is None
