"""Keeping the reports of a cluster up to date: whole audits, single changes, and failures."""

import pytest
from msgspec.structs import replace

from tests.audit.reported import (
    BOTH,
    ETCD_FULL,
    FAILS,
    ReportsServer,
    audit_of,
    audited,
    store_of,
)
from tests.report.reports import NOT_SHOWN
from webhook.audit.report_writer import ReportWriter, writer_for
from webhook.cluster.ports import Answer
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.report_kinds import OPENREPORTS, POLICYREPORTS
from webhook.report.audited import UnreadReport

WEB, DB = audited("web", FAILS), audited("db", FAILS, namespace="shop")
KEY = ("kubevirt.io", "VirtualMachine", "tenant", "web")


def writer(server: ReportsServer, choice: str = "auto") -> ReportWriter:
    return writer_for(store_of(server), choice)


def test_the_second_run_writes_nothing() -> None:
    """The fingerprints are equal, also for another process."""
    server = ReportsServer()
    first = writer(server).sync(audit_of(WEB, DB))
    requests = len(server.writes)

    second = writer(server).sync(audit_of(WEB, DB))

    assert (first.written, first.unchanged) == (2, 0)
    assert (second.written, second.deleted, second.unchanged) == (0, 0, 2)
    assert len(server.writes) == requests == 2


def test_a_mended_vm_loses_its_report() -> None:
    """Its namespace has no trace of it."""
    server = ReportsServer()
    writer(server).sync(audit_of(WEB, DB))

    outcome = writer(server).sync(audit_of(audited("web"), DB))

    assert outcome.deleted == 1
    assert server.scopes() == ["openreports.io: VirtualMachine shop/db"]


@pytest.mark.parametrize(
    ("choice", "served", "group"),
    [
        ("auto", BOTH, "openreports.io"),
        ("auto", (POLICYREPORTS,), "wgpolicyk8s.io"),
        ("policyreports", BOTH, "wgpolicyk8s.io"),
        ("openreports", BOTH, "openreports.io"),
    ],
)
def test_one_api_group_has_the_reports(choice: str, served: tuple[object, ...], group: str) -> None:
    """OpenReports is preferred if the API server serves both."""
    server = ReportsServer(served=served)  # type: ignore[arg-type]

    writer(server, choice).sync(audit_of(WEB))

    assert server.scopes() == [f"{group}: VirtualMachine tenant/web"]


@pytest.mark.parametrize(("choice", "served"), [("auto", ()), ("openreports", (POLICYREPORTS,))])
def test_a_kind_that_is_not_served_is_an_error(choice: str, served: tuple[object, ...]) -> None:
    """The message names the missing definitions."""
    with pytest.raises(Misconfigured, match=f"--reports {choice}: the API server does not serve Report") as error:
        writer(ReportsServer(served=served), choice)  # type: ignore[arg-type]

    assert "CustomResourceDefinitions of openreports.io" in error.value.remedy


def test_reports_move_to_the_preferred_group() -> None:
    """OpenReports was installed after the first audit."""
    server = ReportsServer(served=(POLICYREPORTS,))
    writer(server).sync(audit_of(WEB, DB))
    server.served = BOTH

    moved = writer(server).sync(audit_of(WEB, DB))

    assert (moved.written, moved.deleted) == (2, 2)
    assert {scope.split(":")[0] for scope in server.scopes()} == {"openreports.io"}


def test_a_full_etcd_is_one_problem_and_the_next_run_writes_the_reports() -> None:
    """The rest of the reports is not tried, and counts as failed."""
    objects = [audited(f"vm-{number}", FAILS) for number in range(10)]
    server = ReportsServer(fault=lambda method, _: ETCD_FULL if method == "PATCH" else None)

    failed = writer(server).sync(audit_of(*objects))
    server.fault = lambda method, path: None
    mended = writer(server).sync(audit_of(*objects))

    assert (failed.written, failed.failed) == (0, 10)
    assert failed.problems == (
        "3 reports not written or deleted: etcd is full. Compact and defragment etcd, or raise its quota.",
        "7 reports not tried after 3 failures in a row",
    )
    assert (mended.written, mended.failed, mended.problems) == (10, 0, ())


def test_a_refused_report_does_not_stop_the_others() -> None:
    """An account can have rights in some namespaces only."""
    server = ReportsServer(fault=lambda method, path: Answer(403, b"{}") if "/shop/" in path else None)

    outcome = writer(server).sync(audit_of(DB, WEB))

    assert (outcome.written, outcome.failed) == (1, 1)
    assert "the account may not write reports of openreports.io (HTTP 403)" in outcome.problems[0]


def test_refusals_do_not_count_as_an_outage() -> None:
    """Four namespaces in which the account may not write come first."""
    refused = [audited("web", FAILS, namespace=f"shop-{number}") for number in range(4)]
    server = ReportsServer(fault=lambda method, path: Answer(403, b"{}") if "/shop-" in path else None)

    outcome = writer(server).sync(audit_of(*refused, WEB))

    assert (outcome.written, outcome.failed) == (1, 4)


def test_a_refused_report_that_is_no_longer_needed_is_not_deleted() -> None:
    """The API server has said that it does not exist."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of())
    server.fault = lambda method, _: Answer(403, b"{}") if method == "PATCH" else None
    watching.update([WEB])
    watching.write()

    watching.update([audited("web")])

    assert watching.pending == 0


def test_an_earlier_report_stays_until_the_new_one_is_written() -> None:
    """The object has a report all the time."""
    server = ReportsServer(served=(POLICYREPORTS,))
    writer(server).sync(audit_of(WEB))
    server.served = BOTH
    server.fault = lambda method, _: Answer(422, b"{}") if method == "PATCH" else None

    outcome = writer(server).sync(audit_of(WEB))

    assert (outcome.deleted, outcome.failed) == (0, 1)
    assert server.scopes() == ["wgpolicyk8s.io: VirtualMachine tenant/web"]


def test_an_account_without_rights_on_the_other_group_writes_its_reports() -> None:
    """The chart grants the rights on one group if ``audit.reports`` names it."""
    server = ReportsServer(served=BOTH, fault=lambda _, path: Answer(403, b"{}") if "policyreports" in path else None)

    outcome = writer(server).sync(audit_of(WEB))

    assert (outcome.written, outcome.failed) == (1, 0)
    assert outcome.notes == (
        "earlier reports of wgpolicyk8s.io are not deleted: the account may not list policyreports.wgpolicyk8s.io",
    )


def test_a_watch_of_some_namespaces_writes_no_report_of_the_cluster() -> None:
    """Its account has no right to."""
    kubevirt = audited("kubevirt", FAILS, namespace="kubevirt", kind="KubeVirt")
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(namespaces=("kubevirt",)))

    watching.update([kubevirt])

    assert watching.pending == 0


def test_reports_that_cannot_be_listed_are_not_guessed() -> None:
    """Without the list, each run would write every report."""
    server = ReportsServer()
    ready = writer(server)
    server.fault = lambda *_: Answer(500, b"{}")

    with pytest.raises(Unavailable):
        ready.sync(audit_of(WEB))

    assert server.writes == []


def test_an_update_writes_only_the_reports_that_change() -> None:
    """A watch judges again all objects that a change touches."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(WEB, DB))
    del server.requests[:]

    watching.update([WEB, DB])
    nothing = watching.pending
    watching.update([WEB, audited("db", namespace="shop")])
    outcome = watching.write()

    assert nothing == 0
    assert [method for method, _ in server.requests] == ["DELETE"]
    assert (outcome.deleted, outcome.unchanged, watching.pending) == (1, 1, 0)


def test_a_removed_object_has_no_report() -> None:
    """The report is deleted before the garbage collector runs."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(WEB, DB))

    watching.remove([KEY])
    watching.write()

    assert server.scopes() == ["openreports.io: VirtualMachine shop/db"]


def test_a_failed_change_is_repeated_by_the_next_write() -> None:
    """The watch does not judge the object again for that."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of())
    watching.update([WEB])
    server.fault = lambda *_: ETCD_FULL
    failed = watching.write()
    server.fault = lambda *_: None

    outcome = watching.write()

    assert (failed.failed, outcome.written, outcome.failed) == (1, 1, 0)
    assert server.scopes() == ["openreports.io: VirtualMachine tenant/web"]


def lost(server: ReportsServer) -> None:
    """From now on, the API server carries out writes and its responses are lost."""

    def carry_out(method: str, path: str) -> Answer | None:
        if method == "PATCH":
            server.stored[path] = {"metadata": {"uid": "unseen"}, "scope": None}
        elif method == "DELETE":
            server.stored.pop(path, None)
        raise Unavailable("no response", remedy="")

    server.fault = carry_out


@pytest.mark.parametrize("before", [WEB, audited("web")], ids=["with findings", "without findings"])
def test_after_a_lost_response_the_object_may_return_to_its_earlier_state(before: object) -> None:
    """The writer does not trust its memory of a report after a request without a response."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(before))  # type: ignore[arg-type]
    expected = server.scopes()
    other = audited("web", FAILS, FAILS) if before != WEB else audited("web")
    watching.update([other])
    lost(server)
    watching.write()
    server.fault = lambda *_: None

    watching.update([before])  # type: ignore[list-item]
    watching.write()

    assert server.scopes() == expected
    assert watching.pending == 0


def test_a_change_during_a_write_is_not_lost() -> None:
    """The watch continues while a request is in flight."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of())

    def mended_meanwhile(method: str, _: str) -> None:
        if method == "PATCH":
            server.fault = lambda *_: None
            watching.update([audited("web")])

    server.fault = mended_meanwhile
    watching.update([WEB])

    outcome = watching.write()

    assert (outcome.written, outcome.deleted) == (1, 1)
    assert server.scopes() == []


def test_a_namespace_that_is_being_deleted_is_no_failure() -> None:
    """Its VMs go with it."""
    body = b'{"details": {"causes": [{"reason": "NamespaceTerminating"}]}}'
    server = ReportsServer(fault=lambda method, _: Answer(403, body) if method == "PATCH" else None)

    outcome = writer(server).sync(audit_of(WEB))

    assert (outcome.written, outcome.failed, outcome.problems) == (0, 0, ())


def test_an_update_of_settings_rewrites_the_report_of_the_cluster() -> None:
    """The other settings keep their results."""
    kubevirt = audited("kubevirt", FAILS, namespace="kubevirt", kind="KubeVirt")
    policy = audited("fast", FAILS, namespace="", kind="MigrationPolicy")
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(kubevirt, policy))
    (path,) = server.stored

    watching.update([replace(policy, report=replace(policy.report, findings=[]))])
    watching.write()
    results = server.stored[path]["results"]
    watching.remove([("kubevirt.io", "KubeVirt", "kubevirt", "kubevirt")])
    watching.write()

    assert [result["resources"][0]["kind"] for result in results] == ["KubeVirt"]
    assert server.scopes() == []


def test_the_report_of_a_user_is_replaced_by_the_audit() -> None:
    """It has the same name, and no fingerprint."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(WEB))
    (path,) = server.stored
    del server.stored[path]["metadata"]["annotations"]

    outcome = writer(server).sync(audit_of(WEB))

    assert outcome.written == 1
    assert OPENREPORTS.group in path


def test_a_recent_change_is_written_before_the_rest_of_a_first_run() -> None:
    """A first run of 2,000 reports takes minutes, and a mended VM must lose its report within seconds."""
    server = ReportsServer()
    watching = writer(server)
    watching.sync(audit_of(WEB))
    others = [audited(f"vm-{number}", FAILS) for number in range(10)]
    watching.begin(audit_of(WEB, *others))

    def mended_meanwhile(method: str, _: str) -> None:
        if method == "PATCH":
            server.fault = lambda *_: None
            watching.update([audited("web")])

    server.fault = mended_meanwhile
    del server.requests[:]
    watching.write()

    assert [method for method, _ in server.writes][:3] == ["PATCH", "DELETE", "PATCH"]
    assert (len(server.stored), watching.pending) == (10, 0)


def test_an_outage_of_facts_changes_no_report_and_causes_a_note() -> None:
    """The note says why reports do not agree with the findings of this audit."""
    server = ReportsServer()
    writer(server).sync(audit_of(WEB))
    unknown = audited("web", FAILS, NOT_SHOWN)

    outcome = writer(server).sync(
        audit_of(unknown, unread=(UnreadReport("PersistentVolumeClaim", "", "late", is_refused=False),))
    )

    assert (outcome.written, outcome.deleted, outcome.failed) == (0, 0, 0)
    assert outcome.notes == ("1 report with unknown results not written, because a kind could not be read in time",)
