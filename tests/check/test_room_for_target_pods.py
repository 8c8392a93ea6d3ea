"""Quotas and nodes without room for the target pod of a VM."""

from typing import Any

import pytest

from tests.check.test_target_pods import checked, domain, finding_of, node, vm
from tests.generating import Manifest


def quota(hard: Manifest, used: Manifest | None = None, namespace: str = "lab", **spec: Any) -> Manifest:
    metadata = {"name": "q", "namespace": namespace} if namespace else {"name": "q"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard, **spec}}
    return body | ({"status": {"hard": hard, "used": used}} if used else {})


FOUR = domain(memory={"guest": "4Gi"}, cpu={"model": "host-passthrough"})


@pytest.mark.parametrize(
    ("hard", "used", "text"),
    [
        (
            {"requests.memory": "8Gi", "pods": "1"},
            None,
            (
                "ResourceQuota 'q' has no room for the VM's own pod and the target pod of a live migration (exceeded quota: q, "
                "requested: pods=1,requests.memory=4610985664, used: pods=1,requests.memory=4610985664, "
                "limited: pods=1,requests.memory=8Gi)"
            ),
        ),
        (
            {"pods": "5"},
            {"pods": "5"},
            (
                "ResourceQuota 'q' has no room left for the target pod of a live migration (exceeded quota: q, "
                "requested: pods=1, used: pods=5, limited: pods=5)"
            ),
        ),
    ],
    ids=["an unused quota", "a full quota"],
)
def test_the_message_has_the_words_of_the_api_server(hard: Manifest, used: Manifest | None, text: str) -> None:
    assert finding_of("LM517", quota(hard, used), vm(domain=FOUR))[0] == text


@pytest.mark.parametrize(
    "objects",
    [
        [quota({"pods": "1"}), vm(evictionStrategy="None", domain=domain(devices={"gpus": [{"name": "g"}]}))],
        [quota({"pods": "many"}), vm(domain=FOUR)],
        [quota({"pods": "1"}), vm(domain=domain(memory={"guest": "many"}))],
        [quota({"pods": "1"}), vm()],
    ],
    ids=["a VM that cannot be live-migrated", "no quantity", "no quantity in the VM", "a VM without memory"],
)
def test_a_quota_says_nothing_about_a_pod_that_is_not_known(objects: list[Manifest]) -> None:
    assert "LM517" not in {finding.rule for judged in checked(*objects).objects for finding in judged.findings}


def test_a_quota_without_a_namespace_applies_to_the_vm() -> None:
    assert finding_of("LM517", quota({"pods": "1"}, namespace=""), vm(domain=FOUR))[1] == (
        "Raise pods of ResourceQuota 'q' by the request of one pod, or make the VM smaller."
    )


def test_a_vm_that_is_larger_than_the_second_node_names_the_first_missing_resource() -> None:
    large, small = ({"cpu": "32", "memory": "64Gi"}, {"cpu": "32", "memory": "4Gi"})
    nodes = [node(name) | {"status": {"allocatable": size}} for name, size in (("n1", large), ("n2", small))]

    assert finding_of("LM518", *nodes, vm(domain=FOUR))[0] == (
        "the VM's pod fits 1 of 2 nodes (node 'n1') when they are empty, so a live migration finds no target node: "
        "node 'n2': Insufficient memory (4398Mi of 4096Mi)"
    )
