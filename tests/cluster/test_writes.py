"""Writing reports: requests, retries, the bounded rate, and the failures that a run meets."""

from collections.abc import Iterator

import pytest

from tests.audit.reported import ETCD_FULL, ReportsServer, existing, status, store_of
from tests.clocks import Clock
from tests.cluster.fake_apiserver import answer
from webhook.cluster.ports import Answer
from webhook.cluster.writes import Failure, Rate, ReportStore, Stored
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.report_kinds import OPENREPORTS, POLICYREPORTS, REPORT_APIS

DOCUMENT = {"metadata": {"name": "a", "namespace": "tenant", "annotations": {"migratable.dev/fingerprint": "f"}}}
PLACE = ("tenant", "a")
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PATH = "/apis/openreports.io/v1alpha1/namespaces/tenant/reports/a"


def apply(store: ReportStore) -> Stored | Failure:
    return store.apply(OPENREPORTS, *PLACE, DOCUMENT)


def failing(*answers: Answer | Exception) -> ReportsServer:
    """The first responses to writes. Later requests succeed."""
    left: Iterator[Answer | Exception] = iter(answers)

    def fault(method: str, _: str) -> Answer | None:
        reply = next(left, None) if method != "GET" else None
        if isinstance(reply, Exception):
            raise reply
        return reply

    return ReportsServer(fault=fault)


def test_a_report_is_applied_with_a_field_manager_of_its_own() -> None:
    """``force`` takes over the fields that ``kubectl apply`` set."""
    server = ReportsServer()

    outcome = apply(store_of(server))

    assert outcome == Stored("report-1")
    assert server.requests == [("PATCH", PATH)]
    assert server.queries == [{"fieldManager": "migratable-audit", "force": "true"}]


def test_only_reports_with_the_label_are_listed_page_by_page() -> None:
    """Other tools write reports too. The results of a report are never read."""
    server = ReportsServer(page=2)
    store = store_of(server)
    for name in "abcde":
        store.apply(OPENREPORTS, "tenant", name, {"metadata": DOCUMENT["metadata"] | {"name": name}})
    store.apply(OPENREPORTS, "", "c", {"metadata": {"name": "c"}})
    del server.queries[:]

    found = store.every(OPENREPORTS)

    assert [(one.namespace, one.name) for one in found] == [*(("tenant", name) for name in "abcde"), ("", "c")]
    assert {query["labelSelector"] for query in server.queries} == {"app.kubernetes.io/managed-by=migratable"}
    assert {accept.partition(",")[0] for accept in server.accepts} == {METADATA}
    assert found[0].fingerprint == "f"
    assert found[0].uid == "report-1"


def test_only_some_namespaces_are_listed_for_a_namespaced_account() -> None:
    """The account may not list all namespaces, and no kind of the cluster."""
    server = ReportsServer()

    store_of(server).every(OPENREPORTS, ("one", "two"), cluster=False)

    assert [path for _, path in server.requests] == [
        f"/apis/openreports.io/v1alpha1/namespaces/{namespace}/reports" for namespace in ("one", "two")
    ]


def stored(*names: str) -> ReportsServer:
    """A server with these reports, one on each page."""
    server = ReportsServer(page=1)
    store = store_of(server)
    for name in names:
        store.apply(OPENREPORTS, "tenant", name, {"metadata": DOCUMENT["metadata"] | {"name": name}})
    del server.requests[:], server.queries[:]
    return server


@pytest.mark.parametrize(("token", "requests"), [("", 5), ("1", 4)])
def test_a_list_whose_token_expired_has_each_report_once(token: str, requests: int) -> None:
    """It goes on with the token of the response, or starts again if there is none. All requests select the same reports."""
    server = stored("a", "b", "c")
    expired = answer({"kind": "Status", "code": 410, "metadata": {"continue": token}}, 410)
    server.fault = lambda *_: expired if len(server.requests) == 2 else None

    found = store_of(server).every(OPENREPORTS, cluster=False)

    assert [one.name for one in found] == ["a", "b", "c"]
    assert len(server.requests) == requests
    assert {query.get("labelSelector") for query in server.queries} == {"app.kubernetes.io/managed-by=migratable"}


@pytest.mark.parametrize("token", ["", "1"])
def test_a_list_whose_tokens_always_expire_ends(token: str) -> None:
    """An API server that compacts faster than it lists does not keep the audit busy for ever."""
    server = stored("a", "b")
    expired = answer({"kind": "Status", "code": 410, "metadata": {"continue": token}}, 410)
    server.fault = lambda *_: expired if "continue" in server.queries[-1] else None

    with pytest.raises(Unavailable, match="HTTP 410"):
        store_of(server).every(OPENREPORTS, cluster=False)

    assert len(server.requests) <= 24


@pytest.mark.parametrize(
    ("reply", "problem"),
    [(status(503), "HTTP 503"), (status(429), "HTTP 429"), (Unavailable("connection refused", remedy=""), "refused")],
)
def test_a_list_without_a_response_is_tried_five_times(reply: Answer | Exception, problem: str) -> None:
    """After growing pauses. The error has the cause, and the caller starts again later."""
    clock, server = Clock(), ReportsServer()

    def fault(*_: str) -> Answer:
        if isinstance(reply, Exception):
            raise reply
        return reply

    server.fault = fault
    with pytest.raises(Unavailable, match=problem):
        store_of(server, clock).every(OPENREPORTS)

    assert clock.pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(server.requests) == 5


def test_a_list_goes_on_after_a_busy_response() -> None:
    """The page is requested again, and no report is lost."""
    server = stored("a", "b")
    server.fault = lambda *_: status(503) if len(server.requests) == 2 else None

    assert [one.name for one in store_of(server).every(OPENREPORTS, cluster=False)] == ["a", "b"]


def test_a_stopping_program_lists_nothing_more() -> None:
    """A pause that is interrupted ends the list."""
    server = ReportsServer(fault=lambda *_: status(503))
    store = ReportStore(server, per_second=1e6, clock=lambda: 0.0, wait=lambda _: True, chance=lambda: 1.0)

    with pytest.raises(Unavailable):
        store.every(OPENREPORTS)

    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [401, 403])
def test_the_error_for_an_account_that_may_not_list_names_the_rights_to_grant(code: int) -> None:
    """Without the list, no report can be compared. 401 and 403 are not tried again."""
    server = ReportsServer(fault=lambda *_: status(code))

    with pytest.raises(Misconfigured, match=r"may not list reports.openreports.io") as error:
        store_of(server).every(OPENREPORTS)

    assert "list, patch, create and delete" in error.value.remedy
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("served", "expected"), [((), ()), ((POLICYREPORTS,), (POLICYREPORTS,)), (REPORT_APIS, REPORT_APIS)]
)
def test_the_served_kinds_are_discovered(served: tuple[object, ...], expected: tuple[object, ...]) -> None:
    """A group without both kinds counts as not served."""
    assert store_of(ReportsServer(served=served)).served() == expected  # type: ignore[arg-type]
    half = ReportsServer(fault=lambda *_: answer({"resources": [{"name": "reports"}]}))
    assert store_of(half).served() == ()


def test_a_discovery_that_fails_is_no_absence() -> None:
    """Reports would otherwise move to the other API group during an outage."""
    with pytest.raises(Unavailable):
        store_of(ReportsServer(fault=lambda *_: status(503))).served()


@pytest.mark.parametrize("first", [ETCD_FULL, status(429), status(503), status(409), Unavailable("lost", remedy="")])
def test_a_temporary_failure_is_retried_after_growing_pauses(first: Answer | Exception) -> None:
    """Three more tries, then the failure counts."""
    clock, server = Clock(), failing(first, first)

    outcome = apply(store_of(server, clock))

    assert isinstance(outcome, Stored)
    assert clock.pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("reply", "words", "is_temporary"),
    [
        (ETCD_FULL, "etcd is full", True),
        (status(429), "HTTP 429", True),
        (Unavailable("no response from the API server", remedy=""), "no response", True),
        (status(403), "the account may not write reports of openreports.io (HTTP 403)", False),
        (
            status(403, 'reports "a" is forbidden: exceeded quota: q, requested: 1'),
            "a ResourceQuota of the namespace",
            False,
        ),
        (status(403, 'admission webhook "a.tenant" denied the request: no'), "an admission webhook refuses", False),
        (Answer(404, b"404 page not found\n"), "openreports.io is no longer served", False),
        (status(422, 'reports.openreports.io "a" is invalid'), "the API server refuses a report", False),
    ],
)
def test_each_failure_names_its_cause_and_no_object(reply: Answer | Exception, words: str, is_temporary: bool) -> None:
    """The texts appear in logs, which other tenants may read."""
    outcome = apply(store_of(failing(*[reply] * 9)))

    assert isinstance(outcome, Failure)
    assert words in outcome.why
    assert outcome.is_temporary == is_temporary
    assert "tenant" not in str(outcome)


@pytest.mark.parametrize(
    "reply",
    [
        status(404, 'namespaces "tenant" not found', kind="namespaces", name="tenant"),
        status(403, "being terminated", causes=[{"reason": "NamespaceTerminating"}]),
    ],
)
def test_a_report_in_a_namespace_that_goes_is_not_needed(reply: Answer) -> None:
    """Its object is deleted too."""
    server = failing(reply)

    assert apply(store_of(server)) == Stored()
    assert len(server.requests) == 1


def test_a_deletion_is_bound_to_the_listed_report() -> None:
    """Another audit can have deleted and created it in the meantime."""
    server = ReportsServer()
    store = store_of(server)
    apply(store)

    outcome = store.delete(existing(PLACE))

    assert outcome == Stored()
    assert PATH in server.stored


def test_a_report_that_is_gone_counts_as_deleted() -> None:
    """The garbage collector was faster."""
    server = ReportsServer()

    assert store_of(server).delete(existing(PLACE)) == Stored()
    assert len(server.requests) == 1


def test_a_refused_deletion_is_a_failure() -> None:
    """The report stays, although its object is clean."""
    outcome = store_of(failing(status(403))).delete(existing(PLACE))

    assert isinstance(outcome, Failure)
    assert "may not delete" in outcome.why


def test_the_number_of_writes_per_second_is_bounded() -> None:
    """A second without writes can be made up for, and no more than that."""
    clock = Clock()
    rate = Rate(5, clock, clock.wait)
    clock.now += 100

    before = clock.now
    for _ in range(25):
        rate.next()

    assert 3.8 <= clock.now - before <= 4.2


def test_retries_count_as_writes() -> None:
    """An API server that is overloaded gets no more requests than the rate allows."""
    clock = Clock()
    store = store_of(failing(*[status(429)] * 3), clock, per_second=0.1)

    apply(store)

    assert clock.now - 1000 >= 29


def test_a_stopping_program_writes_nothing_more() -> None:
    """A pause that is interrupted ends the write."""
    server = ReportsServer()
    store = ReportStore(server, per_second=0.5, clock=lambda: 0.0, wait=lambda _: True, chance=lambda: 1.0)

    first, second = apply(store), apply(store)

    assert isinstance(second, Failure)
    assert second.is_temporary
    assert len(server.requests) <= 1
    assert first != second or not server.requests
