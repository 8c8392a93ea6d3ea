"""The kubernetes client as a transport, against a small HTTP server that misbehaves on request."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.fake_apiserver import NADS, document, event
from tests.cluster.http_apiserver import CLAIM, Handler, Server, cut, drip, hang, hang_up
from tests.waiting import wait_until
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.kubernetes_client import KubernetesTransport
from webhook.cluster.ports import TooLarge
from webhook.cluster.watch import Pace
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import PersistentVolumeClaim

NAD = NetworkAttachmentDefinition
QUICK = Pace(silence_seconds=0.3, unreachable=(0.01, 0.05), expired=(0.01, 0.05), missing_seconds=0.05)


@pytest.fixture
def facts(kubeconfig: Path) -> Iterator[ClusterFacts]:
    running = ClusterFacts([NAD], pace=QUICK)
    yield running
    running.stop()


def page(*items: Any, version: str = "10", token: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": version, "continue": token}, "items": items}


def is_watch(handler: Handler) -> bool:
    return "watch=1" in handler.path


def test_a_get_carries_the_token_and_gives_status_and_body(server: Server, transport: KubernetesTransport) -> None:
    """
    An answer of 400 and above is an answer too; the query is escaped.
    """
    server.answer = lambda handler: handler.plain(418, b"short and stout")

    got = transport.get(CLAIM, {"continue": "a/b c"}, timeout_seconds=5)

    assert (got.status, got.body) == (418, b"short and stout")
    assert server.requests == [f"{CLAIM}?continue=a%2Fb+c"]
    assert server.headers[0]["authorization"] == "Bearer canary"
    assert server.headers[0]["User-Agent"].startswith("migratable/")


@pytest.mark.parametrize(
    ("status", "header"), [(429, {"Retry_After": "30"}), (503, {"Retry_After": "30"}), (302, {"Location": "/x"})]
)
def test_requests_are_neither_retried_nor_redirected(
    server: Server, transport: KubernetesTransport, status: int, header: dict[str, str]
) -> None:
    """
    The client does not sleep for Retry-After within a deadline, and it does not send a token to another host.
    """
    server.answer = lambda handler: handler.plain(status, b"", **header)

    got = transport.get(CLAIM, {}, timeout_seconds=5)

    assert got.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("misbehaviour", [hang, drip, cut, hang_up])
def test_a_get_without_a_complete_response_in_time_is_unavailable(
    server: Server, transport: KubernetesTransport, misbehaviour: Callable[[Handler], None]
) -> None:
    """
    A server that hangs, drips, truncates or disconnects gives one known error after the deadline, without the token in
    it.
    """
    server.answer = misbehaviour

    with pytest.raises(Unavailable) as caught:
        transport.get(CLAIM, {}, timeout_seconds=0.3)

    assert "canary" not in caught.value.message


def test_a_response_that_is_too_large_is_not_read_to_its_end(server: Server, transport: KubernetesTransport) -> None:
    """
    The limit applies to the bytes of the body, not to the length in its header.
    """
    server.answer = lambda handler: handler.plain(200, b"x" * 1_000_000)

    with pytest.raises(TooLarge):
        transport.get(CLAIM, {}, timeout_seconds=5, max_bytes=100_000)


def test_lines_arrive_in_any_division_into_chunks(server: Server, transport: KubernetesTransport) -> None:
    """
    A line may come in many chunks, and many lines in one chunk. The stream is requested without compression.
    """

    def lines(handler: Handler) -> None:
        handler.begin()
        for chunk in (b'{"a"', b": 1}\n", b"2\n3\n\n4", b"\n"):
            handler.chunk(chunk)
        handler.chunk(b"")

    server.answer = lines

    with transport.watch(NADS, {"watch": "1"}, read_seconds=5) as stream:
        got = list(stream)

    assert got == [b'{"a": 1}', b"2", b"3", b"4"]
    assert server.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("ending", [b"", None])
def test_a_truncated_line_is_dropped(server: Server, transport: KubernetesTransport, ending: bytes | None) -> None:
    """
    This holds whether the stream ended regularly or not.
    """

    def half(handler: Handler) -> None:
        handler.begin()
        handler.chunk(b'1\n{"type": "ADDED"')
        if ending is not None:
            handler.chunk(ending)
        handler.close_connection = True

    server.answer = half
    got: list[bytes] = []

    with pytest.raises(Unavailable), transport.watch(NADS, {}, read_seconds=5) as stream:
        got.extend(stream)

    assert got == [b"1"]


def test_a_kubeconfig_is_required_outside_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    There is no silent fallback to a developer's own cluster.
    """
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(Misconfigured):
        ClusterFacts([NAD]).start()


def test_a_half_open_connection_is_replaced(server: Server, kubeconfig: Path, facts: ClusterFacts) -> None:
    """
    A watch without any event or bookmark is opened again at the same position.
    """

    def silent_at_first(handler: Handler) -> None:
        if not is_watch(handler):
            handler.plain(200, page(document("lan")))
        elif sum("watch=1" in request for request in server.requests) < 3:
            handler.begin()
            hang(handler)
        else:
            handler.begin()
            handler.chunk(event("DELETED", document("lan", version=11)) + b"\n")
            hang(handler)

    server.answer = silent_at_first

    facts.start(kubeconfig)

    wait_until(lambda: facts.ready and facts.store.get(NAD, "shop", "lan") is None, 10, "the deletion to arrive")
    assert sum("watch=1" not in request for request in server.requests) == 1


def test_a_truncated_event_is_not_applied(server: Server, kubeconfig: Path, facts: ClusterFacts) -> None:
    """
    The watch continues after the last complete event.
    """

    def truncating(handler: Handler) -> None:
        if not is_watch(handler):
            return handler.plain(200, page(document("a")))
        handler.begin()
        if "resourceVersion=10" in handler.path:
            whole = event("ADDED", document("b", version=11)) + b"\n"
            handler.chunk(whole + event("DELETED", document("a", version=12))[:-9])
            handler.close_connection = True
            return None
        handler.chunk(event("ADDED", document("c", version=12)) + b"\n")
        return hang(handler)

    server.answer = truncating

    facts.start(kubeconfig)

    wait_until(lambda: facts.store.get(NAD, "shop", "c"), 10, "the event after the truncated one")
    assert isinstance(every := facts.store.every(NAD), tuple)
    assert [item.name for item in every] == ["a", "b", "c"]
    assert sum("watch=1" not in request for request in server.requests) == 1


def test_an_expired_position_leads_to_a_new_list(server: Server, kubeconfig: Path, facts: ClusterFacts) -> None:
    """
    A restarted API server responds with 200 and an ERROR event with code 410.
    """

    def restarted(handler: Handler) -> None:
        lists = sum("watch=1" not in request for request in server.requests)
        if not is_watch(handler):
            return handler.plain(200, page(document(f"list-{lists}"), version=str(lists)))
        handler.begin()
        if "resourceVersion=1&" in handler.path:
            handler.chunk(event("ERROR", {"kind": "Status", "code": 410}) + b"\n")
        return hang(handler)

    server.answer = restarted

    facts.start(kubeconfig)

    wait_until(lambda: facts.store.get(NAD, "shop", "list-2"), 10, "the second list")
    assert facts.store.get(NAD, "shop", "list-1") is None


def test_a_kind_that_is_installed_later_is_watched(server: Server, kubeconfig: Path, facts: ClusterFacts) -> None:
    """
    The store is ready without the kind, and watches it once it is installed.
    """
    facts.start(kubeconfig)
    wait_until(lambda: facts.ready, 10, "readiness without the definition")
    missing = facts.store.missing(NAD)

    def installed(handler: Handler) -> None:
        handler.begin()
        hang(handler)

    server.answer = lambda handler: (
        installed(handler) if is_watch(handler) else handler.plain(200, page(document("lan")))
    )

    wait_until(lambda: facts.store.get(NAD, "shop", "lan"), 10, "its objects")
    assert missing
    assert facts.ready


def test_stopping_does_not_wait_for_a_silent_watch(server: Server, kubeconfig: Path, facts: ClusterFacts) -> None:
    """
    A silent watch does not delay the end of the process.
    """

    def silent(handler: Handler) -> None:
        if not is_watch(handler):
            return handler.plain(200, page())
        handler.begin()
        return hang(handler)

    server.answer = silent
    slow = ClusterFacts([NAD], pace=Pace(silence_seconds=60))
    slow.start(kubeconfig)
    wait_until(lambda: any("watch=1" in request for request in server.requests), 10, "the watch")
    (thread,) = slow._threads

    slow.stop()

    assert not thread.is_alive()


def test_a_live_read_ends_at_its_deadline(server: Server, kubeconfig: Path) -> None:
    """
    With a hung API server, the read ends at its deadline and the result is Unknown.
    """
    server.answer = hang
    facts = ClusterFacts([])
    facts.start(kubeconfig)

    lookup = facts.world(deadline_seconds=0.2).find(PersistentVolumeClaim, "shop", "os")

    assert getattr(lookup, "why", "") == "the API server did not return PVC 'os' in time"
    facts.stop()
