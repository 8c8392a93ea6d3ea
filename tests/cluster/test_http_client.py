"""Small reads on the event loop, with a real socket: kept connections, deadlines, and invalid responses."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.http_apiserver import CLAIM, Handler, Server, cut, drip, hang, hang_up
from tests.cluster.small_reads import OTHER, SECONDS, both, run
from webhook.cluster.http_client import MAX_BYTES, ConnectionSettings, HttpReader
from webhook.cluster.kubernetes_client import KubernetesTransport, connect
from webhook.cluster.ports import Answer, Get
from webhook.errors import Unavailable


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
