"""Reports of a watched cluster are written by the leader alone, and none is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.audit.clusters import Manifest, claim, kubevirt, vm
from tests.audit.reported import ReportsServer, status, store_of
from tests.audit.watching.watched import Watched
from webhook.audit.report_writer import writer_for
from webhook.audit.watching.leader_transport import LeaderTransport
from webhook.audit.watching.reporting import LIST_AGAIN_SECONDS, POLL_SECONDS, Reporting
from webhook.cluster.ports import Answer
from webhook.errors import Unavailable

BAD, GOOD = claim("one", mode="ReadWriteOnce"), claim("one")
FULL = status(500, "etcdserver: mvcc: database space exceeded")


class Here:
    """A watched cluster with one VM whose claim is not shared, and the writer of its reports."""

    def __init__(self, *more: Manifest) -> None:
        self.leads = True
        self.server = ReportsServer()
        self.watched = Watched([kubevirt(), vm("a", "one"), BAD, *more])
        self.reporting = Reporting(
            self.watched.auditor,
            lambda: writer_for(store_of(self.server), "auto"),
            self.watched.cluster.snapshot,
            lambda: self.leads,
            wait=lambda _seconds: True,
            chance=lambda: 0.5,
            clock=self.watched.clock,
        )

    def put(self, *manifests: Manifest) -> None:
        self.watched.put(*manifests).settle()

    def step(self) -> float:
        return self.reporting.step()

    def about(self) -> list[str]:
        """The objects with a report of their own."""
        return [one.partition(": ")[2] for one in self.server.scopes() if "VirtualMachine" in one]

    def lists(self) -> int:
        return sum(method == "GET" and path.endswith("/reports") for method, path in self.server.requests)


def test_a_leader_lists_the_reports_once_and_writes_only_changes() -> None:
    """
    A judgement that changes nothing causes no request.
    """
    here = Here()
    here.step()
    first = here.about()
    here.put(GOOD)
    here.step()
    second = here.about()
    requests = len(here.server.requests)
    here.put(GOOD)

    assert here.step() == POLL_SECONDS
    assert (first, second) == (["VirtualMachine shop/a"], [])
    assert here.lists() == 1
    assert len(here.server.requests) == requests


def test_a_deleted_vm_loses_its_report() -> None:
    """
    Without waiting for the garbage collector.
    """
    here = Here()
    here.step()

    here.watched.remove(here.watched.objects["VirtualMachine", "shop", "a"]).settle()
    here.step()

    assert here.about() == []


def test_a_follower_sends_no_request() -> None:
    """
    Another process writes the reports.
    """
    here = Here()
    here.leads = False

    here.step()
    here.put(GOOD)
    here.step()

    assert here.server.requests == []
    assert here.reporting.pending == 0


def test_nothing_is_written_before_all_objects_were_judged() -> None:
    """
    Reports about objects that are not judged yet would be deleted.
    """
    here = Here()
    here.watched.auditor.complete = False

    here.step()

    assert here.server.requests == []


def test_a_process_that_leads_again_lists_the_reports_again() -> None:
    """
    Another process can have changed them in the meantime.
    """
    here = Here()
    here.step()
    here.leads = False
    here.step()
    here.server.stored.clear()
    here.leads = True

    here.step()

    assert here.about() == ["VirtualMachine shop/a"]
    assert here.lists() == 2


def test_reports_that_others_deleted_are_written_again_after_an_hour() -> None:
    """
    Reports are not watched.
    """
    here = Here()
    here.step()
    here.server.stored.clear()
    here.step()
    before = here.about()
    here.watched.clock.now += LIST_AGAIN_SECONDS + 1

    here.step()

    assert before == []
    assert here.about() == ["VirtualMachine shop/a"]


def test_a_change_during_the_list_of_reports_is_not_lost() -> None:
    """
    The claim is mended while the reports are listed.
    """
    here = Here()

    def change(method: str, path: str) -> None:
        if path.endswith("/reports"):
            here.server.fault = lambda _method, _path: None
            here.put(GOOD)

    here.server.fault = change
    here.step()
    here.step()

    assert here.about() == []


@pytest.mark.parametrize("answer", [FULL, status(429), status(503), None])
def test_a_refused_write_is_repeated_with_the_newest_judgement(
    answer: Answer | None, caplog: pytest.LogCaptureFixture
) -> None:
    """
    etcd is full, or the API server is overloaded or away. Pauses grow, and one line is logged.
    """
    here = Here(vm("b", "two"), claim("two", mode="ReadWriteOnce"))
    here.server.fault = failing(answer)
    pauses = [here.step(), here.step()]
    here.put(GOOD)
    here.server.fault = lambda _method, _path: None

    here.step()

    assert here.about() == ["VirtualMachine shop/b"]
    assert POLL_SECONDS < pauses[0] < pauses[1]
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "reports were not written"
    ]
    assert "shop" not in caplog.text


def test_a_process_that_loses_the_lead_during_a_write_counts_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """
    The next leader writes the report.
    """
    here = Here()

    def fault(method: str, _path: str) -> Answer | None:
        if method == "GET":
            return None
        here.leads = False
        return FULL

    here.server.fault = fault
    here.step()

    assert here.reporting.totals["failed"] == 0
    assert "not written" not in caplog.text


def failing(answer: Answer | None) -> Callable[[str, str], Answer | None]:
    def fault(method: str, _path: str) -> Answer | None:
        if method == "GET":
            return None
        if answer is None:
            raise Unavailable("no response", remedy="Try again.")
        return answer

    return fault


def test_a_cluster_without_report_kinds_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """
    The definitions can be installed later.
    """
    here = Here()
    here.server.served = ()
    pause = here.step()
    later = ReportsServer()
    here.server.served = later.served

    here.step()

    assert pause > POLL_SECONDS
    assert "does not serve" in str([vars(record) for record in caplog.records])
    assert here.about() == ["VirtualMachine shop/a"]


class Recorded:
    """Records the timeouts of requests."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []

    def patch(self, *_: Any, timeout_seconds: float, **__: Any) -> Answer:
        return self._record(timeout_seconds)

    def delete(self, *_: Any, timeout_seconds: float) -> Answer:
        return self._record(timeout_seconds)

    def get(self, *_: Any, timeout_seconds: float, **__: Any) -> Answer:
        return self._record(timeout_seconds)

    def _record(self, seconds: float) -> Answer:
        self.timeouts.append(seconds)
        return Answer(200, b"{}")


def test_a_write_ends_before_another_process_can_lead() -> None:
    """
    Its timeout is the time that is left. Without any, nothing is sent. Reads need no leader.
    """
    left, recorded = 3.0, Recorded()
    transport = LeaderTransport(recorded, lambda: left)
    transport.patch("/a", {}, b"{}", content_type="x", timeout_seconds=30.0)
    transport.delete("/a", {}, timeout_seconds=1.0)
    left = 0.0

    with pytest.raises(Unavailable):
        transport.patch("/a", {}, b"{}", content_type="x", timeout_seconds=30.0)
    with pytest.raises(Unavailable):
        transport.delete("/a", {}, timeout_seconds=30.0)
    transport.get("/a", {}, timeout_seconds=30.0)

    assert recorded.timeouts == [3.0, 1.0, 30.0]
