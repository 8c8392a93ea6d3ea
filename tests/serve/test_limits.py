"""webhook.serve.limits: what a listener bears from whoever connects, held on the wire."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.apiserver.pki import CertificateAuthority, KeyPair
from tests.serve.wire import Counting, Listening, Wire, listening, post
from webhook.serve.limits import Limits, is_trusted_client

CHUNKED = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture
def app() -> Counting:
    """The application behind the limiter."""
    return Counting()


@pytest.fixture
def running(app: Counting) -> Iterator[Listening]:
    """A listener with the limits of production, and a clock that stands."""
    with listening(app) as each:
        yield each


# --- deadlines


def test_headers_have_five_seconds(running: Listening) -> None:
    """
    Headers that are not whole five seconds after a request's first byte end the connection; what is slower than usual
    but in time is answered.
    """
    with Wire(running.port) as late, Wire(running.port) as early:
        late.send(b"POST / HT")
        running.wait_busy(1)
        running.clock.advance(2)
        early.send(b"POST / HT")
        running.wait_busy(2)
        running.clock.advance(2.6)

        running.sweep()
        early.send(b"TP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")

        assert late.rest() == b""
        assert early.answer().status == 200
    assert running.refusals == ["slow"]


def test_a_request_has_ten_seconds(running: Listening) -> None:
    """
    A body that drips in is cut ten seconds after the request's first byte, however often a byte comes.
    """
    with Wire(running.port) as drip, Wire(running.port) as early:
        drip.send(HEAD, b"content-length: 100\r\n\r\n")
        early.send(HEAD, b"content-length: 1\r\n\r\n")
        running.wait_busy(2)
        for _ in range(9):
            drip.send(b"x")
            running.clock.advance(1)
            running.sweep()
        early.send(b"x")
        assert early.answer().status == 200
        assert running.is_open(drip)

        running.clock.advance(0.6)
        running.sweep()

        assert drip.rest() == b""
    assert running.refusals == ["slow"]


def test_an_empty_line_begins_a_request_too(running: Listening) -> None:
    """
    Line ends before the first line, which parsers skip, win no time.
    """
    with Wire(running.port) as wire:
        wire.send(b"\r\n")
        running.wait_busy()
        running.clock.advance(9.6)

        running.sweep()

        assert wire.rest() == b""


def test_work_that_takes_long_is_not_cut(running: Listening, app: Counting) -> None:
    """
    A request that has arrived whole is answered however long that takes; its deadline is the application's.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"))
        running.wait(lambda: app.handled, "the request")
        running.clock.advance(29)
        running.sweep()

        running.on_loop(app.held.set)

        assert wire.answer().status == 200


def test_an_answer_that_nobody_reads_is_given_up(app: Counting) -> None:
    """
    A caller that does not read what it asked for holds no memory for longer than a minute.
    """
    app.answer = bytes(8 * 2**20)
    with listening(app) as running, Wire(running.port) as wire:
        wire.send(post("/answer"))
        running.wait(
            lambda: any(each.write_blocked_since is not None for each in list(running.limiter.open)),
            "the answer to be stuck",
        )
        running.clock.advance(59)
        running.sweep()
        assert running.refusals == []

        running.clock.advance(1)
        running.sweep()

        running.wait_open(0)
        assert len(wire.rest()) < len(app.answer)
    assert running.refusals == ["unread"]


def test_a_kept_connection_may_rest_for_longer_than_api_servers_keep_it(running: Listening) -> None:
    """
    API servers keep idle connections about 90 seconds and do not repeat a POST on one that we closed.
    """
    with Wire(running.port) as wire:
        wire.send(post("/known"))
        assert wire.answer().status == 200
        running.clock.advance(119)

        running.sweep()
        wire.send(post("/known", b"again"))

        assert wire.answer().body == b"5"


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["silent", "half a hello"])
def test_a_handshake_has_a_deadline_of_its_own(app: Counting, server_tls: ssl.SSLContext, hello: bytes) -> None:
    """
    Who does not finish the TLS handshake is cut in time; uvicorn alone waits for a minute.
    """
    with listening(app, Limits(handshake_seconds=0.2), tls=server_tls) as running, Wire(running.port) as wire:
        wire.send(hello)

        assert wire.rest() == b""


def test_the_guard_looks_by_itself(app: Counting) -> None:
    """
    Nobody has to ask for the look at all connections: it comes every half second.
    """
    limits = Limits(header_seconds=0.6)
    with listening(app, limits, clock=time.monotonic, sweeping=True) as running, Wire(running.port) as wire:
        wire.send(b"P")

        assert wire.rest() == b""


# --- sizes


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"x: " + b"a" * 70_000,
        HEAD + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b"".join(b"x%d: %s\r\n" % (number, b"a" * 1000) for number in range(70)),
        b"POST /" + b"a" * 70_000,
        CHUNKED + b"0\r\nx: " + b"a" * 70_000,
        CHUNKED + b"0\r\n" + b"".join(b"x%d: %s\r\n" % (number, b"a" * 1000) for number in range(70)),
        CHUNKED + b"1;" + b"a" * 70_000,
        CHUNKED + b"1\r\nx\r\n" * 15_000,
        b"\r\n" * 40_000,
    ],
    ids=[
        *("one header", "a whole request", "many headers", "target", "one trailer", "many trailers"),
        *("chunk extension", "chunks", "lines"),
    ],
)
def test_what_is_no_body_may_have_64_kib(running: Listening, app: Counting, request_bytes: bytes) -> None:
    """
    A request whose target, headers, trailers and framing pass 64 KiB is answered 431, and the connection ends.
    """
    with Wire(running.port) as wire:
        wire.send(request_bytes)

        answer = wire.answer()
        rest = wire.rest()
        running.settle()

    assert (answer.status, answer.headers["connection"], rest) == (431, "close", b"")
    assert request_bytes.startswith(CHUNKED) or app.handled == []
    assert running.refusals == ["headers"]


def test_what_is_below_64_kib_passes(running: Listening) -> None:
    """
    Headers of 60 KB are no offence, on every request of a connection, and neither is a large body.
    """
    large = b"x: " + b"a" * 60_000

    with Wire(running.port) as wire:
        answers = [wire.send(post("/", bytes(3 * 2**20), large)).answer().body for _ in range(3)]

    assert answers == [b"%d" % (3 * 2**20)] * 3
    assert running.refusals == []


# --- numbers


def test_silent_strangers_beyond_the_spare_ones_go(app: Counting) -> None:
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
        for each in wires:
            each.socket.close()
    assert running.refusals == ["silent", "silent"]


def test_the_longest_idle_stranger_makes_room(app: Counting) -> None:
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
        for each in (known, first, second):
            each.socket.close()
    assert running.refusals == ["idle"]


def test_where_everybody_is_at_work_a_newcomer_is_told_to_come_again(app: Counting) -> None:
    """
    With all connections at work one more is answered 503 with Retry-After, which API servers repeat by themselves.
    """
    with listening(app, Limits(connections=2)) as running:
        working = [Wire(running.port).send(post("/held")) for _ in range(2)]
        running.wait_busy(2)

        with Wire(running.port) as third:
            refused = third.send(post()).answer()

        running.on_loop(app.held.set)
        assert [each.answer().status for each in working] == [200, 200]
        for each in working:
            each.socket.close()
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert app.handled == ["/held", "/held"]
    assert running.refusals == ["connections"]


def test_nobody_goes_who_may_be_about_to_speak(app: Counting) -> None:
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


def test_one_source_cannot_take_all_places(app: Counting) -> None:
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
        assert [each.answer().status for each in (busy, other.send(post()), known.send(post()))] == [200, 200, 200]
        for each in (other, known, idle, busy, refused):
            each.socket.close()
    assert running.refusals == ["idle", "source"]


def test_a_connection_that_ended_gives_its_place_back(app: Counting) -> None:
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


# --- requests that are two


def test_a_second_request_before_the_answer_is_refused(running: Listening, app: Counting) -> None:
    """
    No API server sends requests one behind the other without waiting; whoever does gets 400, and no second handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(post("/held"), post("/second"))

        answer = wire.answer()
        wire.rest()
        running.settle()

    assert answer.status == 400
    assert "/second" not in app.handled
    assert running.refusals == ["malformed"]


def test_a_second_request_in_one_breath_with_the_rest_of_the_first_is_refused(
    running: Listening, app: Counting
) -> None:
    """
    Also where the first was answered before its body had come: else nobody would count the second one's time.
    """
    with Wire(running.port) as wire:
        wire.send(HEAD.replace(b"/", b"/early", 1), b"content-length: 1\r\n\r\n")
        assert wire.answer().status == 200

        wire.send(b"x", post("/second"))

        assert wire.answer().status == 400
        running.settle()
    assert app.handled == ["/early"]


def test_a_connection_too_many_has_the_same_deadlines(app: Counting) -> None:
    """
    Who is to be told to come again, and does not speak, takes no place for long; beyond the spare places nobody is told.
    """
    with (
        listening(app, Limits(connections=1, spare=1)) as running,
        Wire(running.port).send(post("/held")) as working,
        Wire(running.port) as second,
    ):
        running.wait_busy()
        running.wait_open(2)
        with Wire(running.port) as third:
            assert third.rest() == b""
        second.send(b"POST")
        running.wait_busy(2)
        running.clock.advance(4.6)

        running.sweep()

        assert second.rest() == b""
        running.on_loop(app.held.set)
        assert working.answer().status == 200
    assert running.refusals == ["connections", "connections", "slow"]


def test_one_request_after_the_other_is_lawful(running: Listening, app: Counting) -> None:
    """
    A connection serves any number of requests, one after the other's answer.
    """
    with Wire(running.port) as wire:
        answers = [wire.send(post(f"/{number}", bytes(number))).answer().body for number in range(5)]

    assert answers == [b"0", b"1", b"2", b"3", b"4"]
    assert app.handled == ["/0", "/1", "/2", "/3", "/4"]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 4\r\ncontent-length: 5\r\n",
        b"content-length: 4\r\ncontent-length: 4\r\n",
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"content-length : 4\r\n",
        b"content-length: +4\r\n",
        b"content-length: 4 4\r\n",
        b"content-length: 0x4\r\n",
        b"content-length: -4\r\n",
        b"content-length: 99999999999999999999999\r\n",
        b"x: y\n",
        b"x: y\r\n content-length: 4\r\n",
        b"x\r\n",
        b"x: a\x00b\r\n",
        b"x: a\rb\r\n",
    ],
)
def test_a_request_that_could_be_read_as_two_is_refused(running: Listening, app: Counting, head: bytes) -> None:
    """
    I16: two lengths, a length beside chunks, a bare line feed and their like are answered 400; no handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(HEAD, head, b"\r\n", b"0\r\n\r\n", SMUGGLED)

        answer = wire.answer()
        rest = wire.rest()
        running.settle()

    assert (answer.status, rest) == (400, b"")
    assert app.handled == []


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\n", b"POST / HTTP/2.0\r\n", b"POST /\r\n"])
def test_a_first_line_that_is_none_is_refused(running: Listening, app: Counting, line: bytes) -> None:
    """
    I16: a bare line feed, another protocol and none are answered 400; no handler runs.
    """
    with Wire(running.port) as wire:
        wire.send(line, b"host: localhost\r\ncontent-length: 0\r\n\r\n")

        answer = wire.answer()
        running.settle()

    assert answer.status == 400
    assert app.handled == []


# --- certificates


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    """Signs the server and its callers."""
    return CertificateAuthority()


@pytest.fixture
def server_tls(authority: CertificateAuthority, tmp_path: Path) -> ssl.SSLContext:
    """TLS of a server that asks for no certificate."""
    return _server_context(authority, tmp_path)


def _server_context(authority: CertificateAuthority, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", server_names=["localhost"]).write(folder, "server"))
    return context


def _client_context(authority: CertificateAuthority, folder: Path, pair: KeyPair | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.cert_pem.decode())
    if pair is not None:
        context.load_cert_chain(*pair.write(folder, "client"))
    return context


CALLERS: dict[str, Callable[[CertificateAuthority], KeyPair | None]] = {
    "none": lambda _right: None,
    "signed by itself": lambda _right: CertificateAuthority("another").issue("kube-apiserver"),
    "another name": lambda right: right.issue("system:node:node01"),
    "a name that begins so": lambda right: right.issue("kube-apiserver-kubelet-client"),
    "a server's": lambda right: right.issue("kube-apiserver", server_names=["kube-apiserver"]),
    "a group of that name": lambda right: right.issue("tenant", groups=["kube-apiserver"]),
}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("caller", CALLERS)
def test_only_the_api_server_gets_a_byte(
    app: Counting, authority: CertificateAuthority, tmp_path: Path, caller: str, version: ssl.TLSVersion
) -> None:
    """
    T1: no certificate, one of another authority, another name, or a server's certificate gets no HTTP byte back, and no
    handler runs for it; the API server's own is served before and after.
    """
    server_tls = _server_context(authority, tmp_path)
    server_tls.load_verify_locations(cadata=authority.cert_pem.decode())
    server_tls.verify_mode = ssl.CERT_REQUIRED
    right = _client_context(authority, tmp_path, authority.issue("kube-apiserver"))
    wrong = _client_context(authority, tmp_path, CALLERS[caller](authority))
    wrong.maximum_version = version

    with listening(app, tls=server_tls, names=("kube-apiserver",)) as running, Wire(running.port, right) as lawful:
        before = lawful.send(post("/lawful")).answer()
        said = b""
        try:
            with Wire(running.port, wrong) as wire:
                said = wire.send(post("/wrong")).rest()
        except (ssl.SSLError, ConnectionError):
            pass
        after = lawful.send(post("/lawful")).answer()

    assert said == b""
    assert (before.status, after.status) == (200, 200)
    assert app.handled == ["/lawful", "/lawful"]


def test_a_name_among_the_alternatives_counts(app: Counting, authority: CertificateAuthority, tmp_path: Path) -> None:
    """
    A client certificate may bear the name as a DNS name instead of the common name.
    """
    server_tls = _server_context(authority, tmp_path)
    server_tls.load_verify_locations(cadata=authority.cert_pem.decode())
    server_tls.verify_mode = ssl.CERT_REQUIRED
    pair = authority.issue("front", client_names=["kube-apiserver"])

    with (
        listening(app, tls=server_tls, names=("kube-apiserver",)) as running,
        Wire(running.port, _client_context(authority, tmp_path, pair)) as wire,
    ):
        assert wire.send(post()).answer().status == 200


class Shown:
    """A transport of which no more is known than the certificate that was shown."""

    def __init__(self, der: bytes | None) -> None:
        self._der = der

    def get_extra_info(self, _name: str) -> Any:
        return self

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        assert binary_form
        return self._der


def test_a_chain_alone_convinces_nobody(authority: CertificateAuthority) -> None:
    """
    What OpenSSL may have let through is looked at again: the certificate must be there, be one, be meant for clients, and
    bear the name exactly.
    """

    def der(pair: KeyPair) -> bytes:
        return ssl.PEM_cert_to_DER_cert(pair.cert_pem.decode())

    shown = {
        "right": der(authority.issue("kube-apiserver")),
        "right by its alternative": der(authority.issue("front", client_names=["kube-apiserver"])),
        "none": None,
        "junk": b"junk",
        "an authority's, for no use in particular": ssl.PEM_cert_to_DER_cert(authority.cert_pem.decode()),
        "a server's": der(authority.issue("kube-apiserver", server_names=["kube-apiserver"])),
        "another name": der(authority.issue("kube-apiserver.example.org")),
    }

    trusted = [name for name, each in shown.items() if is_trusted_client(cast("Any", Shown(each)), ("kube-apiserver",))]

    assert trusted == ["right", "right by its alternative"]


# --- what strangers can make us write


def test_strangers_fill_no_logs(running: Listening, caplog: pytest.LogCaptureFixture) -> None:
    """
    A refused request is a number in the metrics, not a line in the log, and none of its bytes are kept.
    """
    for request in (b"CANARY\r\n\r\n", HEAD + b"CANARY: " + b"a" * 70_000, SMUGGLED * 2):
        with Wire(running.port) as wire:
            wire.send(request).rest()

    assert caplog.text == ""
    assert len(running.refusals) == 3


def test_a_flood_of_strangers_leaves_others_served(
    app: Counting, server_tls: ssl.SSLContext, authority: CertificateAuthority, tmp_path: Path
) -> None:
    """
    Hundreds of connections that shake hands and say nothing, from one source, cost a lawful caller nothing.
    """
    client = _client_context(authority, tmp_path, None)
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

        for each in flood:
            each.socket.close()
    assert answers == [200] * 10
    assert running.refusals == ["idle"] * 80
