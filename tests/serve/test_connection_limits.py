"""Limits on the number of connections, tested on the wire."""

import ssl
from pathlib import Path

import pytest

from tests.apiserver.pki import CertificateAuthority
from tests.serve.contexts import client_context
from tests.serve.wire import Counting, Listening, Wire, listening, post
from webhook.serve.limits import Limits

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"


def test_silent_connections_above_the_spare_ones_are_closed(app: Counting) -> None:
    """
    Of connections that never sent a byte the oldest go after ten seconds, but for the spare ones that Go's client opens
    and does not use at once.
    """
    with listening(app, Limits(spare=2)) as running:
        wires = [Wire(running.port) for _ in range(2)]
        running.wait_open(2)
        running.clock.advance(5)
        wires += [Wire(running.port) for _ in range(2)]
        running.wait_open(4)
        running.clock.advance(4.6)

        running.sweep()

        assert [running.is_open(wire) for wire in wires] == [False, False, True, True]
        running.clock.advance(100)
        running.sweep()
        assert [running.is_open(wire) for wire in wires[2:]] == [True, True]
        for wire in wires:
            wire.socket.close()
    assert running.refusals == ["silent", "silent"]


def test_the_longest_idle_unknown_connection_is_closed_for_a_new_one(app: Counting) -> None:
    """
    Beyond the number of connections the longest idle stranger goes, before any connection that brought a review.
    """
    with listening(app, Limits(connections=3)) as running:
        known, second, first = (Wire(running.port) for _ in range(3))
        for wire, path in ((known, "/known"), (first, "/"), (second, "/")):
            wire.send(post(path))
            assert wire.answer().status == 200
            running.clock.advance(1)

        with Wire(running.port) as fourth:
            fourth.send(post())

            assert fourth.answer().status == 200
            assert first.rest() == b""
            assert [running.is_open(known), running.is_open(second)] == [True, True]
        for wire in (known, first, second):
            wire.socket.close()
    assert running.refusals == ["idle"]


def test_a_new_connection_gets_503_if_all_others_are_busy(app: Counting) -> None:
    """
    With all connections at work one more is answered 503 with Retry-After, which API servers repeat by themselves.
    """
    with listening(app, Limits(connections=2)) as running:
        working = [Wire(running.port).send(post("/held")) for _ in range(2)]
        running.wait_busy(2)

        with Wire(running.port) as third:
            refused = third.send(post()).answer()

        running.on_loop(app.held.set)
        assert [wire.answer().status for wire in working] == [200, 200]
        for wire in working:
            wire.socket.close()
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert app.handled == ["/held", "/held"]
    assert running.refusals == ["connections"]


def test_recently_used_connections_stay_open(app: Counting) -> None:
    """
    A stranger has half a second to begin, and who brought a review keeps his connection for five: the newcomer is told to
    come again instead, which loses nothing.
    """
    with listening(app, Limits(connections=2)) as running, Wire(running.port) as known, Wire(running.port) as stranger:
        assert known.send(post("/known")).answer().status == 200
        running.wait_open(2)
        running.clock.advance(0.4)
        with Wire(running.port) as early:
            assert early.send(post()).answer().status == 503
        running.wait_open(2)
        running.clock.advance(0.2)
        with Wire(running.port) as second:
            assert second.send(post("/known")).answer().status == 200
            assert stranger.rest() == b""
            with Wire(running.port) as third:
                assert third.send(post()).answer().status == 503
            running.wait_open(2)
            running.clock.advance(5)

            with Wire(running.port) as fourth:
                assert fourth.send(post()).answer().status == 200
                assert known.rest() == b""
    assert running.refusals == ["connections", "idle", "connections", "idle"]


def test_one_source_cannot_use_all_connections(app: Counting) -> None:
    """
    Beyond its own number a source loses its own longest idle stranger, and is told to come again where it has none.
    """
    with listening(app, Limits(connections_per_source=2)) as running:
        other, known = Wire(running.port, source="127.0.0.2"), Wire(running.port).send(post("/known"))
        assert known.answer().status == 200
        idle = Wire(running.port)
        running.wait_open(3)
        running.clock.advance(1)

        busy = Wire(running.port).send(post("/held"))
        running.wait_busy()
        refused = Wire(running.port).send(post())

        assert idle.rest() == b""
        assert refused.answer().status == 503
        running.on_loop(app.held.set)
        assert [wire.answer().status for wire in (busy, other.send(post()), known.send(post()))] == [200, 200, 200]
        for wire in (other, known, idle, busy, refused):
            wire.socket.close()
    assert running.refusals == ["idle", "source"]


def test_a_closed_connection_is_no_longer_counted(app: Counting) -> None:
    """
    However connections end, their places are free again.
    """
    with listening(app, Limits(connections=2, connections_per_source=1)) as running:
        for request in (b"", b"POST", b"nonsense\r\n\r\n", post(), HEAD + b"x: " + b"a" * 70_000):
            with Wire(running.port) as wire:
                running.wait_open(1)
                wire.send(request)
            running.wait_open(0)

        with Wire(running.port) as wire:
            assert wire.send(post()).answer().status == 200


def test_malformed_requests_are_not_logged(running: Listening, caplog: pytest.LogCaptureFixture) -> None:
    """
    A refused request is a number in the metrics, not a line in the log, and none of its bytes are kept.
    """
    for request in (
        b"CANARY\r\n\r\n",
        HEAD + b"CANARY: " + b"a" * 70_000,
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n" * 2,
    ):
        with Wire(running.port) as wire:
            wire.send(request).rest()

    assert caplog.text == ""
    assert len(running.refusals) == 3


def test_a_flood_of_connections_leaves_known_clients_served(
    app: Counting, server_tls: ssl.SSLContext, authority: CertificateAuthority, tmp_path: Path
) -> None:
    """
    Hundreds of connections that shake hands and say nothing, from one source, cost a lawful caller nothing.
    """
    client = client_context(authority, tmp_path, None)
    with (
        listening(app, Limits(connections_per_source=40), tls=server_tls) as running,
        Wire(running.port, client, source="127.0.0.2") as lawful,
    ):
        assert lawful.send(post("/known")).answer().status == 200
        flood = []
        for count in range(3):
            flood += [Wire(running.port, client) for _ in range(40)]
            running.wait_open(41)
            running.wait(lambda: len(running.refusals) == 40 * count, "the next to be taken up")  # noqa: B023
            running.clock.advance(1)

        answers = [lawful.send(post("/known")).answer().status for _ in range(10)]

        for wire in flood:
            wire.socket.close()
    assert answers == [200] * 10
    assert running.refusals == ["idle"] * 80
