"""The state of a cluster from files: manifests and a snapshot."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.console import cluster
from tests.apiserver.clusters.shape import Shape
from tests.drain import example_fleet
from tests.drain.fleets import vmi
from tests.surfaces.running import migratable
from webhook.audit import judge as judging
from webhook.check.check import Settings, check, examine
from webhook.console import file_objects, rehearsals
from webhook.console.files_source import FilesSource
from webhook.drain.explain_vm import Explainer, explain
from webhook.drain.plan import DrainReport
from webhook.drain.rehearsal import Request, rehearse
from webhook.errors import BadInput, Misconfigured
from webhook.facts.fleet import Fleet
from webhook.manifests.files import read_all
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import render_fleet
from webhook.manifests.live_objects import read_live
from webhook.manifests.objects import ManifestObject
from webhook.manifests.sources import Sources
from webhook.objects.kinds import Kind
from webhook.report.audit_metrics import migratability
from webhook.report.building import Examined
from webhook.report.drain import drain_json
from webhook.report.model import FindingReport, ObjectReport

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
    assert [one.report for one in state.others] == [
        expected["NetworkAttachmentDefinition", "kubevirt", "migration-network"],
        expected["KubeVirt", "kubevirt", "kubevirt"],
    ]
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
    assert [one.report.kind for one in state.others] == ["NetworkAttachmentDefinition", "KubeVirt"]


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


def test_an_object_in_two_files_counts_once(tmp_path: Path) -> None:
    """
    Equal objects are one object. Different objects of one name are an error.
    """
    machine = vmi("vm", "n1")
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps(machine))

    assert [row.name for row in source_of(tmp_path).state().vms] == ["vm"]

    (tmp_path / "two.json").write_text(json.dumps(machine | {"spec": {}}))
    with pytest.raises(Misconfigured, match=r"two\.json: VirtualMachineInstance lab/vm is given twice"):
        source_of(tmp_path)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the objects of a generated cluster of 30 VMs, as ``kubectl get -o json`` prints them."""
    folder = tmp_path_factory.mktemp("generated")
    items = list(cluster(Shape(30, namespaces=4)))
    (folder / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return folder


def test_a_generated_cluster_has_the_findings_of_check(generated: Path) -> None:
    """
    Objects of JSON have no lines. Otherwise the findings are those of ``check``, with the verdict of each VM.
    """
    source, expected = source_of(generated), checked(str(generated))

    assert len(source.state().vms) == 30
    for row in source.state().vms:
        judged = {one.report.kind: one.report for one in source.judged(row.namespace, row.name)}
        report, own = expected[row.kind, row.namespace, row.name], judged[row.kind]
        assert own.verdict == report.verdict
        assert own.findings == [without_lines(finding) for finding in report.findings]
        assert row.migratability is migratability(report.verdict)


def without_lines(finding: FindingReport) -> FindingReport:
    return msgspec.structs.replace(finding, line=None, column=None, end_line=None, end_column=None)


def test_a_generated_snapshot_agrees_with_the_commands(generated: Path, tmp_path: Path) -> None:
    """
    The verdicts are those of ``explain``, and the drains those of ``drain --all -o json``.
    """
    snapshot = tmp_path / "snapshot.yaml"
    snapshot.write_text(render_fleet(fleet_of(generated)))
    source, explainer = source_of(snapshot), Explainer(fleet_of(snapshot), rehearsed=DrainReport(()))
    state = source.state()

    assert state.vms == source_of(generated).state().vms
    for row in state.vms:
        explained = explainer.explain(row.name, row.namespace)
        reports = {one.report.kind: one.report for one in source.judged(row.namespace, row.name)}
        report = reports.get(explained.judged) or reports[row.kind]
        assert report.verdict is not None
        assert explained.verdict_by_rules.live_migratable == report.verdict.live_migratable
        assert {reason.rule for reason in explained.reasons} <= {one.rule for one in report.findings}
    assert state.drains.report is not None
    command = ("drain", "--all", "--snapshot", str(snapshot), "-o", "json", "--fail-on", "never")
    assert drain_json.render(state.drains.report) == migratable(*command).out


def test_an_object_that_cannot_be_judged_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An error in a rule names the object and the type of the error. The other objects are judged.
    """

    def failing(manifest: ManifestObject, *rest: Any) -> Examined | None:
        if (manifest.kind, manifest.raw["metadata"]["name"]) == ("VirtualMachine", "web-1"):
            raise KeyError("a secret")
        return examine(manifest, *rest)

    monkeypatch.setattr(judging, "examine", failing)
    state = source_of(EXAMPLE).state()

    assert [(one.file, one.message) for one in state.problems] == [
        ("VirtualMachine shop/web-1", "not judged because of an internal error (KeyError)")
    ]
    assert len(state.vms) == 30


def test_text_that_cannot_be_read_again_is_a_problem(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The text of an object is read when it is judged.
    """

    def failing(raw: bytes, kind: Kind, version: str) -> ManifestObject:
        if kind.kind == "KubeVirt":
            raise BadInput("wrong type", remedy="Correct it.", source="KubeVirt kubevirt/kubevirt")
        return read_live(raw, kind, version)

    monkeypatch.setattr(file_objects, "read_live", failing)
    state = source_of(generated).state()

    assert [(one.file, one.message) for one in state.problems] == [("KubeVirt kubevirt/kubevirt", "wrong type")]
    assert len(state.vms) == 30


@pytest.mark.parametrize(
    ("error", "problem"), [(KeyError("a secret"), "internal error (KeyError)"), (BadInput("no", remedy="Yes."), "no")]
)
def test_a_failed_rehearsal_is_a_problem(error: Exception, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The VMs are judged, and have no details.
    """

    def rehearse(*_: object) -> None:
        raise error

    monkeypatch.setattr(rehearsals, "rehearse", rehearse)
    source = source_of(EXAMPLE)

    assert (source.state().drains.problem, source.state().drains.report) == (problem, None)
    assert len(source.state().vms) == 30


def test_an_error_in_an_explanation_is_no_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The page of the VM has other parts.
    """

    def fails(*_: object) -> None:
        raise KeyError

    source = source_of(EXAMPLE)
    assert source.explained("shop", "web-1") is not None
    monkeypatch.setattr(Explainer, "explain", fails)

    assert source.explained("shop", "web-1") is None
