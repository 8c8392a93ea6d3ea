"""
Whether PodDisruptionBudgets let a pod be evicted, in the words of the eviction API.

``Budgets(budgets, pods).evict(pod)`` returns an ``Eviction``. In a rehearsal, ``disrupt`` counts a pod that was evicted and not
replaced.

Source: ``pkg/registry/core/pod/storage/eviction.go`` and ``pkg/controller/disruption/disruption.go`` of Kubernetes v1.34.2.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from webhook.objects.disruption import DisruptionBudgetStatus, PodDisruptionBudget
from webhook.objects.meta import Json, OwnerReference
from webhook.objects.pods import Pod
from webhook.scheduling.label_selectors import selects

CREATED: Final = 201
TOO_MANY_REQUESTS: Final = 429
INTERNAL_ERROR: Final = 500

SEVERAL: Final = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
VIOLATES: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_WITHOUT_SCALE: Final = frozenset(("DaemonSet", "Job", "Node"))
"""Controllers of Kubernetes that have pods and no scale."""
_PERCENT: Final = re.compile(r"[0-9]{1,9}%", re.ASCII)


class Eviction(msgspec.Struct, frozen=True):
    """The answer of the eviction API to one eviction."""

    status: int | None
    """201: the pod is deleted. 429: try again later. 500: the request never succeeds. None: the answer is not known."""
    message: str = ""
    cause: str = ""
    """The cause in the answer, such as ``The disruption budget b needs 2 healthy pods and has 2 currently``."""
    budgets: tuple[str, ...] = ()
    """The names of the budgets that decide, sorted."""
    missing: tuple[str, ...] = ()
    """The facts that are not known."""

    @property
    def is_allowed(self) -> bool | None:
        """Whether the pod can be evicted now, or None if that is not known."""
        return None if self.status is None else self.status == CREATED


_ALLOWED: Final = Eviction(CREATED)


class Budgets:
    """The budgets of all namespaces, and the disruptions that a rehearsal has added."""

    def __init__(
        self,
        budgets: Iterable[PodDisruptionBudget] | None,
        pods: Iterable[Pod] | None = None,
        scales: Mapping[str, int] | None = None,
        without_scale: Collection[str] = (),
    ) -> None:
        """
        ``budgets`` and ``pods`` are all objects of the cluster, or None if they are not known. Pods are needed for budgets
        without a status.

        ``scales`` has the replicas of controllers by UID. ``without_scale`` names kinds of controllers without a scale
        subresource, in addition to those of Kubernetes. A budget with ``maxUnavailable`` or a percentage never allows a
        disruption of their pods.
        """
        self._known = budgets is not None
        self._budgets: dict[str, list[PodDisruptionBudget]] = {}
        for budget in sorted(budgets or (), key=lambda budget: budget.name):
            self._budgets.setdefault(budget.namespace, []).append(budget)
        self._scales = scales or {}
        self._without_scale = _WITHOUT_SCALE.union(without_scale)
        counted = {namespace for namespace, own in self._budgets.items() if any(one.status is None for one in own)}
        self._pods = None if pods is None else _by_namespace(pods, counted)
        self._disrupted: dict[tuple[str, str], int] = {}

    def copy(self) -> "Budgets":
        """A copy with the same disruptions. Later changes of one do not change the other."""
        copied = object.__new__(Budgets)
        copied.__dict__.update(self.__dict__, _disrupted=dict(self._disrupted))
        return copied

    def of(self, pod: Pod) -> tuple[PodDisruptionBudget, ...]:
        """The budgets that select a pod, by name."""
        labels = pod.meta.labels or {}
        return tuple(one for one in self._budgets.get(pod.namespace, ()) if selects(one.spec.selector, labels))

    def evict(self, pod: Pod) -> Eviction:
        """The answer to the eviction of a pod."""
        if pod.is_finished or pod.status.phase == "Pending" or pod.meta.deletion_timestamp:
            return _ALLOWED
        if not self._known:
            return Eviction(None, missing=("PodDisruptionBudgets",))
        budgets = self.of(pod)
        names = tuple(one.name for one in budgets)
        if not budgets:
            return _ALLOWED
        if len(budgets) > 1:
            return Eviction(INTERNAL_ERROR, SEVERAL, budgets=names)
        budget = budgets[0]
        if not is_ready(pod) and budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
            return Eviction(CREATED, budgets=names)
        status = self._status(budget)
        if isinstance(status, str):
            return Eviction(None, budgets=names, missing=(status,))
        if not is_ready(pod) and status.current_healthy >= status.desired_healthy > 0:
            return Eviction(CREATED, budgets=names)
        if status.disruptions_allowed > 0:
            return Eviction(CREATED, budgets=names)
        needs = f"needs {status.desired_healthy} healthy pods and has {status.current_healthy} currently"
        return Eviction(TOO_MANY_REQUESTS, VIOLATES, f"The disruption budget {budget.name} {needs}", names)

    def disrupt(self, pod: Pod) -> None:
        """Counts a pod that was evicted. A pod that is not ready does not count."""
        for budget in self.of(pod) if is_ready(pod) else ():
            key = (budget.namespace, budget.name)
            self._disrupted[key] = self._disrupted.get(key, 0) + 1

    def _status(self, budget: PodDisruptionBudget) -> DisruptionBudgetStatus | str:
        """The status of a budget now, or the missing fact."""
        status = budget.status if budget.status is not None else self._computed(budget)
        if isinstance(status, str):
            return status
        disrupted = self._disrupted.get((budget.namespace, budget.name), 0)
        if not disrupted:
            return status
        return msgspec.structs.replace(
            status,
            current_healthy=status.current_healthy - disrupted,
            disruptions_allowed=max(0, status.disruptions_allowed - disrupted),
        )

    def _computed(self, budget: PodDisruptionBudget) -> DisruptionBudgetStatus | str:
        """The status that the disruption controller writes (``trySync``), or the missing fact."""
        if self._pods is None:
            return f"the status of PodDisruptionBudget {budget.namespace}/{budget.name}, or all pods of the namespace"
        pods = [
            pod for pod in self._pods.get(budget.namespace, ()) if selects(budget.spec.selector, pod.meta.labels or {})
        ]
        limit = budget.spec.min_available if budget.spec.max_unavailable is None else budget.spec.max_unavailable
        if limit is None:
            return _failed()
        if budget.spec.max_unavailable is None and isinstance(limit, int):
            expected: int | None | str = len(pods)
        else:
            expected = self._scale(pods)
        if isinstance(expected, str):
            return expected
        scaled = None if expected is None else _scaled(limit, expected)
        if expected is None or scaled is None:
            return _failed()
        desired = scaled if budget.spec.max_unavailable is None else max(0, expected - scaled)
        healthy = sum(not pod.meta.deletion_timestamp and is_ready(pod) for pod in pods)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        return DisruptionBudgetStatus(allowed, healthy, desired, expected)

    def _scale(self, pods: list[Pod]) -> int | None | str:
        """The replicas of all controllers (``getExpectedScale``), None if one has no scale, or the missing fact."""
        owners = {owner.uid: owner for owner in map(_controller, pods) if owner is not None}
        if any(owner.kind in self._without_scale for owner in owners.values()):
            return None
        for uid, owner in owners.items():
            if uid not in self._scales:
                return f"the replicas of {owner.kind} {owner.name}"
        return sum(self._scales[uid] for uid in owners)


def is_ready(pod: Pod) -> bool:
    """Whether the condition Ready has status True (``IsPodReady``)."""
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions or ())


def _failed() -> DisruptionBudgetStatus:
    """The status after the controller fails to compute it (``failSafe``)."""
    return DisruptionBudgetStatus()


def _controller(pod: Pod) -> OwnerReference | None:
    return next((owner for owner in pod.meta.owner_references or () if owner.controller), None)


def _scaled(limit: Json, total: int) -> int | None:
    """A number, or a percentage of ``total`` rounded up (``GetScaledValueFromIntOrPercent``). None if it is neither."""
    if isinstance(limit, int):
        return limit
    if isinstance(limit, str) and _PERCENT.fullmatch(limit):
        return -(-int(limit[:-1]) * total // 100)
    return None


def _by_namespace(pods: Iterable[Pod], namespaces: Collection[str]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = {}
    if namespaces:
        for pod in pods:
            if pod.namespace in namespaces:
                found.setdefault(pod.namespace, []).append(pod)
    return found
