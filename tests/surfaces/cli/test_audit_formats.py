"""The formats and exit status of ``migratable audit``."""

import json
import time
from pathlib import Path

import pytest

from tests.audit.clusters import claim, vm
from tests.report.test_audit_metrics import value
from tests.surfaces.cli.audits import CR, Run, audits
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs ``migratable audit`` in a folder, on a cluster with some objects."""
    return audits(monkeypatch, tmp_path)


def test_the_summary_is_the_default(run: Run) -> None:
    """
    Without ``-o``, the command prints the summary, and exits with 1 for a denied finding.
    """
    ran = run()

    assert ran.status == 1
    assert ran.out.startswith("1 VM: 0 can be live-migrated, 1 cannot, 0 unproven\n")
    assert run("-o", "summary").out == ran.out


@pytest.mark.parametrize("form", sorted({*AUDIT_FORMATS} - {"prometheus"}))  # which contains the time
def test_each_format_goes_to_a_file(run: Run, form: str, tmp_path: Path) -> None:
    """
    ``-o FORMAT=FILE`` writes the same text as ``-o FORMAT`` prints.
    """
    terms = ("--owner", "team", "--until", "2999-01-01") if form == "exemptions" else ()
    printed = run("-o", form, *terms)

    run("-o", f"{form}=out", *terms)

    assert (tmp_path / "out").read_text() == printed.out
    assert printed.out


def test_metrics_have_the_time_of_the_audit(run: Run, tmp_path: Path) -> None:
    """
    ``-o prometheus`` counts the objects, for the textfile collector of node_exporter.
    """
    begin = time.time()
    run("-o", "prometheus=out.prom", "-o", "summary")
    end = time.time()

    text = (tmp_path / "out.prom").read_text()
    reason = "DisksNotLiveMigratable"
    assert value(text, "migratable_vms", namespace="shop", verdict="not-migratable", reason=reason) == 1
    assert begin <= (value(text, "migratable_audit_timestamp_seconds") or 0) <= end


@pytest.mark.parametrize("form", ["summary", "markdown"])
def test_groups_can_be_namespaces(run: Run, form: str) -> None:
    """
    ``--group-by`` changes the groups.
    """
    assert run("-o", form).out != run("-o", form, "--group-by", "namespace").out


def test_a_grouping_without_groups_is_refused(run: Run) -> None:
    """
    JSON has no groups, so ``--group-by`` would have no effect.
    """
    ran = run("-o", "json", "--group-by", "namespace")

    assert ran.status == 2
    assert "--group-by changes only the formats summary and markdown. Add one of them with -o." in ran.err


def test_quiet_prints_only_groups(run: Run) -> None:
    """
    With ``-q``, a clean cluster produces no output.
    """
    assert run("-q", objects=(vm("web", "os"), claim("os"))).out == ""
    assert run("-q").out.startswith("DisksNotLiveMigratable: 1 VM\n")


def test_notes_are_printed_once(run: Run) -> None:
    """
    Notes are in the summary, and on standard error if another format is printed.
    """
    future = CR | {"status": {"observedKubeVirtVersion": "v1.10.0"}}
    newer = "1.10 is not published"

    in_summary, in_json = run(cr=future), run("-o", "json", cr=future)

    assert (newer in in_summary.out, newer in in_summary.err) == (True, False)
    assert newer in in_json.err
    assert newer in json.loads(in_json.out)["notes"][0]
