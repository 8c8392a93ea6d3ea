"""A PodDisruptionBudget with maxUnavailable has no effect on a VM that KubeVirt live-migrates."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.kubevirt.releases import Release, Releases, since
from webhook.objects.meta import Json
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.example import NAMESPACE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

WITHOUT_OWN_BUDGETS: Releases = since(Release(1, 6))
"""The releases in which KubeVirt creates no budgets itself (commit 8fca829896)."""
_MOVES = frozenset(("LiveMigrate", "LiveMigrateIfPossible"))


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if facts.drain.strategy not in _MOVES or not facts.drain.migratable:
        return
    for budget in facts.budgets:
        if budget.spec.max_unavailable is not None:
            yield Violation(
                strategy_path(facts.drain),
                f"PodDisruptionBudget {budget.name!r} has maxUnavailable, which allows no disruption of a VM's pod; the live "
                "migration of this VM does not wait for it",
                f"budget {budget.name}",
                releases=WITHOUT_OWN_BUDGETS,
            )


def _budget(app: str = "vm", **limits: Json) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "p", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": {"app": app}}, **limits},
    }


_APP = {"app": "vm"}
_LIVE = f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"
_AT = ("evictionStrategy",)
RULE = Rule(
    id="LM513",
    name="budget-without-effect",
    about=About.TARGET,
    severity=Severity.INFO,
    summary="A PodDisruptionBudget with maxUnavailable selects the pod of a VM that KubeVirt live-migrates.",
    rationale=(
        "KubeVirt's webhook answers the eviction request and starts the live migration, so the API server does not read the "
        "budget. The budget neither blocks nor limits such moves. For a VM that stops instead, maxUnavailable blocks the "
        "drain with any value, because VMIs have no scale subresource."
    ),
    remediation="Write minAvailable instead of maxUnavailable, or change the selector so that it selects no VM.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.6.6 and v1.9.0; "
        "kubevirt/kubevirt#18063"
    ),
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("no budget", _LIVE, labels=_APP),
        Example("a budget for other pods", _LIVE, labels=_APP, world=(_budget("web", maxUnavailable=0),)),
        Example(
            "strategy None, so the budget decides",
            f"{{evictionStrategy: None, {MIGRATABLE}}}",
            labels=_APP,
            world=(_budget(maxUnavailable=0),),
        ),
        Example(
            "a VM that cannot be live-migrated",
            f"{{evictionStrategy: LiveMigrateIfPossible, {NOT_MIGRATABLE}}}",
            labels=_APP,
            world=(_budget(maxUnavailable=0),),
        ),
        Example("KubeVirt 1.5", _LIVE, labels=_APP, world=(_budget(maxUnavailable=0),), release="1.5"),
        Example("minAvailable", _LIVE, labels=_APP, world=(_budget(minAvailable=1),)),
        Example("maxUnavailable: 50%", _LIVE, labels=_APP, world=(_budget(maxUnavailable="50%"),), violates=_AT),
        Example("maxUnavailable: 0", _LIVE, labels=_APP, world=(_budget(maxUnavailable=0),), violates=_AT),
        Example(
            "LiveMigrateIfPossible and a VM that can be live-migrated",
            f"{{evictionStrategy: LiveMigrateIfPossible, {MIGRATABLE}}}",
            labels=_APP,
            world=(_budget(maxUnavailable=1),),
            violates=_AT,
        ),
    ),
)
