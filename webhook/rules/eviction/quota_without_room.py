"""A live migration needs room for a second pod in the quotas of the namespace."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.objects.meta import Json
from webhook.rules.example import NAMESPACE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if facts.room is None or not facts.replicas:
        return
    for quota in facts.room.quotas:
        room = "has no room left for" if quota.is_full else "has no room for the VM's own pod and"
        message = f"ResourceQuota {quota.quota!r} {room} the target pod of a live migration ({quota.text})"
        remedy = (
            f"Raise {_listed(quota.resources)} of ResourceQuota {quota.quota!r} by the request of one pod, or make the VM "
            "smaller."
        )
        yield Violation(facts.vmi.at("domain"), message, f"quota {quota.quota}", remedy)


def _listed(resources: tuple[str, ...]) -> str:
    return " and ".join(resources)


def _quota(hard: Json, used: Json = None, namespace: str = NAMESPACE, **spec: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": namespace},
        "spec": {"hard": hard, **spec},
        **({"status": {"hard": hard, "used": used}} if used else {}),
    }


_VM = "{domain: {devices: {}, memory: {guest: 4Gi}}}"
_AT = ("domain",)
RULE = Rule(
    id="LM517",
    name="quota-without-room",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="A ResourceQuota has no room for the target pod of a live migration.",
    rationale=(
        "During a live migration, the namespace contains two pods of the VM, and both count against its quotas. If a quota "
        "refuses the target pod, the migration stays pending, and a node drain waits. The requests of the pod include "
        "KubeVirt's memory overhead. Without status.used of the quota, only the VM's own two pods count."
    ),
    remediation="Raise the quota by the request of one pod of the largest VM.",
    source=(
        "pkg/virt-controller/watch/migration/migration.go handleTargetPodCreation and "
        "pkg/virt-controller/services/renderresources.go, v1.9.0; k8s.io/apiserver "
        "pkg/admission/plugin/resourcequota/controller.go, v0.34"
    ),
    reference="https://kubernetes.io/docs/concepts/policy/resource-quotas/",
    check=check,
    examples=(
        Example("no quota", _VM),
        Example("room for two pods", _VM, world=(_quota({"requests.memory": "9Gi", "pods": "2"}),)),
        Example("a quota of another namespace", _VM, world=(_quota({"pods": "1"}, namespace="other"),)),
        Example("a quota of other resources", _VM, world=(_quota({"services": "1"}),)),
        Example(
            "a quota with a scope that the pod is not in", _VM, world=(_quota({"pods": "1"}, scopes=["Terminating"]),)
        ),
        Example("a VM that is stopped", _VM, vm_spec="{runStrategy: Halted}", world=(_quota({"pods": "1"}),)),
        Example(
            "room for one more pod beside the used amount",
            _VM,
            world=(_quota({"requests.memory": "20Gi"}, {"requests.memory": "15Gi"}),),
        ),
        Example("room for one pod", _VM, world=(_quota({"pods": "1"}),), violates=_AT),
        Example(
            "twice the guest memory, without the overhead",
            _VM,
            world=(_quota({"requests.memory": "8Gi"}),),
            violates=_AT,
        ),
        Example(
            "a quota that is used",
            _VM,
            world=(_quota({"requests.memory": "20Gi"}, {"requests.memory": "16Gi"}),),
            violates=_AT,
        ),
        Example(
            "limits.memory, which is twice the request by default",
            _VM,
            world=(_quota({"limits.memory": "16Gi"}),),
            violates=_AT,
        ),
    ),
)
