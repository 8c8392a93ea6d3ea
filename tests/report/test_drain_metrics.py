"""The drain of each node as metrics."""

import msgspec
import pytest

from tests.drain.fleets import as_fleet, kubevirt, node, owned, vmi
from tests.report.test_audit_metrics import samples, value
from webhook.drain.plan import SEVERITY, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.report.drain.drain_json import render as as_json
from webhook.report.drain_metrics import DrainedNode, DrainedVM, NodeDrains, families, unknown_drains
from webhook.report.metrics_text import render


def node_of(name: str, *outcomes: Outcome) -> DrainedNode:
    worst = max(outcomes, key=SEVERITY.index, default=Outcome.MOVES)
    return DrainedNode(name, worst, tuple(map(DrainedVM, outcomes)))


def rendered(*nodes: DrainedNode, missing: tuple[str, ...] = (), at: float | None = 1.5) -> str:
    return render(families(NodeDrains(nodes, missing_kinds=missing), at))


def outcome_of(text: str, name: str) -> set[str]:
    found = set()
    for (metric, labels), number in samples(text).items():
        known = dict(labels)
        if metric == "migratable_node_drain" and known["node"] == name and number:
            found.add(known["outcome"])
    return found


def test_each_node_has_one_outcome() -> None:
    """
    All other outcomes have the value 0.
    """
    text = rendered(node_of("n1", Outcome.MOVES, Outcome.BLOCKS), node_of("n2"))

    assert outcome_of(text, "n1") == {"blocks"}
    assert outcome_of(text, "n2") == {"moves"}
    assert [value(text, "migratable_node_drain", node="n1", outcome=outcome) for outcome in Outcome] == [0, 1, 0, 0, 0]


def test_vms_are_counted_by_outcome() -> None:
    """
    Without their names.
    """
    text = rendered(node_of("n1", Outcome.MOVES, Outcome.MOVES, Outcome.WAITS))

    assert value(text, "migratable_node_drain_vms", node="n1", outcome="moves") == 2
    assert value(text, "migratable_node_drain_vms", node="n1", outcome="waits") == 1


@pytest.mark.parametrize(("known", "shown"), [(Outcome.MOVES, "unknown"), (Outcome.BLOCKS, "blocks")])
def test_no_node_is_drainable_if_pods_cannot_be_read(known: Outcome, shown: str) -> None:
    """
    A node without known VMs is unknown. A VM that blocks is certain.
    """
    text = rendered(node_of("n1", known), missing=("Pod",))

    assert outcome_of(text, "n1") == {shown}
    assert value(text, "migratable_node_drain_unread", kind="Pod") == 1
    assert value(text, "migratable_node_drain_unread", kind="Node") == 0


def test_nodes_are_unknown_after_a_rehearsal_that_failed() -> None:
    """
    The last outcomes can be wrong.
    """
    failed = unknown_drains(NodeDrains((node_of("n1", Outcome.MOVES),)), "no answer")

    text = render(families(failed, 1.5))

    assert outcome_of(text, "n1") == {"unknown"}
    assert [value(text, "migratable_node_drain_unread", kind=kind) for kind in ("Node", "Pod")] == [1, 1]
    assert value(text, "migratable_node_drain_timestamp_seconds") == 1.5


def test_the_report_of_a_drain_has_the_counted_parts() -> None:
    """
    ``migratable drain --all -o json``.
    """
    objects = [node("n1"), node("n2"), kubevirt(), *owned(vmi("web", "n1"), vmi("db", "n1", migratable=False))]

    report = rehearse(as_fleet(objects), Request(mode="each"))

    read = msgspec.json.decode(as_json(report), type=NodeDrains)
    assert {one.name: one.outcome for one in read.nodes} == {"n1": Outcome.BLOCKS, "n2": Outcome.MOVES}
    assert sorted(one.outcome for one in read.nodes[0].machines) == ["blocks", "moves"]
    assert not read.missing
