"""Leader election with a Lease: one leader, and a new one soon after the old one is gone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import Clock
from webhook.cluster.leases import Election, Terms, parse_lease
from webhook.cluster.ports import JSON, Answer
from webhook.errors import Misconfigured, Unavailable

TERMS = Terms()
LEASE = ("migratable", "audit")
STATUS = b'{"kind": "Status"}'


@dataclass
class LeaseServer:
    """An API server with one Lease. ``down`` lets each request fail, and ``lost`` each response to a write."""

    lease: dict[str, Any] | None = None
    version: int = 0
    down: bool = False
    lost: bool = False
    writes: int = 0
    timeouts: list[float] = field(default_factory=list)
    before_write: Any = None

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        self._arrive(timeout_seconds)
        if self.lease is None:
            return Answer(404, STATUS)
        return Answer(200, json.dumps(self.lease).encode())

    def post(self, path: str, body: Any, *, timeout_seconds: float) -> Answer:
        self._arrive(timeout_seconds)
        if self.lease is not None:
            return Answer(409, STATUS)
        return self._store(body, 201)

    def put(self, path: str, body: Any, *, timeout_seconds: float) -> Answer:
        if self.before_write is not None:
            act, self.before_write = self.before_write, None
            act()
        self._arrive(timeout_seconds)
        if self.lease is None or body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            return Answer(409, STATUS)
        return self._store(body, 200)

    def _arrive(self, timeout_seconds: float) -> None:
        self.timeouts.append(timeout_seconds)
        if self.down:
            raise Unavailable("no answer", remedy="Try again.")

    def _store(self, body: Any, status: int) -> Answer:
        self.version += 1
        self.writes += 1
        metadata = body["metadata"] | {"resourceVersion": str(self.version), "uid": "uid"}
        self.lease = body | {"metadata": metadata}
        if self.lost:
            raise Unavailable("no answer", remedy="Try again.")
        return Answer(status, json.dumps(self.lease).encode())

    @property
    def holder(self) -> str:
        return str(self.lease["spec"].get("holderIdentity", "")) if self.lease is not None else ""


def candidate(server: LeaseServer, clock: Clock, name: str = "a") -> Election:
    return Election(
        server,
        LEASE,
        name,
        wait=lambda _seconds: True,
        chance=lambda: 0.5,
        clock=clock,
        now=lambda: datetime(2026, 1, 2, 3, 4, 5, 678, UTC),
    )


def test_the_first_candidate_creates_the_lease_and_leads() -> None:
    """
    With the fields that client-go writes.
    """
    server = LeaseServer()
    one = candidate(server, Clock())

    one.attempt()

    assert one.leads
    assert server.lease is not None
    assert server.lease["spec"] == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-02T03:04:05.000678Z",
        "renewTime": "2026-01-02T03:04:05.000678Z",
        "leaseTransitions": 0,
    }


def test_another_candidate_waits_until_the_lease_was_not_renewed_for_its_duration() -> None:
    """
    The duration starts when the candidate sees the Lease, whatever the times in the Lease say.
    """
    server, clock = LeaseServer(), Clock()
    one, two = candidate(server, clock), candidate(server, clock, "b")
    one.attempt()
    clock.now += 100
    two.attempt()
    seen = clock.now

    clock.now = seen + TERMS.lease - 0.1
    two.attempt()
    early = two.leads
    clock.now = seen + TERMS.lease
    two.attempt()

    assert not early
    assert two.leads
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


def test_a_renewed_lease_stays_with_its_holder() -> None:
    """
    Each renewal starts the wait of the other candidates again.
    """
    server, clock = LeaseServer(), Clock()
    one, two = candidate(server, clock), candidate(server, clock, "b")
    one.attempt()

    for _ in range(20):
        clock.now += TERMS.retry
        one.attempt()
        two.attempt()

    assert one.leads
    assert not two.leads
    assert server.holder == "a"


def test_a_leader_that_cannot_renew_stops_before_another_one_can_begin() -> None:
    """
    It stops at the deadline, also if it hears nothing at all.
    """
    server, clock = LeaseServer(), Clock()
    one = candidate(server, clock)
    one.attempt()
    server.down = True

    clock.now += TERMS.deadline - 0.1
    one.attempt()
    before = one.leads
    clock.now += 0.1

    assert before
    assert not one.leads
    assert one.seconds_left == 0


def test_a_renewal_whose_response_is_lost_does_not_extend_the_lead() -> None:
    """
    The next attempt reads the Lease and renews it.
    """
    server, clock = LeaseServer(), Clock()
    one = candidate(server, clock)
    one.attempt()
    server.lost = True
    clock.now += 5
    one.attempt()
    left = one.seconds_left

    server.lost = False
    one.attempt()

    assert left == TERMS.deadline - 5
    assert one.seconds_left == TERMS.deadline


def test_the_time_of_a_lead_counts_from_the_begin_of_the_request() -> None:
    """
    Another candidate can see the renewal before the response arrives.
    """
    server, clock = LeaseServer(), Clock()
    one = candidate(server, clock)
    one.attempt()

    def slow() -> None:
        clock.now += 3

    server.before_write = slow
    one.attempt()

    assert one.seconds_left == TERMS.deadline - 3


def test_of_two_candidates_that_write_at_once_one_leads() -> None:
    """
    The second write has an old resourceVersion.
    """
    server, clock = LeaseServer(), Clock()
    gone, one, two = (candidate(server, clock, name) for name in ("gone", "a", "b"))
    gone.attempt()
    one.attempt()
    two.attempt()
    clock.now += TERMS.lease
    server.before_write = two.attempt

    one.attempt()

    assert [one.leads, two.leads] == [False, True]
    assert server.holder == "b"


def test_a_leader_whose_lease_was_taken_away_stops_at_once() -> None:
    """
    An administrator can write another holder into the Lease, also between the read and the write of a renewal.
    """
    server, clock = LeaseServer(), Clock()
    one = candidate(server, clock)
    one.attempt()

    def take_away() -> None:
        assert server.lease is not None
        server.lease["spec"]["holderIdentity"] = "b"
        server.lease["metadata"]["resourceVersion"] = "77"

    server.before_write = take_away
    one.attempt()

    assert not one.leads
    assert server.holder == "b"


def test_a_lease_that_is_given_back_is_taken_at_once() -> None:
    """
    On SIGTERM, the next leader does not wait.
    """
    server, clock = LeaseServer(), Clock()
    one, two = candidate(server, clock), candidate(server, clock, "b")
    one.attempt()
    two.attempt()

    one.release()
    two.attempt()

    assert [one.leads, two.leads] == [False, True]


def test_a_candidate_gives_back_only_its_own_lease() -> None:
    """
    The Lease of the next leader stays as it is.
    """
    server, clock = LeaseServer(), Clock()
    one, two = candidate(server, clock), candidate(server, clock, "b")
    one.attempt()
    two.attempt()
    clock.now += TERMS.lease
    two.attempt()

    one.release()

    assert server.holder == "b"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_refused_request_makes_no_leader(status: int) -> None:
    """
    The account lacks permissions, or the API server is overloaded or its etcd is full.
    """

    class Refusing(LeaseServer):
        def post(self, path: str, body: Any, *, timeout_seconds: float) -> Answer:
            return Answer(status, STATUS)

    one = candidate(Refusing(), Clock())

    one.attempt()

    assert not one.leads


def test_two_requests_end_before_the_deadline() -> None:
    """
    A request that hangs must not take the whole time of a lead.
    """
    server, clock = LeaseServer(), Clock()
    one = candidate(server, clock)
    one.attempt()
    one.attempt()

    assert max(server.timeouts) * 2 < TERMS.deadline


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["try", "try", "try", "lose", "cut", "release"]),
        st.floats(0, 8),
    ),
    max_size=60,
)


@given(STEPS)
def test_there_is_never_more_than_one_leader(steps: list[tuple[str, str, float]]) -> None:
    """
    Candidates try at any times, lose responses and connections, and give the Lease back.
    """
    server, clock = LeaseServer(), Clock()
    all_of_them = {name: candidate(server, clock, name) for name in ("a", "b", "c")}
    for name, what, pause in steps:
        one = all_of_them[name]
        server.lost, server.down = what == "lose", what == "cut"
        if what == "release":
            one.release()
        else:
            one.attempt()
        server.lost = server.down = False
        assert sum(other.leads for other in all_of_them.values()) <= 1
        clock.now += pause
        assert sum(other.leads for other in all_of_them.values()) <= 1


@pytest.mark.parametrize("text", ["", "audit", "/audit", "migratable/", "a/b/c"])
def test_a_lease_is_named_by_namespace_and_name(text: str) -> None:
    """
    Any other text is an error.
    """
    assert parse_lease("migratable/audit") == LEASE
    with pytest.raises(Misconfigured, match="not a Lease"):
        parse_lease(text)
