"""``migratable drain`` from files: the exit status, the formats and the errors."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.drain.fleets import Object, kubevirt, node, owned, vmi
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import render_fleet
from webhook.surfaces.cli.commands import cli


def as_file(folder: Path, *objects: Object) -> str:
    path = folder / "fleet.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]}))
    return str(path)


def cluster(*machines: Object, **spec: Any) -> list[Object]:
    return [node("n1"), node("n2"), kubevirt(), *owned(*machines, **spec)]


def drain(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["drain", *arguments, "-o", "json"], input=stdin)


@pytest.mark.parametrize(
    ("machine", "spec", "status"),
    [
        (vmi("moves", "n1"), {}, 0),
        (vmi("restarts", "n1", strategy="None"), {}, 0),
        (vmi("blocks", "n1", migratable=False), {}, 1),
        (vmi("stays-down", "n1", strategy="None"), {"runStrategy": "Manual"}, 1),
        (vmi("no-node", "n1", nodeSelector={"disk": "fast"}), {}, 1),
    ],
)
def test_the_status_says_whether_all_vms_move_or_restart(
    tmp_path: Path, machine: Object, spec: Object, status: int
) -> None:
    """
    0 all move or restart, 1 a VM blocks, waits or stays down.
    """
    result = drain("n1", "--facts", as_file(tmp_path, *cluster(machine, **spec)))

    assert result.exit_code == status, result.output


def test_the_status_is_2_if_a_fact_is_missing(tmp_path: Path) -> None:
    """
    Without pods, the room on nodes is unknown.
    """
    result = drain("n1", "--facts", as_file(tmp_path, node("n1"), node("n2"), kubevirt(), vmi("vm", "n1")))

    assert result.exit_code == 2
    assert json.loads(result.stdout)["nodes"][0]["machines"][0]["outcome"] == "unknown"


def test_with_fail_on_stops_a_restart_fails_too(tmp_path: Path) -> None:
    """
    ``--fail-on never`` reports only.
    """
    path = as_file(tmp_path, *cluster(vmi("vm", "n1", strategy="None")))

    assert drain("n1", "--facts", path, "--fail-on", "stops").exit_code == 1
    assert drain("n1", "--facts", path, "--fail-on", "never").exit_code == 0


def test_files_after_facts_are_facts(tmp_path: Path) -> None:
    """
    ``--facts a.json b.json`` reads both files.
    """
    first, second = tmp_path / "nodes.json", tmp_path / "rest.json"
    objects = cluster(vmi("vm", "n1"))
    first.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[:2]}))
    second.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[2:]}))

    assert drain("n1", "--facts", str(first), str(second)).exit_code == 0


def test_a_folder_with_the_name_of_a_node_is_no_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The argument is the node. A folder after ``--facts`` needs a slash.
    """
    path = as_file(tmp_path, *cluster(vmi("vm", "n1")))
    (tmp_path / "n1").mkdir()
    monkeypatch.chdir(tmp_path)

    assert drain("n1", "--facts", path).exit_code == 0


def test_standard_input_is_read(tmp_path: Path) -> None:
    """
    As in ``kubectl get … -o json | migratable drain n1 --facts -``.
    """
    content = Path(as_file(tmp_path, *cluster(vmi("vm", "n1")))).read_text()

    assert drain("n1", "--facts", "-", stdin=content).exit_code == 0


@pytest.mark.parametrize("output", ["markdown", "html"])
def test_a_report_names_its_objects(tmp_path: Path, output: str) -> None:
    """
    A change request has reports of several days and clusters.
    """
    file = as_file(tmp_path, *cluster(vmi("vm", "n1")))

    of_file = CliRunner().invoke(cli, ["drain", "n1", "--facts", file, "-o", output])
    of_input = CliRunner().invoke(cli, ["drain", "n1", "--facts", "-", "-o", output], Path(file).read_text())

    assert "fleet.json." in of_file.stdout
    assert "Objects: standard input." in of_input.stdout


def test_all_nodes_are_rehearsed_alone(tmp_path: Path) -> None:
    """
    ``--all`` names each node once.
    """
    result = drain("--all", "--facts", as_file(tmp_path, *cluster(vmi("vm", "n1"))))

    assert [plan["name"] for plan in json.loads(result.stdout)["nodes"]] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "fleet.json"),
        ('{"apiVersion": "v1", "kind": "Node", "metadata": {}}', "metadata.name is missing"),
        ('{"apiVersion": "v1", "kind": "List", "items": []}', "no object that a rehearsal reads"),
        ('{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": 3}', "spec: wrong type"),
    ],
)
def test_unreadable_facts_are_reported_with_file_and_fix(tmp_path: Path, content: str, error: str) -> None:
    """
    The status is 2.
    """
    path = tmp_path / "fleet.json"
    path.write_text(content)

    result = drain("n1", "--facts", str(path))

    assert result.exit_code == 2
    assert error in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_node_is_an_error(tmp_path: Path) -> None:
    """
    The error names the known nodes.
    """
    result = drain("n9", "--facts", as_file(tmp_path, *cluster(vmi("vm", "n1"))))

    assert result.exit_code == 2
    assert "unknown node 'n9'. Known nodes: n1, n2." in result.stderr


def test_without_nodes_a_usage_error_names_the_options() -> None:
    """
    The status is 2.
    """
    result = CliRunner().invoke(cli, ["drain"])

    assert result.exit_code == 2
    assert "Name one or more nodes, or write --all, --rolling or --upgrade." in result.output


def test_a_snapshot_gives_the_same_report_as_the_objects(tmp_path: Path) -> None:
    """
    ``--snapshot`` reads a file that ``migratable snapshot --drain`` writes.
    """
    objects = as_file(tmp_path, *cluster(vmi("moves", "n1"), vmi("blocks", "n1", migratable=False)))
    snapshot = tmp_path / "snapshot.yaml"
    snapshot.write_text(render_fleet(read_paths([objects]).fleet()))

    assert drain("n1", "--snapshot", str(snapshot)).output == drain("n1", "--facts", objects).output


def test_the_snapshot_of_a_drain_has_all_namespaces() -> None:
    """
    The pods of other namespaces take room on nodes.
    """
    result = CliRunner().invoke(cli, ["snapshot", "--drain", "-n", "lab"])

    assert result.exit_code == 2
    assert "Write either --drain or --namespace" in result.output


@pytest.mark.parametrize(
    ("methods", "machine", "status"),
    [
        (["LiveMigrate"], vmi("vm", "n1"), 0),
        (["LiveMigrate"], vmi("vm", "n1", migratable=False), 1),
        ([], vmi("vm", "n1"), 1),
    ],
)
def test_an_upgrade_alone_needs_no_node(tmp_path: Path, methods: list[str], machine: Object, status: int) -> None:
    """
    No drain is rehearsed. The status is 1 if the upgrade leaves a VM behind.
    """
    cr = kubevirt()
    cr["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": methods}
    result = drain("--upgrade", "--facts", as_file(tmp_path, node("n1"), node("n2"), cr, *owned(machine)))
    report = json.loads(result.stdout)

    assert result.exit_code == status, result.output
    assert (report["mode"], report["nodes"]) == ("upgrade", [])
    assert [one["name"] for one in report["upgrade"]] == ["vm"] * status


def test_an_upgrade_without_the_kubevirt_cr_is_unknown(tmp_path: Path) -> None:
    """
    The methods of the workload updater are in that CR.
    """
    result = drain("--upgrade", "--facts", as_file(tmp_path, node("n1"), node("n2"), *owned(vmi("vm", "n1"))))

    assert result.exit_code == 2
    assert json.loads(result.stdout)["missing"] == ["KubeVirt: no KubeVirt was provided"]


def test_an_upgrade_with_a_node_also_rehearses_its_drain(tmp_path: Path) -> None:
    """
    The status is that of the drain.
    """
    result = drain("n1", "--upgrade", "--facts", as_file(tmp_path, *cluster(vmi("vm", "n1"))))
    report = json.loads(result.stdout)

    assert (result.exit_code, report["mode"]) == (0, "together")
    assert [one["problem"] for one in report["upgrade"]] == ["leftBehind"]
