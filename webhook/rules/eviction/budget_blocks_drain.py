"""A PodDisruptionBudget for launcher pods blocks a node drain if KubeVirt does not live-migrate the VM."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.kubevirt.releases import KNOWN, Release, Releases, before
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.meta import Json
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.example import NAMESPACE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_SECOND_BUDGET: Releases = before(Release(1, 5))
"""Up to 1.4, later requests of a drain reach the budgets, and a second budget on one pod makes the eviction fail."""


def check(facts: TargetFacts) -> Iterator[Outcome]:
    path = strategy_path(facts.drain)
    for budget in facts.budgets:
        subject = f"budget {budget.name}"
        if _passes_kubevirt(facts) and _allows_none(budget, facts.replicas):
            message = (
                f"PodDisruptionBudget {budget.name!r} allows no disruption, and KubeVirt does not live-migrate this VM in a "
                "node drain, so the drain waits"
            )
            yield Violation(path, message, subject, releases=KNOWN)
        elif facts.drain.strategy in {"LiveMigrate", "LiveMigrateIfPossible"} and facts.drain.migratable:
            message = (
                f"PodDisruptionBudget {budget.name!r} is a second budget on the VM's pod, so the pod's eviction fails "
                "with status 500 in KubeVirt 1.4 and earlier"
            )
            yield Violation(path, message, subject, releases=_SECOND_BUDGET)


def _passes_kubevirt(facts: TargetFacts) -> bool:
    """Whether the eviction of the pod reaches the budgets (``pod-eviction-admitter.go``)."""
    strategy = facts.drain.strategy
    return strategy == "None" or (strategy == "LiveMigrateIfPossible" and facts.drain.migratable is False)


def _allows_none(budget: PodDisruptionBudget, replicas: int) -> bool:
    """
    Whether the budget allows no disruption. ``maxUnavailable`` never allows one, because a VMI has no scale subresource
    (kubevirt/kubevirt#18063).
    """
    if budget.spec.max_unavailable is not None:
        return True
    minimum = budget.spec.min_available
    return minimum == "100%" or (
        isinstance(minimum, int) and not isinstance(minimum, bool) and minimum >= max(replicas, 1) == 1
    )


def _budget(app: str = "vm", **limits: Json) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "p", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": {"app": app}}, **limits},
    }


_NONE = _budget(maxUnavailable=0)
_APP = {"app": "vm"}
_STOPS = f"{{evictionStrategy: None, {MIGRATABLE}}}"
_MOVES = f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"
_AT = ("evictionStrategy",)
RULE = Rule(
    id="LM512",
    name="budget-blocks-drain",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="A PodDisruptionBudget blocks the drain of the VM's node.",
    rationale=(
        "If KubeVirt live-migrates the VM, it answers the eviction request before budgets are read. For other VMs, "
        "the budget decides. A budget with maxUnavailable never allows the eviction of a VM's pod. Up to 1.5, "
        "KubeVirt creates a budget for each VM itself."
    ),
    remediation="Change the budget's selector, or write `evictionStrategy: LiveMigrate` for a VM that can be live-migrated.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.4.1 and v1.9.0; "
        "kubevirt/kubevirt#18063 and kubernetes/kubernetes#75957"
    ),
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("LiveMigrate, for which KubeVirt does not read budgets", _MOVES, labels=_APP, world=(_NONE,)),
        Example("a budget for other pods", _STOPS, labels=_APP, world=(_budget("web", maxUnavailable=0),)),
        Example("a budget that allows a disruption", _STOPS, labels=_APP, world=(_budget(minAvailable=0),)),
        Example("no budget", _STOPS, labels=_APP),
        Example("maxUnavailable and strategy None", _STOPS, labels=_APP, world=(_NONE,), violates=_AT),
        Example(
            "maxUnavailable 1, which never allows the disruption of a VM",
            _STOPS,
            labels=_APP,
            world=(_budget(maxUnavailable=1),),
            violates=_AT,
        ),
        Example(
            "LiveMigrateIfPossible and a VM that cannot be live-migrated",
            f"{{evictionStrategy: LiveMigrateIfPossible, {NOT_MIGRATABLE}}}",
            labels=_APP,
            world=(_NONE,),
            violates=_AT,
        ),
        Example("LiveMigrate in KubeVirt 1.4", _MOVES, labels=_APP, world=(_NONE,), violates=_AT, release="1.4"),
    ),
)
