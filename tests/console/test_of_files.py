"""The state of a cluster from files: manifests and a snapshot."""

from pathlib import Path

import pytest

from tests.drain import example_fleet
from webhook.check.check import Settings, check
from webhook.console.of_files import FilesSource
from webhook.drain.explain_vm import explain
from webhook.drain.rehearsal import Request, rehearse
from webhook.errors import Misconfigured
from webhook.facts.fleet import Fleet
from webhook.manifests.files import Sources, read_all
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import render_fleet
from webhook.report.model import ObjectReport

EXAMPLE = str(example_fleet.FOLDER)


def source_of(*paths: Path | str) -> FilesSource:
    source = FilesSource([str(path) for path in paths], Settings())
    source.run()
    return source


def fleet_of(*paths: Path | str) -> Fleet:
    return read_paths([str(path) for path in paths]).fleet()


def checked(path: str) -> dict[tuple[str, str, str], ObjectReport]:
    report = check(read_all([path], recursive=True, sources=Sources()), Settings())
    return {(one.kind, one.namespace, one.name): one for one in report.objects}


def test_the_judgements_of_files_are_those_of_check() -> None:
    """
    Every VM and every setting has the verdict and the findings of ``migratable check`` for the same files.
    """
    state, expected = source_of(EXAMPLE).state(), checked(EXAMPLE)
    source = source_of(EXAMPLE)

    assert len(state.vms) == 30
    for row in state.vms:
        (audited,) = source.judged(row.namespace, row.name)
        report = expected[row.kind, row.namespace, row.name]
        assert (audited.report.verdict, audited.report.findings) == (report.verdict, report.findings)
        assert row.rules == tuple(sorted({finding.rule for finding in report.findings}))
        assert row.is_running
    assert [one.report for one in state.others] == [expected["KubeVirt", "kubevirt", "kubevirt"]]
    assert (state.source, state.release, state.profile, state.unfinished) == (EXAMPLE, "1.9", "strict", "")


def test_the_drains_of_files_are_those_of_drain_all() -> None:
    """
    The report is that of ``migratable drain --all``.
    """
    state = source_of(EXAMPLE).state()

    assert state.drains.report == rehearse(fleet_of(EXAMPLE), Request((), "each"))
    assert (state.drains.rehearsed_at, state.drains.problem) == (None, "")


def test_the_explanation_of_a_vm_is_that_of_explain() -> None:
    """
    The details of one VM are those of ``migratable explain vm/NAME``. An unknown VM has none.
    """
    source, fleet = source_of(EXAMPLE), fleet_of(EXAMPLE)

    for row in source.state().vms:
        assert source.explained(row.namespace, row.name) == explain(fleet, row.name, row.namespace)
    assert source.explained("shop", "unknown") is None
    assert source.judged("shop", "unknown") == ()


def test_a_snapshot_has_the_state_of_its_files(tmp_path: Path) -> None:
    """
    A snapshot of the same cluster gives the same verdicts, rules and drains.
    """
    snapshot = tmp_path / "snapshot.yaml"
    snapshot.write_text(render_fleet(fleet_of(EXAMPLE)))
    state, expected = source_of(snapshot).state(), source_of(EXAMPLE).state()

    assert state.vms == expected.vms
    assert state.drains.report == rehearse(fleet_of(snapshot), Request((), "each"))
    assert [one.report.kind for one in state.others] == ["KubeVirt"]


def test_the_version_is_that_of_the_content(tmp_path: Path) -> None:
    """
    Equal files have equal versions. Another state, such as that before the judgement, has another version.
    """
    first, second = FilesSource([EXAMPLE], Settings()), source_of(EXAMPLE)
    reading = first.state()
    first.run()

    assert reading.unfinished == "the objects are being judged"
    assert reading.version != first.state().version == second.state().version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: v1\nkind: Node\nmetadata: [", ":3: "),
        ("apiVersion: v1\nkind: Node\nmetadata:\n  name: 3\n", ":4: metadata.name: wrong type"),
        ("a: 1\n", "not a Kubernetes object"),
    ],
)
def test_an_unreadable_file_is_refused_at_the_start(tmp_path: Path, text: str, message: str) -> None:
    """
    The error names the file, the line, the path and the remedy.
    """
    file = tmp_path / "nodes.yaml"
    file.write_text(text)

    with pytest.raises(Misconfigured) as caught:
        FilesSource([str(file)], Settings())

    assert str(file) in caught.value.message
    assert message in caught.value.message
    assert caught.value.remedy


def test_files_without_an_object_of_a_cluster_are_refused(tmp_path: Path) -> None:
    """
    Files of other objects are a mistake, and not a cluster without VMs.
    """
    (tmp_path / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n")

    with pytest.raises(Misconfigured, match="no object of a cluster"):
        FilesSource([str(tmp_path)], Settings())
