"""The walk-through on the fleet in ``examples/fleet``."""

import pytest

from tests.drain import example_fleet
from webhook.drain.plan import Detail, DrainReport, Machine, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.manifests.fleet_paths import read_paths
from webhook.report.drain import drain_text


@pytest.fixture(scope="module")
def report() -> DrainReport:
    """The drain of each node alone."""
    read = read_paths([str(example_fleet.FOLDER)])
    assert read.problems == []
    return rehearse(read.fleet(), Request(mode="each"))


def _machines(report: DrainReport) -> dict[str, Machine]:
    return {one.name: one for node in report.nodes for one in node.machines}


def test_the_files_are_those_that_the_module_writes() -> None:
    """
    Run ``python -m tests.drain.example_fleet`` after a change.
    """
    written = {path.name: path.read_text(encoding="utf-8") for path in example_fleet.FOLDER.iterdir()}

    assert written == example_fleet.files()


def test_the_fleet_has_six_nodes_and_thirty_vms(report: DrainReport) -> None:
    """
    Each VM runs on one node.
    """
    assert len(report.nodes) == 6
    assert sum(len(node.machines) for node in report.nodes) == len(_machines(report)) == 30


@pytest.mark.parametrize(
    ("name", "outcome", "detail"),
    [
        ("licence", Outcome.WAITS, Detail.NO_NODE),
        ("ledger", Outcome.WAITS, Detail.NO_NODE),
        ("archive", Outcome.BLOCKS, Detail.NOT_MIGRATABLE),
        ("kube-1", Outcome.BLOCKS, Detail.EXTERNAL),
        ("test-1", Outcome.WAITS, Detail.QUOTA),
        ("render", Outcome.STOPS, Detail.WAITS_FOR_NODE),
        ("report", Outcome.STOPS, Detail.RESTARTS),
    ],
)
def test_each_problem_of_the_fleet_has_its_outcome(
    report: DrainReport, name: str, outcome: Outcome, detail: Detail
) -> None:
    """
    A pinned VM, a stale selector, a claim for one node, Cluster API, a quota, a GPU, and no eviction strategy.
    """
    machine = _machines(report)[name]

    assert (machine.outcome, machine.detail) == (outcome, detail)


def test_all_other_vms_move(report: DrainReport) -> None:
    """
    The web servers move although their budget allows no disruption, because KubeVirt answers before budgets count.
    """
    moving = {name for name, machine in _machines(report).items() if machine.outcome is Outcome.MOVES}

    assert len(moving) == 18
    assert {f"web-{at}" for at in range(1, 7)} <= moving


def test_the_first_steps_name_the_vms_that_hold_up_all_others(report: DrainReport) -> None:
    """
    VMs without a node are first: the stale selector and the pinned VM. Then comes the VM that blocks the drain.
    """
    assert [step.machines for step in report.first] == [("erp/ledger",), ("erp/licence",), ("erp/archive",)]
    assert "cpu-feature.node.kubevirt.io/mpx" in report.first[0].text
    assert "kubernetes.io/hostname" in report.first[1].text


def test_the_text_fits_one_screen_and_names_the_first_steps(report: DrainReport) -> None:
    """
    At most 50 lines of 120 columns.
    """
    lines = drain_text.render(report).splitlines()

    assert len(lines) <= 50
    assert max(map(len, lines)) <= 120
    begin = lines.index("First:") + 1
    steps = [
        line.split()[:2] for line in lines[begin : lines.index("", begin)] if line.strip()[:2] in {"1.", "2.", "3."}
    ]
    assert steps == [["1.", "erp/ledger:"], ["2.", "erp/licence:"], ["3.", "erp/archive:"]]


def test_a_budget_that_blocks_nothing_is_not_blamed(report: DrainReport) -> None:
    """
    No text of the report names a budget.
    """
    assert "Budget" not in repr(report)
