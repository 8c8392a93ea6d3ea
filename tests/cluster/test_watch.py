"""The reaction of the list and watch loop to every response of an API server. The clock is simulated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.clocks import Clock
from tests.cluster.fake_apiserver import (
    NADS,
    NOT_SERVED,
    FakeStream,
    FakeTransport,
    answer,
    document,
    event,
    fixed,
    listed,
    nothing,
)
from webhook.cluster.ports import Answer
from webhook.cluster.store import Store
from webhook.cluster.watch import Pace, Watch
from webhook.errors import Unavailable
from webhook.objects.instancetype import VirtualMachineInstancetype
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import PersistentVolumeClaim

NAD = NetworkAttachmentDefinition


@dataclass
class Loop:
    """A Watch whose pauses are written down, and move the clock instead of taking time."""

    transport: FakeTransport
    kind: type[Kubernetes] = NAD
    clock: Clock = field(default_factory=Clock)
    pace: Pace = field(default_factory=Pace)
    pauses: list[float] = field(default_factory=list)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store([self.kind], self.clock)

    def run(self, *, turns: int = 10**9, seconds: float = 10**9) -> "Loop":
        until = self.clock.now + seconds

        def wait(pause: float) -> bool:
            if self.pauses or pause:
                self.pauses.append(pause)
            self.clock.now += pause
            nonlocal turns
            turns -= 1
            return turns < 0 or self.clock.now >= until

        watch = Watch(
            self.kind, self.store, self.transport, wait=wait, clock=self.clock, chance=lambda: 0.5, pace=self.pace
        )
        watch.run()
        return self

    @property
    def problem(self) -> str:
        return self.store.statistics()[0].problem


def test_a_list_is_read_in_pages_and_the_watch_starts_where_it_ended() -> None:
    """
    Pages of 500, bookmarks, a timeout for the server; the position is the list's.
    """

    def pages(path: str, query: Mapping[str, str]) -> Answer:
        return listed(document("b"), version="11") if "continue" in query else listed(document("a"), token="next")

    loop = Loop(FakeTransport(pages)).run(turns=2)

    assert loop.transport.asked == [NADS, NADS]
    assert loop.transport.queries == [{"limit": "500"}, {"limit": "500", "continue": "next"}]
    assert loop.transport.watches == [
        {"path": NADS, "watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "11", "timeoutSeconds": "450"}
    ]
    assert isinstance(every := loop.store.every(NAD), tuple)
    assert [item.name for item in every] == ["a", "b"]


def test_events_are_applied_and_a_broken_stream_goes_on_where_it_stopped() -> None:
    """
    Added, modified, deleted, bookmark: then the connection breaks, and no second list is needed.
    """

    def lines() -> Iterator[bytes]:
        yield event("ADDED", document("b", version=11))
        yield event("MODIFIED", document("a", version=12, spec={"config": "new"}))
        yield event("DELETED", document("b", version=13))
        yield event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})
        raise Unavailable("broken", remedy="Try again.")

    loop = Loop(FakeTransport(fixed({NADS: listed(document("a"))}), lambda _: FakeStream(200, lines))).run(turns=3)

    assert [watch["resourceVersion"] for watch in loop.transport.watches] == ["10", "20"]
    assert loop.transport.asked == [NADS]
    assert isinstance(every := loop.store.every(NAD), tuple)
    assert [(item.name, item.spec.config) for item in every] == [("a", "new")]


def expired(_: Mapping[str, str]) -> FakeStream:
    return FakeStream(200, lambda: iter([event("ERROR", {"kind": "Status", "code": 410})]))


JUNK: list[bytes] = [
    b"{",
    b'{"type": "ADDED", "object": {}}',
    event("LATER", {}),
    event("ERROR", []),
    event("BOOKMARK", {}),
    b"[" * 100_000,
]


@pytest.mark.parametrize(
    "streams", [expired, *(lambda _, line=line: FakeStream(200, lambda: iter([line])) for line in JUNK)]
)
def test_lists_after_lost_positions_are_spaced_out(streams: Callable[[Mapping[str, str]], FakeStream]) -> None:
    """
    After a 410 in the stream, or an invalid stream, the first new list comes soon. Later ones come at least 15 s apart.
    """
    loop = Loop(FakeTransport(fixed({NADS: listed(document("a"))}), streams)).run(seconds=600)

    assert [round(pause, 1) for pause in loop.pauses if pause][:6] == [0.8, 1.5, 3.0, 6.0, 12.0, 22.5]
    assert len(loop.transport.asked) < 600 / 22.5 + 7
    assert isinstance(loop.store.get(NAD, "shop", "a"), NAD)


def test_complete_lists_have_a_shortest_distance() -> None:
    """
    The position is lost again and again. A list that fails is repeated soon, because it is not complete.
    """
    times: list[float] = []
    failures = iter([False, True, True, False])

    def answers(_path: str, _query: Mapping[str, str]) -> Answer:
        times.append(loop.clock.now)
        return answer({}, 503) if next(failures, False) else listed(document("a"))

    loop = Loop(FakeTransport(answers, expired), pace=Pace(between_lists=30.0))
    began = loop.clock.now
    loop.run(seconds=100)

    assert [round(time - began, 1) for time in times] == [0.0, 30.0, 30.4, 31.1, 61.1, 91.1]


@pytest.mark.parametrize(("status", "longest"), [(401, 22.5), (403, 22.5), (429, 6.0), (500, 6.0), (503, 6.0)], ids=str)
@pytest.mark.parametrize("at", ["list", "watch"])
def test_refused_requests_are_retried_with_growing_pauses(status: int, longest: float, at: str) -> None:
    """
    With a revoked token or an overloaded server the pause doubles up to its cap, and stays there.
    """
    if at == "list":
        transport = FakeTransport(lambda *_: answer({}, status))
    else:
        transport = FakeTransport(fixed({NADS: listed()}), lambda _: FakeStream(status, nothing))
    loop = Loop(transport).run(seconds=1200)

    requests = len(transport.asked) + len(transport.watches)
    assert max(loop.pauses) == longest
    assert loop.pauses[-5:] == [longest] * 5
    assert requests < 1200 / longest + 10
    assert len(transport.asked) == 1 or at == "list"
    assert loop.problem == f"the API server returned HTTP {status}"


def test_streams_that_end_early_cause_no_busy_loop() -> None:
    """
    A server that accepts each watch and ends it gets no more requests than one that is down.
    """
    loop = Loop(FakeTransport(fixed({NADS: listed()}))).run(seconds=1200)

    assert len(loop.transport.watches) < 1200 / 6 + 10


def test_a_long_watch_resets_the_pause() -> None:
    """
    Old failures no longer count after a long watch: the store reconnects to a restarted API server without a long
    pause.
    """
    clock = Clock()
    long_lived = iter([False, False, False, True, False])

    def streams(_: Mapping[str, str]) -> FakeStream:
        if next(long_lived):
            return FakeStream(200, lasting)
        raise Unavailable("down", remedy="Try again.")

    def lasting() -> Iterator[bytes]:
        clock.now += 300
        yield event("BOOKMARK", {"metadata": {"resourceVersion": "30"}})

    loop = Loop(FakeTransport(fixed({NADS: listed()}), streams), clock=clock).run(turns=6)

    assert [round(pause, 2) for pause in loop.pauses] == [0.38, 0.75, 1.5, 0.5, 0.38]


def test_a_kind_that_is_not_installed_is_looked_for_once_a_minute() -> None:
    """
    All served versions are tried. The kind is missing until its definition is installed.
    """
    clock = Clock()
    root = "/apis/instancetype.kubevirt.io"

    def installed_later(path: str, query: Mapping[str, str]) -> Answer:
        return listed() if clock.now >= 1180 and "v1alpha2" in path else NOT_SERVED

    transport = FakeTransport(installed_later)
    loop = Loop(transport, VirtualMachineInstancetype, clock).run(turns=3)
    missing = loop.store.missing(VirtualMachineInstancetype), loop.store.synced(VirtualMachineInstancetype)
    requests = len(transport.asked)
    loop.run(turns=3)

    assert (missing, requests) == ((True, False), 9)
    assert transport.asked[:3] == [
        f"{root}/{version}/virtualmachineinstancetypes" for version in ("v1beta1", "v1alpha2", "v1alpha1")
    ]
    assert 55 <= loop.pauses[0] <= 65
    assert loop.store.synced(VirtualMachineInstancetype)
    assert loop.store.version(VirtualMachineInstancetype) == "v1alpha2"


def test_a_built_in_kind_cannot_be_missing() -> None:
    """
    A 404 for claims does not come from an API server, so the store is not ready.
    """
    loop = Loop(FakeTransport(fixed({})), PersistentVolumeClaim).run(turns=3)

    assert not loop.store.missing(PersistentVolumeClaim)
    assert loop.problem == "the API server returned HTTP 404"


def test_removing_a_definition_removes_its_objects() -> None:
    """
    Watch and list end with 404, and the kind is missing from then on.
    """
    served = iter([listed(document("a"))])
    loop = Loop(
        FakeTransport(lambda *_: next(served, NOT_SERVED), lambda _: FakeStream(404, nothing)), pace=Pace()
    ).run(turns=3)

    assert loop.store.missing(NAD)
    assert loop.store.get(NAD, "shop", "a") is None


def test_pages_of_very_large_objects_are_made_smaller() -> None:
    """
    A tenant can write a quarter of a megabyte of annotations into each of 500 claims: that must not fill our memory.
    """

    def heavy(path: str, query: Mapping[str, str]) -> Answer:
        number = int(query["limit"])
        return listed(*(document(f"c{index}", metadata={"annotations": {"a": "x" * 1000}}) for index in range(number)))

    loop = Loop(FakeTransport(heavy), PersistentVolumeClaim, pace=Pace(page_bytes=50_000)).run(turns=1)

    assert [query["limit"] for query in loop.transport.queries] == ["500", "125", "31"]
    assert loop.store.statistics()[0].objects == 31


def test_an_internal_error_does_not_end_the_thread() -> None:
    """
    After any exception, the kind is listed again after a pause. The problem is reported without its content.
    """

    def broken(path: str, query: Mapping[str, str]) -> Answer:
        raise KeyError("canary")

    loop = Loop(FakeTransport(broken)).run(turns=4)

    assert loop.problem == "internal error: KeyError"
    assert len(loop.transport.asked) == 4
