"""The formats and exit status of ``migratable audit``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.clusters import FakeCluster, Manifest, claim, kubevirt, vm
from tests.surfaces.running import Ran, migratable
from webhook.surfaces.cli import audit
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS

Run = Callable[..., Ran]
CR = kubevirt()
CR["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": ["LiveMigrate", "Evict"]}
BAD = (vm("web", "os"), claim("os", mode="ReadWriteOnce"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs ``migratable audit`` on a cluster with these objects."""

    def against(*arguments: str, objects: tuple[Manifest, ...] = BAD, cr: Manifest = CR) -> Ran:
        cluster = FakeCluster([cr, *objects])
        monkeypatch.setattr(audit, "connected", lambda *_args, **_options: (cluster.transport, "a cluster"))
        return migratable("audit", *arguments, cwd=tmp_path)

    return against


def test_the_summary_is_the_default(run: Run) -> None:
    """
    Without ``-o``, the command prints the summary, and exits with 1 for a denied finding.
    """
    ran = run()

    assert ran.status == 1
    assert ran.out.startswith("1 VM: 0 can be live-migrated, 1 cannot, 0 unproven\n")
    assert run("-o", "summary").out == ran.out


@pytest.mark.parametrize("form", AUDIT_FORMATS)
def test_each_format_goes_to_a_file(run: Run, form: str, tmp_path: Path) -> None:
    """
    ``-o FORMAT=FILE`` writes the same text as ``-o FORMAT`` prints.
    """
    printed = run("-o", form)

    run("-o", f"{form}=out")

    assert (tmp_path / "out").read_text() == printed.out
    assert printed.out


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
