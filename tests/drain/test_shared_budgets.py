"""Budgets that select several launchers of a node."""

import msgspec
import pytest

from tests.drain.building import NAMESPACE, launcher
from webhook.drain.outcome import First
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.drain.shared_budgets import with_shared_budgets
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.pods import Pod
from webhook.scheduling.budgets import Budgets


def budgets(allowed: int) -> Budgets:
    value = {
        "metadata": {"name": "pdb", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": {"kubevirt.io": "virt-launcher"}}, "minAvailable": 1},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": allowed + 1, "desiredHealthy": 1},
    }
    return Budgets([msgspec.convert(value, PodDisruptionBudget)])


def ready(name: str) -> Pod:
    value = msgspec.to_builtins(launcher(name))
    value["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return msgspec.convert(value, Pod)


def first(name: str, detail: Detail | None, outcome: Outcome = Outcome.STOPS) -> First:
    return First(Machine(NAMESPACE, name, outcome, detail, "It stops.", "Act."), launcher=ready(name))


def blocked(firsts: list[First], allowed: int) -> list[str]:
    return [
        one.machine.name
        for one in with_shared_budgets(firsts, budgets(allowed))
        if one.machine.outcome is Outcome.BLOCKS
    ]


def test_vms_that_move_do_not_end_the_search_for_refused_evictions() -> None:
    """
    The webhook answers their evictions before budgets count.
    """
    moving = first("moves", None, Outcome.MOVES)

    assert blocked([moving, first("vm1", Detail.GONE), first("vm2", Detail.GONE)], 1) == ["vm2"]


@pytest.mark.parametrize("detail", [Detail.STAYS_DOWN, Detail.GONE, Detail.WAITS_FOR_NODE])
def test_a_vm_that_does_not_start_again_keeps_its_disruption(detail: Detail) -> None:
    """
    The eviction of the second VM is refused if the budget allows one disruption.
    """
    firsts = [first("vm1", detail), first("vm2", detail)]

    assert blocked(firsts, 1) == ["vm2"]
    assert blocked(firsts, 2) == []


def test_vms_that_start_again_are_evicted_one_after_the_other() -> None:
    """
    The new launcher of the first VM gives the disruption back.
    """
    assert blocked([first("vm1", Detail.RESTARTS), first("vm2", Detail.RESTARTS)], 1) == []


def test_the_worst_order_counts() -> None:
    """
    A VM that starts again can be evicted after one that does not.
    """
    assert blocked([first("vm1", Detail.RESTARTS), first("vm2", Detail.GONE)], 1) == ["vm1"]


def test_only_vms_that_stop_use_disruptions() -> None:
    """
    The webhook refuses the evictions of all other VMs, so budgets do not matter for them.
    """
    moves = first("vm1", None, Outcome.MOVES)
    nameless = First(Machine(NAMESPACE, "vm3", Outcome.STOPS, Detail.GONE))

    assert with_shared_budgets([moves, nameless, first("vm2", Detail.GONE)], budgets(1)) == [
        moves,
        nameless,
        first("vm2", Detail.GONE),
    ]


def test_the_message_names_the_budget_and_keeps_the_reason() -> None:
    """
    The budgets of the caller do not change.
    """
    given = budgets(1)

    for _ in range(2):
        [_, second] = with_shared_budgets([first("vm1", Detail.GONE), first("vm2", Detail.GONE)], given)
        assert second.machine == Machine(
            NAMESPACE,
            "vm2",
            Outcome.BLOCKS,
            Detail.BUDGET,
            "PodDisruptionBudget pdb can refuse the eviction, because VMs of this node that do not start again use all its "
            "disruptions. It stops.",
            "Change PodDisruptionBudget pdb, or stop the VM before the drain.",
        )
