"""PodDisruptionBudgets answer evictions as the API server's eviction API does."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from tests.apiserver.client import Client, Reply
from tests.apiserver.controlplane import ControlPlane
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.pods import Pod
from webhook.scheduling.budgets import Budgets, Eviction

Json = dict[str, Any]

NAMESPACES = 15
PODS = 8


def budget(random: Random, name: str) -> tuple[Json, Json]:
    """A budget, and its status."""
    selectors = (
        {},
        {"matchLabels": {"app": "a"}},
        {"matchExpressions": [{"key": "app", "operator": random.choice(("Exists", "DoesNotExist"))}]},
    )
    spec: Json = {"selector": random.choice(selectors)} if random.random() < 0.95 else {}
    spec[random.choice(("minAvailable", "maxUnavailable"))] = random.choice((1, 2, "50%"))
    if random.random() < 0.5:
        spec["unhealthyPodEvictionPolicy"] = random.choice(("AlwaysAllow", "IfHealthyBudget"))
    status = {
        "disruptionsAllowed": random.choice((0, 0, 1)),
        "currentHealthy": random.choice((0, 1, 2)),
        "desiredHealthy": random.choice((0, 1, 2)),
        "expectedPods": 2,
        "observedGeneration": 1,
    }
    meta = {"name": name}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}, status


def pod(random: Random, name: str) -> tuple[Json, Json]:
    """A pod on a node, and its status."""
    meta = {"name": name, "labels": random.choice(({}, {"app": "a"}, {"app": "b"}))}
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "x"}]}
    ready = [{"type": "Ready", "status": random.choice(("True", "True", "False"))}]
    phase = random.choice((*["Running"] * 5, "Pending", "Failed", "Succeeded"))
    status = {"phase": phase, "conditions": ready if random.random() < 0.9 else []}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}, status


def created(client: Client, path: str, one: tuple[Json, Json]) -> Json:
    """The object after its status was written, as a controller or kubelet writes it."""
    stored, status = client.create(path, one[0]), one[1]
    reply = client.api("PUT", f"{path}/{stored['metadata']['name']}/status", stored | {"status": status})
    assert reply.status == 200, reply.document
    return reply.document


def answer(reply: Reply) -> tuple[int, str, str]:
    """Status, message and cause of the answer to an eviction."""
    if reply.status == 201 and reply.document.get("status") == "Success":
        return 201, "", ""
    details = reply.document.get("details") or {}
    causes = details.get("causes") or [{}]
    return int(reply.document["code"]), str(reply.document["message"]), str(causes[0].get("message", ""))


def evictions(client: Client, random: Random) -> Iterator[tuple[tuple[int, str, str], Eviction]]:
    """The answers of the API server and of ``Budgets`` to evictions with a dry run."""
    for _ in range(NAMESPACES):
        namespace = client.create_namespace("budget")
        path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
        listed = [created(client, path, budget(random, f"b{index}")) for index in range(random.choice((0, 1, 1, 1, 2)))]
        budgets = Budgets([msgspec.convert(one, PodDisruptionBudget) for one in listed])
        for index in range(PODS):
            pods = f"/api/v1/namespaces/{namespace}/pods"
            one = created(client, pods, pod(random, f"p{index}"))
            request = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": f"p{index}", "namespace": namespace},
                "deleteOptions": {"dryRun": ["All"]},
            }
            reply = client.api("POST", f"{pods}/p{index}/eviction", request)
            yield answer(reply), budgets.evict(msgspec.convert(one, Pod))


@pytest.mark.apiserver
def test_budgets_answer_in_the_words_of_the_eviction_api(control_plane: ControlPlane) -> None:
    """
    The statuses of budgets and pods are generated, because no controller runs.
    """
    compared = list(evictions(control_plane.client, Random(16)))

    assert [theirs for theirs, _ in compared] == [(ours.status, ours.message, ours.cause) for _, ours in compared]
    assert {ours.status for _, ours in compared} == {201, 429, 500}
