"""Drains of VMs that are being migrated already."""

from typing import Any

import pytest

from tests.drain.fleets import Object, as_fleet, kubevirt, launcher, node, owned, vmi
from webhook.drain.plan import Detail, DrainReport, Outcome
from webhook.drain.rehearsal import Request, rehearse

NODES = [node("n1"), node("n2"), kubevirt()]


def migration(phase: str = "Running", **spec: Any) -> Object:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": "m", "namespace": "lab"},
        "spec": {"vmiName": "vm", **spec},
        "status": {"phase": phase},
    }


def target_on(node_name: str, **meta: Any) -> Object:
    """The target pod of the VMI."""
    pod = launcher(vmi("vm", node_name))
    pod["metadata"] |= {"name": "virt-launcher-vm-target", **meta}
    return pod


def drain(*objects: Object, mode: str = "together", nodes: tuple[str, ...] = ("n1",)) -> DrainReport:
    return rehearse(as_fleet([*NODES, *owned(vmi("vm", "n1")), *objects]), Request(nodes, mode))


@pytest.mark.parametrize("migrations", [[migration()], []])
def test_a_vm_whose_target_pod_runs_moves_to_its_node(migrations: list[Object]) -> None:
    """
    KubeVirt creates no second target pod, so it does not matter that no other node fits.
    """
    moved = drain(target_on("n2"), *migrations).nodes[0].machines[0]

    assert (moved.outcome, moved.detail, moved.nodes) == (Outcome.MOVES, None, ("n2",))
    assert moved.message == "The VMI is already being migrated to n2."


@pytest.mark.parametrize("migration_of", [migration("Failed"), migration("Succeeded")])
def test_the_target_pod_of_a_migration_that_has_ended_is_no_place(migration_of: Object) -> None:
    """
    The next migration needs a pod of its own, and it excludes the node of the old one.
    """
    assert drain(target_on("n2"), migration_of).nodes[0].machines[0].detail is Detail.NO_NODE


def test_a_target_pod_that_is_being_deleted_is_no_place() -> None:
    """
    Its migration has failed.
    """
    ending = target_on("n2", deletionTimestamp="2026-01-01T00:00:00Z")

    assert drain(ending, migration()).nodes[0].machines[0].detail is Detail.NO_NODE


def test_a_rolling_drain_finds_the_vm_on_the_node_of_its_target_pod() -> None:
    """
    The second step migrates the VM from there.
    """
    tainted = node("n3", taints=[{"key": "x", "effect": "NoSchedule"}])
    report = drain(target_on("n2"), migration(), tainted, mode="rolling", nodes=())

    assert [[(one.name, one.outcome, one.nodes) for one in plan.machines] for plan in report.nodes] == [
        [("vm", Outcome.MOVES, ("n2",))],
        [("vm", Outcome.MOVES, ("n1",))],
        [],
    ]


@pytest.mark.parametrize(("phase", "outcome"), [("Pending", Outcome.WAITS), ("Failed", Outcome.MOVES)])
def test_a_migration_keeps_its_own_node_selector(phase: str, outcome: Outcome) -> None:
    """
    KubeVirt creates no second migration without this selector.
    """
    report = drain(migration(phase, addedNodeSelector={"disk": "ssd"}))

    assert report.nodes[0].machines[0].outcome is outcome


def test_a_vm_that_is_being_migrated_has_its_slot() -> None:
    """
    VMs without a node do not starve it.
    """
    other = owned(vmi("other", "n1", nodeSelector={"disk": "ssd"}))
    report = drain(target_on("n2"), migration(), *other)

    assert {one.name: one.detail for one in report.nodes[0].machines} == {"other": Detail.NO_NODE, "vm": None}


def test_a_rolling_drain_follows_a_migration_to_a_node_that_was_not_provided() -> None:
    """
    The next steps do not need this node.
    """
    report = drain(target_on("n9"), migration(), mode="rolling", nodes=("n1", "n2"))

    assert [[one.nodes for one in plan.machines] for plan in report.nodes] == [[("n9",)], []]


@pytest.mark.parametrize("strategy", ["LiveMigrate", "None"])
def test_a_launcher_that_ends_beside_its_successor_is_no_second_vm(strategy: str) -> None:
    """
    After a restart on the same node, the old launcher can still be there.
    """
    ending = target_on("n1", deletionTimestamp="2026-01-01T00:00:00Z")
    objects = [*NODES, ending, *owned(vmi("vm", "n1", strategy=strategy))]

    assert len(rehearse(as_fleet(objects), Request(("n1",))).nodes[0].machines) == 1
