"""Generates namespaces with ResourceQuotas and LimitRanges, and the pods and claims that are created in them."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from webhook.scheduling.amounts import amount

Json = dict[str, Any]

CLASSES: Final = {"high": 1000, "low": 10, "std": 5}
"""The PriorityClasses and their values. ``std`` is the default class."""
_COMPUTE: Final = {
    "cpu": ("100m", "250m", "1", "1500m", "2", "0.5", "142857143n", "0"),
    "memory": ("64Mi", "100M", "1Gi", "1.5Gi", "1000000", "0", "512Mi"),
    "ephemeral-storage": ("50M", "1Gi"),
}
_DEVICES: Final = {"hugepages-2Mi": ("2Mi", "4Mi"), "nvidia.com/gpu": ("1", "2"), "devices.kubevirt.io/kvm": ("1",)}
_POD_RESOURCES: Final = (
    *("pods", "count/pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
    *("requests.ephemeral-storage", "limits.ephemeral-storage", "ephemeral-storage", "hugepages-2Mi"),
    *("requests.hugepages-2Mi", "requests.nvidia.com/gpu", "requests.devices.kubevirt.io/kvm"),
)
_CLAIM_RESOURCES: Final = (
    *("persistentvolumeclaims", "requests.storage", "count/persistentvolumeclaims"),
    *("gold.storageclass.storage.k8s.io/requests.storage", "gold.storageclass.storage.k8s.io/persistentvolumeclaims"),
)
_RANGES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "min": {"cpu": ("50m", "100m"), "memory": ("10Mi", "100M")},
    "max": {"cpu": ("1", "2"), "memory": ("1Gi", "2G")},
    "default": {"cpu": ("500m", "1"), "memory": ("512Mi", "1Gi")},
    "defaultRequest": {"cpu": ("100m", "200m", "700m"), "memory": ("128Mi", "600Mi")},
    "maxLimitRequestRatio": {"cpu": ("2", "1500m", "4"), "memory": ("2", "3")},
}


def pod(random: Random) -> Json:
    """A pod with one to four containers."""
    spec: Json = {"containers": [_container(random, f"c{index}") for index in range(random.randint(1, 2))]}
    if random.random() < 0.4:
        names = [f"i{index}" for index in range(random.randint(1, 2))]
        always = {"restartPolicy": "Always"}
        spec["initContainers"] = [
            _container(random, name) | (always if random.random() < 0.5 else {}) for name in names
        ]
    if random.random() < 0.2:
        spec["activeDeadlineSeconds"] = 5
    if random.random() < 0.4:
        spec["priorityClassName"] = random.choice(("high", "low"))
    if random.random() < 0.05:
        spec["resources"] = {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "8Gi"}}
    if random.random() < 0.2:
        spec["affinity"] = _affinity(random)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def claim(random: Random) -> Json:
    """A claim, with or without a class."""
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": random.choice(("1Gi", "512Mi", "1500M", "6Gi", "0.3Mi"))}},
    }
    if random.random() < 0.5:
        spec["storageClassName"] = "gold"
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}


def quota(random: Random, name: str) -> tuple[Json, Json]:
    """A quota, and its status."""
    resources = random.sample((*_POD_RESOURCES, *_CLAIM_RESOURCES), random.randint(1, 5))
    scopes: Json = {}
    if random.random() < 0.45:
        scopes = _scopes(random)
        only_pods = scopes.get("scopes") in (["BestEffort"], ["CrossNamespacePodAffinity"])
        allowed = ("pods",) if only_pods else _POD_RESOURCES[:10]
        resources = [resource for resource in resources if resource in allowed] or ["pods"]
    amounts = {resource: _limit_and_usage(random, resource) for resource in resources}
    hard = {resource: limit for resource, (limit, _) in amounts.items()}
    used = {resource: usage for resource, (_, usage) in amounts.items() if random.random() > 0.03}
    created = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard} | scopes}
    return created, {"hard": hard, "used": used}


def limit_range(random: Random) -> Json:
    """A LimitRange with one or two types."""
    types = random.sample(("Container", "Pod", "PersistentVolumeClaim"), random.randint(1, 2))
    limits = [_item(random, kind) for kind in types]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "r"}, "spec": {"limits": limits}}


def _container(random: Random, name: str) -> Json:
    needs: Json = {}
    for kind in ("requests", "limits"):
        chosen = {name: random.choice(amounts) for name, amounts in _COMPUTE.items() if random.random() < 0.5}
        if chosen:
            needs[kind] = chosen
    limits = needs.get("limits", {})
    for resource, request in needs.get("requests", {}).items():
        if resource in limits and amount(limits[resource]).nano < amount(request).nano and random.random() < 0.9:
            limits[resource] = request
    for resource, amounts in _DEVICES.items():
        if random.random() < 0.15:
            needs.setdefault("limits", {})[resource] = random.choice(amounts)
    return {"name": name, "image": "x", "resources": needs}


def _affinity(random: Random) -> Json:
    term: Json = {"topologyKey": "zone", "labelSelector": {}}
    term |= random.choice(({}, {"namespaces": ["other"]}, {"namespaceSelector": {}}))
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
    return {random.choice(("podAffinity", "podAntiAffinity")): random.choice((required, preferred))}


def _scopes(random: Random) -> Json:
    if random.random() < 0.5:
        names = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
        return {"scopes": [random.choice(names)]}
    expression: Json = {
        "scopeName": "PriorityClass",
        "operator": random.choice(("In", "NotIn", "Exists", "DoesNotExist")),
    }
    if expression["operator"] in ("In", "NotIn"):
        expression["values"] = random.sample(tuple(CLASSES), random.randint(1, 2))
    return {"scopeSelector": {"matchExpressions": [expression]}}


def _limit_and_usage(random: Random, resource: str) -> tuple[str, str]:
    if "hugepages" in resource:
        return random.choice(("4Mi", "6Mi")), random.choice(("0", "4Mi"))
    if "cpu" in resource:
        return random.choice(("1", "2", "3500m", "4")), random.choice(("0", "500m", "1", "1500m", "900m"))
    if resource.endswith(("memory", "-storage", ".storage")):
        return random.choice(("1Gi", "2Gi", "2500M", "6Gi")), random.choice(("0", "512Mi", "1G", "1Gi"))
    return "3", random.choice(("0", "1", "2", "3"))


def _item(random: Random, kind: str) -> Json:
    item: Json = {"type": kind}
    if kind == "PersistentVolumeClaim":
        return item | {
            "max": {"storage": random.choice(("1Gi", "5Gi"))},
            "min": {"storage": random.choice(("1", "1Gi"))},
        }
    for field, choices in _RANGES.items():
        chosen = {name: random.choice(amounts) for name, amounts in choices.items() if random.random() < 0.35}
        if chosen and not (kind == "Pod" and field.startswith("default")):
            item[field] = chosen
    return item
