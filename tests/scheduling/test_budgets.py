"""PodDisruptionBudgets answer evictions as the eviction API and the disruption controller do."""

from typing import Any

import msgspec
import pytest

from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.pods import Pod
from webhook.scheduling.budgets import SEVERAL, VIOLATES, Budgets, Eviction

Json = dict[str, Any]
EVERY: Json = {"selector": {}}


def budget(name: str = "b", status: Json | None = None, **spec: Any) -> PodDisruptionBudget:
    value: Json = {"metadata": {"name": name, "namespace": "shop"}, "spec": EVERY | spec}
    return msgspec.convert(value | ({} if status is None else {"status": status}), PodDisruptionBudget)


def pod(
    ready: bool = True, phase: str = "Running", owner: Json | None = None, deleted: str | None = None, **labels: str
) -> Pod:
    meta = {
        "name": "p",
        "namespace": "shop",
        "labels": labels,
        "deletionTimestamp": deleted,
        "ownerReferences": [{"controller": True, **owner}] if owner else [],
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return msgspec.convert({"metadata": meta, "status": {"phase": phase, "conditions": conditions}}, Pod)


def status(allowed: int, healthy: int = 2, desired: int = 2) -> Json:
    return {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired}


SET: Json = {"kind": "ReplicaSet", "name": "r", "uid": "1"}
MACHINE: Json = {"kind": "VirtualMachineInstance", "name": "v", "uid": "2"}


def test_a_budget_that_allows_a_disruption_lets_the_pod_be_evicted() -> None:
    assert Budgets([budget(status=status(1))]).evict(pod()) == Eviction(201, budgets=("b",))


def test_a_budget_that_allows_none_answers_in_the_words_of_the_eviction_api() -> None:
    assert Budgets([budget(status=status(0))]).evict(pod()) == Eviction(
        429, VIOLATES, "The disruption budget b needs 2 healthy pods and has 2 currently", ("b",)
    )


def test_two_budgets_on_one_pod_make_every_eviction_fail() -> None:
    both = [budget(name, status=status(5)) for name in ("b", "a")]
    assert Budgets(both).evict(pod()) == Eviction(500, SEVERAL, budgets=("a", "b"))


@pytest.mark.parametrize(
    "gone", [pod(phase="Pending"), pod(phase="Failed"), pod(phase="Succeeded"), pod(deleted="now")]
)
def test_a_pod_that_does_not_run_is_evicted_whatever_its_budgets(gone: Pod) -> None:
    both = [budget(name, status=status(0)) for name in ("a", "b")]
    assert Budgets(both).evict(gone).status == 201
    assert Budgets(None).evict(gone).status == 201


@pytest.mark.parametrize(
    ("spec", "current", "answer"),
    [
        ({"unhealthyPodEvictionPolicy": "AlwaysAllow"}, status(0, 0, 1), 201),
        ({}, status(0, 2, 2), 201),
        ({"unhealthyPodEvictionPolicy": "IfHealthyBudget"}, status(0, 1, 2), 429),
        ({}, status(0, 0, 0), 429),
        ({}, status(1, 0, 0), 201),
    ],
)
def test_a_pod_that_is_not_ready_follows_the_policy_for_unhealthy_pods(spec: Json, current: Json, answer: int) -> None:
    assert Budgets([budget(status=current, **spec)]).evict(pod(ready=False)).status == answer


def test_a_budget_protects_only_the_pods_that_it_selects() -> None:
    selector = {"matchLabels": {"app": "db"}}
    budgets = Budgets([budget(status=status(0), selector=selector)])
    assert budgets.evict(pod(app="web")).status == 201
    assert budgets.evict(pod(app="db")).status == 429


def test_a_budget_without_a_selector_protects_no_pod() -> None:
    without = msgspec.convert({"metadata": {"namespace": "shop"}, "spec": {}, "status": status(0)}, PodDisruptionBudget)
    assert Budgets([without]).evict(pod()).status == 201


def test_budgets_of_another_namespace_do_not_apply() -> None:
    other = msgspec.structs.replace(pod(), metadata=None)
    assert Budgets([budget(status=status(0))]).evict(other).status == 201


@pytest.mark.parametrize(
    ("spec", "ready", "answer"),
    [
        ({"minAvailable": 1}, 2, 201),
        ({"minAvailable": 2}, 2, 429),
        ({"minAvailable": 0}, 1, 201),
        ({"minAvailable": "50%"}, 2, 429),
        ({"minAvailable": "50%"}, 3, 201),
        ({"maxUnavailable": 1}, 3, 201),
        ({"maxUnavailable": 1}, 2, 429),
        ({"maxUnavailable": "34%"}, 2, 201),
        ({"maxUnavailable": "half"}, 3, 429),
        ({}, 3, 429),
    ],
)
def test_a_budget_without_a_status_is_computed_from_its_pods(spec: Json, ready: int, answer: int) -> None:
    """The controller of the pods has three replicas."""
    pods = [pod(owner=SET) for _ in range(ready)] + [pod(ready=False, owner=SET), pod(deleted="now", owner=SET)]
    assert Budgets([budget(**spec)], pods, {"1": 3}).evict(pods[0]).status == answer


def test_the_status_is_unknown_without_the_pods() -> None:
    answer = Budgets([budget(minAvailable=1)]).evict(pod())
    assert answer.is_allowed is None
    assert answer.missing == ("the status of PodDisruptionBudget shop/b, or all pods of the namespace",)


def test_a_percentage_is_unknown_without_the_replicas_of_the_controller() -> None:
    pods = [pod(owner=SET)]
    assert Budgets([budget(minAvailable="50%")], pods).evict(pods[0]).missing == ("the replicas of ReplicaSet r",)


@pytest.mark.parametrize("spec", [{"maxUnavailable": 1}, {"maxUnavailable": "100%"}, {"minAvailable": "0%"}])
def test_a_budget_never_allows_a_disruption_if_a_controller_has_no_scale(spec: Json) -> None:
    """kubevirt/kubevirt#18063"""
    pods = [pod(owner=MACHINE), pod(owner=MACHINE | {"uid": "3"})]
    answer = Budgets([budget(**spec)], pods, without_scale=["VirtualMachineInstance"]).evict(pods[0])
    assert answer.cause == "The disruption budget b needs 0 healthy pods and has 0 currently"


def test_a_number_of_available_pods_needs_no_scale() -> None:
    pods = [pod(owner=MACHINE), pod(owner=MACHINE)]
    budgets = Budgets([budget(minAvailable=1)], pods, without_scale=["VirtualMachineInstance"])
    assert budgets.evict(pods[0]).is_allowed


def test_pods_without_a_controller_do_not_count_in_a_percentage() -> None:
    assert Budgets([budget(maxUnavailable=1)], [pod(), pod()]).evict(pod()).status == 429


def test_budgets_that_were_not_read_are_missing() -> None:
    assert Budgets(None).evict(pod()).missing == ("PodDisruptionBudgets",)


def test_evictions_of_a_rehearsal_count_in_one_copy_only() -> None:
    budgets = Budgets([budget(status=status(1, 3, 2))])
    before = budgets.copy()
    budgets.disrupt(pod())
    assert budgets.evict(pod()).cause == "The disruption budget b needs 2 healthy pods and has 2 currently"
    assert before.evict(pod()).is_allowed


def test_an_eviction_of_a_pod_that_is_not_ready_does_not_count() -> None:
    budgets = Budgets([budget(status=status(1, 3, 2))])
    budgets.disrupt(pod(ready=False))
    assert budgets.evict(pod()).is_allowed
