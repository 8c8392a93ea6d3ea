"""ResourceQuotas refuse pods and claims as the API server does, and count the objects of a rehearsal."""

from typing import Any

import msgspec
import pytest

from webhook.objects.pods import Pod
from webhook.objects.quotas import ResourceQuota
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.volumes import VolumeClaim
from webhook.scheduling.quota import Quotas, Refusal

Json = dict[str, Any]


def quota(hard: Json, used: Json | None = None, name: str = "q", **spec: Any) -> ResourceQuota:
    status = {} if used is None else {"status": {"hard": hard, "used": used}}
    meta = {"name": name, "namespace": "shop"}
    return msgspec.convert({"metadata": meta, "spec": {"hard": hard, **spec}, **status}, ResourceQuota)


def pod(requests: Json | None = None, limits: Json | None = None, status: Json | None = None, **spec: Any) -> Pod:
    containers = [{"name": "compute", "resources": {"requests": requests or {}, "limits": limits or {}}}]
    value = {
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"containers": containers, **spec},
        "status": status or {},
    }
    return msgspec.convert(value, Pod)


def claim(storage: str, storage_class: str | None = None) -> PersistentVolumeClaim:
    spec = {"storageClassName": storage_class, "resources": {"requests": {"storage": storage}}}
    return msgspec.convert({"metadata": {"name": "c", "namespace": "shop"}, "spec": spec}, PersistentVolumeClaim)


def refusals(one: ResourceQuota, created: Pod) -> list[str]:
    return [refusal.text for refusal in Quotas([one]).pod(created).refusals]


def test_a_pod_within_the_quota_is_admitted() -> None:
    assert Quotas([quota({"pods": "5"}, {"pods": "4"})]).pod(pod()).admits


def test_an_exceeded_quota_is_reported_in_the_words_of_the_api_server() -> None:
    one = quota(
        {"requests.memory": "10Gi", "pods": "4", "requests.cpu": "10"},
        {"requests.memory": "9Gi", "pods": "4", "requests.cpu": "1"},
    )
    assert Quotas([one]).pod(pod({"memory": "2Gi", "cpu": "1"})).refusals == (
        Refusal(
            "q",
            "exceeded",
            ("pods", "requests.memory"),
            "exceeded quota: q, requested: pods=1,requests.memory=2Gi, used: pods=4,requests.memory=9Gi, "
            "limited: pods=4,requests.memory=10Gi",
        ),
    )


@pytest.mark.parametrize(
    ("resource", "requests", "limits"),
    [
        ("cpu", {"cpu": "2"}, {}),
        ("requests.cpu", {"cpu": "2"}, {}),
        ("limits.cpu", {"cpu": "1"}, {"cpu": "2"}),
        ("limits.memory", {"memory": "1"}, {"memory": "2"}),
        ("requests.ephemeral-storage", {"ephemeral-storage": "2"}, {}),
        ("limits.ephemeral-storage", {}, {"ephemeral-storage": "2"}),
        ("hugepages-2Mi", {"hugepages-2Mi": "4Mi"}, {}),
        ("requests.hugepages-2Mi", {"hugepages-2Mi": "4Mi"}, {}),
        ("requests.nvidia.com/gpu", {"nvidia.com/gpu": "2"}, {}),
        ("requests.devices.kubevirt.io/kvm", {"devices.kubevirt.io/kvm": "2"}, {}),
        ("count/pods", {}, {}),
    ],
)
def test_each_resource_of_a_quota_is_counted(resource: str, requests: Json, limits: Json) -> None:
    answer = Quotas([quota({resource: "1"}, {resource: "1"})]).pod(pod(requests, limits))
    assert [refusal.resources for refusal in answer.refusals] == [(resource,)]


def test_a_resource_that_the_pod_does_not_request_does_not_refuse_it() -> None:
    assert not refusals(quota({"requests.nvidia.com/gpu": "1"}, {"requests.nvidia.com/gpu": "3"}), pod({"cpu": "1"}))


def test_every_container_must_specify_cpu_and_memory_if_the_quota_limits_them() -> None:
    one = quota({"limits.cpu": "4", "requests.memory": "4Gi"}, {"limits.cpu": "0", "requests.memory": "0"})
    assert refusals(one, pod({"cpu": "1"}, initContainers=[{"name": "disk"}])) == [
        "failed quota: q: must specify limits.cpu for: compute,disk; requests.memory for: compute,disk"
    ]


def test_pod_level_resources_replace_the_resources_that_containers_must_specify() -> None:
    one = quota({"limits.cpu": "4"}, {"limits.cpu": "0"})
    assert not refusals(one, pod(resources={"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}))


def test_a_quota_without_usage_in_its_status_refuses_every_pod() -> None:
    assert refusals(quota({"pods": "4", "count/pods": "4"}, {"pods": "0"}), pod()) == [
        "status unknown for quota: q, resources: count/pods,pods"
    ]


def test_a_container_without_a_resource_is_reported_before_an_exceeded_quota() -> None:
    full = quota({"pods": "0"}, {"pods": "0"}, name="a")
    answer = Quotas([full, quota({"cpu": "1"}, {"cpu": "0"}, name="b")]).pod(pod())
    assert [refusal.reason for refusal in answer.refusals] == ["mustSpecify"]


def test_every_exceeded_quota_is_reported() -> None:
    answer = Quotas([quota({"pods": "0"}, {"pods": "0"}, name=name) for name in ("b", "a")]).pod(pod())
    assert [refusal.quota for refusal in answer.refusals] == ["a", "b"]


EXPRESSION = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
AFFINITY = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["other"]}]}}
PREFERRED = {
    "podAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"namespaceSelector": {}}}]
    }
}


@pytest.mark.parametrize(
    ("spec", "inside", "outside"),
    [
        ({"scopes": ["Terminating"]}, pod(activeDeadlineSeconds=0), pod()),
        ({"scopes": ["NotTerminating"]}, pod(), pod(activeDeadlineSeconds=5)),
        ({"scopes": ["BestEffort"]}, pod({"example.com/a": "1"}), pod({"cpu": "1m"})),
        ({"scopes": ["NotBestEffort"]}, pod({}, {"memory": "1"}), pod({"cpu": "0"})),
        ({"scopes": ["NotBestEffort"]}, pod(resources={"requests": {"cpu": "1"}}), pod({"cpu": "1"}, resources={})),
        ({"scopes": ["CrossNamespacePodAffinity"]}, pod(affinity=AFFINITY), pod(affinity={"podAntiAffinity": {}})),
        ({"scopes": ["CrossNamespacePodAffinity"]}, pod(affinity=PREFERRED), pod(affinity={})),
        ({"scopes": ["PriorityClass"]}, pod(priorityClassName="low"), pod()),
        ({"scopeSelector": {"matchExpressions": [EXPRESSION]}}, pod(priorityClassName="high"), pod()),
        (
            {"scopeSelector": {"matchExpressions": [{**EXPRESSION, "operator": "NotIn"}]}},
            pod(),
            pod(priorityClassName="high"),
        ),
        (
            {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]}},
            pod(),
            pod(priorityClassName="low"),
        ),
        ({"scopes": ["Terminating", "BestEffort"]}, pod(activeDeadlineSeconds=1), pod()),
        ({"scopes": ["VolumeAttributesClass"]}, None, pod()),
    ],
)
def test_a_quota_with_scopes_counts_only_pods_in_all_of_them(spec: Json, inside: Pod | None, outside: Pod) -> None:
    full = quota({"pods": "0"}, {"pods": "0"}, **spec)
    assert inside is None or refusals(full, inside)
    assert not refusals(full, outside)


def test_the_quotas_of_another_namespace_do_not_apply() -> None:
    other = msgspec.structs.replace(pod(), metadata=None)
    assert not Quotas([quota({"pods": "0"}, {"pods": "0"})]).pod(other).refusals


def test_a_quota_without_limits_for_pods_does_not_count_them() -> None:
    assert not refusals(quota({"services": "0", "requests.storage": "0"}, {"services": "0"}), pod())


def test_usage_is_computed_from_the_pods_of_the_namespace_if_the_quota_has_no_status() -> None:
    running = [pod({"memory": "1Gi"}), pod({"memory": "2Gi"})]
    finished = pod({"memory": "8Gi"}, status={"phase": "Succeeded"})
    quotas = Quotas([quota({"requests.memory": "4Gi", "count/pods": "9"})], [*running, finished])
    assert quotas.pod(pod({"memory": "1Gi"})).admits
    assert [refusal.text for refusal in quotas.pod(pod({"memory": "1025Mi"})).refusals] == [
        "exceeded quota: q, requested: requests.memory=1025Mi, used: requests.memory=3Gi, limited: requests.memory=4Gi"
    ]


def test_usage_is_unknown_if_neither_a_status_nor_the_pods_are_known() -> None:
    answer = Quotas([quota({"pods": "4"})]).pod(pod())
    assert answer.admits is None
    assert answer.missing == ("status.used of ResourceQuota shop/q, or all pods of the namespace",)


def test_quotas_that_were_not_read_are_missing() -> None:
    answer = Quotas(None).pod(pod())
    assert answer.admits is None
    assert answer.missing == ("ResourceQuotas",)


def test_pods_of_a_rehearsal_count_and_give_back_their_usage() -> None:
    quotas = Quotas([quota({"pods": "5", "requests.memory": "4Gi"}, {"pods": "4", "requests.memory": "3Gi"})])
    created = pod({"memory": "1Gi"})
    quotas.charge(created)
    assert [refusal.text for refusal in quotas.pod(created).refusals] == [
        (
            "exceeded quota: q, requested: pods=1,requests.memory=1Gi, used: pods=5,requests.memory=4Gi, "
            "limited: pods=5,requests.memory=4Gi"
        )
    ]
    quotas.release(pod({"memory": "1Gi"}))
    assert quotas.pod(created).admits


def test_a_copy_of_the_quotas_has_its_own_usage() -> None:
    quotas = Quotas([quota({"pods": "1"}, {"pods": "0"})])
    copied = quotas.copy()
    copied.charge(pod())
    assert quotas.pod(pod()).admits
    assert not copied.pod(pod()).admits


def test_a_claim_counts_with_its_storage_in_total_and_by_class() -> None:
    hard = {
        "persistentvolumeclaims": "1",
        "requests.storage": "1Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "1Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "count/persistentvolumeclaims": "1",
    }
    full = Quotas([quota(hard, dict.fromkeys(hard, "0"))])
    assert full.claim(claim("1Gi", "fast")).admits
    full.charge(claim("1Gi", "fast"))
    assert [refusal.resources for refusal in full.claim(claim("1", "fast")).refusals] == [tuple(sorted(hard))]
    assert [len(refusal.resources) for refusal in full.claim(claim("1", "slow")).refusals] == [3]


def test_a_quota_with_a_scope_of_pods_does_not_count_claims() -> None:
    hard = {"persistentvolumeclaims": "0"}
    assert Quotas([quota(hard, hard, scopes=["BestEffort"])]).claim(claim("1Gi")).admits


def test_a_quota_counts_the_claims_of_a_volume_attributes_class() -> None:
    one = quota(
        {"persistentvolumeclaims": "0"},
        {"persistentvolumeclaims": "0"},
        scopeSelector={
            "matchExpressions": [{"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}]
        },
    )
    value = {"metadata": {"namespace": "shop"}, "spec": {"volumeAttributesClassName": "gold"}}
    assert not Quotas([one]).claim(msgspec.convert(value, VolumeClaim)).admits
    assert Quotas([one]).claim(claim("1Gi")).admits
