"""The outcome of VMIs whose launchers disruption budgets select, before placement."""

import pytest

from tests.drain.building import NODE, vmi
from tests.drain.test_outcome import BEFORE_1_5, Listed, budget, firsts, machine, outcome, owned
from webhook.drain.plan import Detail, Outcome
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Version
from webhook.objects.running import RunningVMI


def test_a_budget_that_refuses_an_eviction_blocks_a_vm_that_would_stop() -> None:
    """
    The words of the budget come first, then the reason why the budget is checked.
    """
    refuses = Listed([budget()], "Cannot evict pod as it would violate the pod's disruption budget pdb.")

    assert outcome(vmi(strategy="None"), budgets=refuses) == machine(
        Outcome.BLOCKS,
        Detail.BUDGET,
        "Cannot evict pod as it would violate the pod's disruption budget pdb. evictionStrategy is None, so the drain shuts "
        "the VM down.",
        "Change the budget, or cordon the node and run virtctl restart vm1 -n tenant.",
        strategy="None",
    )


@pytest.mark.parametrize(
    "blocked", [vmi(), vmi(migratable="False"), vmi(strategy="External"), vmi(evacuationNodeName=NODE)]
)
def test_a_budget_is_not_named_if_the_webhook_refuses_the_eviction(blocked: RunningVMI) -> None:
    """
    The API server checks budgets after the webhook.
    """
    refuses = Listed([budget()], "Cannot evict pod.")

    assert outcome(blocked, budgets=refuses) == outcome(blocked)
    assert outcome(blocked, budgets=refuses, version=Version(1, 5, 0)) == outcome(blocked, version=Version(1, 5, 0))


def test_a_second_budget_makes_the_drain_fail_up_to_1_4() -> None:
    """
    Later requests pass the webhook, and KubeVirt has a budget for the launcher too.
    """
    assert outcome(vmi(), budgets=Listed([budget()]), version=BEFORE_1_5) == machine(
        Outcome.BLOCKS,
        Detail.BUDGET,
        "PodDisruptionBudget pdb is a second budget for the launcher beside the budget of KubeVirt 1.4.1, so kubectl drain fails "
        "with status 500 while the VMI is being migrated.",
        "Delete PodDisruptionBudget pdb before the drain, or run kubectl drain again after the migration.",
    )


def test_all_second_budgets_are_named_in_order() -> None:
    """
    The order of the input does not matter.
    """
    several = Listed([budget(name="b"), budget(name="a")])

    assert outcome(vmi(), budgets=several, version=BEFORE_1_5).message.startswith(
        "PodDisruptionBudget a, b is a second"
    )


def test_budgets_of_unknown_pods_are_not_checked() -> None:
    """
    Without its launcher, a VMI has no labels that a budget could select.
    """
    refuses = Listed([budget()], "Cannot evict pod.")

    [stops] = firsts(owned(vmi(strategy="None")), budgets=refuses)
    [moves] = firsts(vmi(), budgets=refuses, version=BEFORE_1_5)

    assert (stops.machine.outcome, moves.machine.outcome) == (Outcome.STOPS, Outcome.MOVES)


def test_the_budget_of_kubevirt_is_no_second_budget() -> None:
    """
    KubeVirt creates its budgets with the VMI as owner.
    """
    kubevirts = Listed([budget("VirtualMachineInstance")])

    assert outcome(vmi(), budgets=kubevirts, version=BEFORE_1_5) == machine(Outcome.MOVES)


def test_budgets_that_were_not_provided_matter_only_if_the_eviction_passes() -> None:
    """
    The message names the missing input.
    """
    missing = Listed(answer=Unknown("no PodDisruptionBudget was provided", "provide them"))

    assert outcome(vmi(), budgets=missing) == machine(Outcome.MOVES)
    assert outcome(vmi(strategy="None"), budgets=missing) == machine(
        Outcome.UNKNOWN,
        Detail.MISSING_FACT,
        "It is unknown whether a budget refuses the eviction: no PodDisruptionBudget was provided.",
        "Provide them.",
        strategy="None",
    )
