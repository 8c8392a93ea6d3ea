"""``migratable audit --reports``."""

from pathlib import Path

import pytest

from tests.audit.clusters import claim, vm
from tests.audit.reported import ETCD_FULL, ReportsServer
from tests.surfaces.cli.audits import BAD, Run, audits
from webhook.cluster.ports import Answer
from webhook.objects.report_kinds import POLICYREPORTS
from webhook.surfaces.cli import audit_reports

MENDED = (vm("web", "os"), claim("os"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ReportsServer:
    """The reports of the cluster. Pauses take no time."""
    reports = ReportsServer()
    monkeypatch.setattr(audit_reports, "connected_writer", lambda *_: reports)
    monkeypatch.setattr(audit_reports, "_pause", lambda _: False)
    return reports


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    return audits(monkeypatch, tmp_path)


def test_nothing_is_written_by_default(run: Run, server: ReportsServer) -> None:
    """
    A user who audits a cluster by hand does not change it.
    """
    run()

    assert server.requests == []


def test_reports_are_written_and_counted(run: Run, server: ReportsServer) -> None:
    """
    The exit status is that of the findings.
    """
    first = run("--reports", "auto")
    mended = run("--reports", "auto", objects=MENDED)

    assert (first.status, mended.status) == (1, 0)
    assert "note: reports in the cluster: 1 written, 0 deleted, 0 unchanged" in first.err
    assert "note: reports in the cluster: 0 written, 1 deleted, 0 unchanged" in mended.err
    assert server.stored == {}


def test_a_missing_definition_is_an_error_before_the_audit(run: Run, server: ReportsServer) -> None:
    """
    An audit of a large cluster takes a minute.
    """
    server.served = (POLICYREPORTS,)

    ran = run("--reports", "openreports")

    assert (ran.status, ran.out) == (2, "")
    assert "--reports openreports: the API server does not serve Report (openreports.io/v1alpha1)" in ran.err
    assert "Install the CustomResourceDefinitions of openreports.io" in ran.err


def test_reports_that_cannot_be_written_give_exit_status_2(run: Run, server: ReportsServer) -> None:
    """
    The findings are still printed.
    """
    server.fault = lambda method, _: ETCD_FULL if method == "PATCH" else None

    ran = run("--reports", "auto", "--fail-on", "never", "-q")

    assert ran.status == 2
    assert "error: 1 report not written or deleted: etcd is full. Compact and defragment etcd" in ran.err
    assert "1 VM" in ran.out


def test_the_error_for_an_account_that_may_not_list_reports_names_the_rights_to_grant(
    run: Run, server: ReportsServer
) -> None:
    """
    The findings are still printed.
    """
    server.fault = lambda _, path: Answer(403, b"{}") if path.endswith("/reports") else None

    ran = run("--reports", "auto", objects=BAD)

    assert ran.status == 2
    assert "error: the account may not list reports.openreports.io. Grant it the verbs list, patch" in ran.err
    assert "1 VM" in ran.out
    assert server.writes == []


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "x"])
def test_a_rate_that_is_no_positive_number_is_refused(run: Run, server: ReportsServer, rate: str) -> None:
    """
    A rate of zero would never end.
    """
    ran = run("--reports", "auto", "--writes-per-second", rate)

    assert ran.status == 2
    assert "--writes-per-second" in ran.err
    assert server.requests == []


def test_findings_of_the_baseline_are_in_no_report(run: Run, server: ReportsServer, tmp_path: Path) -> None:
    """
    Reports have what the audit enforces.
    """
    run("-o", f"baseline={tmp_path / 'known'}")

    ran = run("--reports", "auto", "--baseline", tmp_path / "known")

    assert "0 written" in ran.err
    assert server.stored == {}
