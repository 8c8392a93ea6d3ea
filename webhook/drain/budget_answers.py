"""The answers of PodDisruptionBudgets to the evictions of launchers that KubeVirt's webhook lets pass."""

from collections.abc import Sequence

from webhook.facts.fleet import Fleet
from webhook.facts.unknown import Fact, Unknown
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.pods import Pod
from webhook.scheduling.budgets import Budgets

_WITHOUT_SCALE = ("VirtualMachineInstance",)
"""
The owner of a launcher. It has no scale, so a budget with ``maxUnavailable`` allows no disruption (kubevirt/kubevirt#18063).
"""


class BudgetAnswers:
    """The budgets of a cluster. Without budgets in the input, no budget is assumed."""

    def __init__(self, fleet: Fleet) -> None:
        pods = fleet.every(Pod)
        self._unread = fleet.unread.get(PodDisruptionBudget)
        budgets = fleet.given(PodDisruptionBudget) if self._unread is None else None
        self.budgets = Budgets(budgets, None if isinstance(pods, Unknown) else pods, without_scale=_WITHOUT_SCALE)

    def selecting(self, pod: Pod) -> Fact[Sequence[PodDisruptionBudget]]:
        """The budgets that select the pod."""
        return self.budgets.of(pod) if self._unread is None else Unknown(self._unread, "provide PodDisruptionBudgets")

    def refusal(self, pod: Pod) -> Fact[str]:
        """The reason why a budget refuses the eviction of the pod now, as a sentence, or an empty text."""
        answer = self.budgets.evict(pod)
        if answer.is_allowed is None:
            missing = " and ".join(answer.missing)
            return Unknown(f"{missing} not known", f"provide {missing}")
        if answer.is_allowed:
            return ""
        names = ", ".join(answer.budgets)
        cause = answer.cause or answer.message.rstrip(".")
        if any(budget.spec.max_unavailable is not None for budget in self.budgets.of(pod)):
            cause = f"{cause}. A VMI has no scale, so maxUnavailable allows no disruption. Use minAvailable"
        return f"PodDisruptionBudget {names} refuses the eviction: {cause}."
