"""
Budgets that several stopping VMs of a node share.

Each eviction uses a disruption of the budget until a new launcher is ready. A VM that does not start again keeps its disruption,
so a later eviction can be refused although the budget allows one now.

Source: ``pkg/registry/core/pod/storage/eviction.go`` of Kubernetes v1.34.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from webhook.drain.outcome import First
from webhook.drain.plan import Detail, Outcome
from webhook.scheduling.budgets import Budgets


def with_shared_budgets(firsts: Sequence[First], budgets: Budgets) -> list[First]:
    """
    The outcomes of one node after all its evictions. A VM whose eviction is refused in the end blocks the drain.

    The order of evictions is not defined. This function assumes the worst order: VMs that do not start again are evicted first.
    ``budgets`` stays as it is.
    """
    remaining = budgets.copy()
    refused: dict[int, str] = {}
    for index in sorted(range(len(firsts)), key=lambda index: _starts_again(firsts[index])):
        first = firsts[index]
        if first.machine.outcome is not Outcome.STOPS or first.launcher is None:
            continue
        answer = remaining.evict(first.launcher)
        if answer.is_allowed is False:
            refused[index] = ", ".join(answer.budgets)
        elif not _starts_again(first):
            remaining.disrupt(first.launcher)
    return [_refused(first, refused[index]) if index in refused else first for index, first in enumerate(firsts)]


def _starts_again(first: First) -> bool:
    return first.machine.detail is Detail.RESTARTS


def _refused(first: First, names: str) -> First:
    machine = first.machine
    message = (
        f"PodDisruptionBudget {names} can refuse the eviction, because VMs of this node that do not start again use all its "
        "disruptions."
    )
    remedy = f"Change PodDisruptionBudget {names}, or stop the VM before the drain."
    changed = replace(
        machine, outcome=Outcome.BLOCKS, detail=Detail.BUDGET, message=f"{message} {machine.message}", remedy=remedy
    )
    return replace(first, machine=changed)
