"""Random namespaces with ResourceQuotas and LimitRanges, and the pods and claims that are created there."""

from typing import Final

import msgspec

from tests.apiserver.scheduler.generated.draws import Draw, Manifest
from tests.apiserver.scheduler.generated.pods import CPU, MEMORY, pod
from tests.apiserver.scheduler.generated.volumes import SIZES

AMOUNTS: Final = {
    "cpu": ("500m", "1", "1500m", "2", "4", "0.1"),
    "memory": ("256Mi", "512Mi", "1Gi", "1G", "2Gi", "4Gi"),
    "ephemeral-storage": ("100Mi", "1Gi", "2Gi"),
}
EXTENDED: Final = "example.com/gpu"
PAGES: Final = "hugepages-2Mi"
PRIORITIES: Final = ("high", "low")
SCOPES: Final = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
)


class Namespace(msgspec.Struct, frozen=True):
    """The quotas and limit ranges of a namespace, and what is created there, one after the other and nothing of it stored."""

    quotas: list[Manifest]
    ranges: list[Manifest]
    created: list[Manifest]


def namespace(seed: int, name: str, created: int = 24) -> Namespace:
    """The namespace of SEED. Most have one quota and one LimitRange."""
    draw = Draw(seed)
    quotas = [_quota(draw, f"q{index}", name) for index in range(draw.choice((0, 1, 1, 1, 2, 3)))]
    ranges = [_limit_range(draw, f"r{index}", name, index) for index in range(draw.choice((0, 0, 1, 1, 2)))]
    made = [
        _claim(draw, f"c{index}", name) if draw.chance(0.15) else _pod(draw, f"p{index}", name)
        for index in range(created)
    ]
    return Namespace(quotas, ranges, made)


def _pod(draw: Draw, name: str, own: str) -> Manifest:
    made = pod(draw, name, frozenset(("resources",)), [])
    if draw.chance(0.25):
        made = pod(draw, name, frozenset(("affinity",)), [])
    made["metadata"]["namespace"] = own
    if draw.chance(0.25):
        made["spec"]["activeDeadlineSeconds"] = 600
    if draw.chance(0.3):
        made["spec"]["priorityClassName"] = draw.choice(PRIORITIES)
    made["spec"].pop("volumes", None)
    return made


def _claim(draw: Draw, name: str, own: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": draw.choice(SIZES)}}}
    if draw.chance(0.7):
        spec["storageClassName"] = draw.choice(("wait", "now"))
    metadata = {"name": name, "namespace": own}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _quota(draw: Draw, name: str, own: str) -> Manifest:
    values = {
        "pods": ("0", "1", "5"),
        "count/pods": ("3", "5"),
        "cpu": AMOUNTS["cpu"],
        "memory": AMOUNTS["memory"],
        "requests.cpu": AMOUNTS["cpu"],
        "requests.memory": AMOUNTS["memory"],
        "requests.ephemeral-storage": AMOUNTS["ephemeral-storage"],
        "limits.cpu": AMOUNTS["cpu"],
        "limits.memory": AMOUNTS["memory"],
        "limits.ephemeral-storage": AMOUNTS["ephemeral-storage"],
        f"requests.{EXTENDED}": ("1", "2"),
        PAGES: ("32Mi", "64Mi"),
        f"requests.{PAGES}": ("64Mi", "128Mi"),
        "persistentvolumeclaims": ("1", "2"),
        "count/persistentvolumeclaims": ("1", "2"),
        "requests.storage": ("2Gi", "4Gi", "10G"),
        "wait.storageclass.storage.k8s.io/requests.storage": ("2Gi", "5Gi"),
        "wait.storageclass.storage.k8s.io/persistentvolumeclaims": ("1", "2"),
    }
    spec: Manifest = {}
    names = list(values)
    if draw.chance(0.4):
        spec |= _scopes(draw)
        names = _allowed(spec, names)
    hard = {item: draw.choice(values[item]) for item in draw.some(names, 1, 4)}
    quota: Manifest = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name, "namespace": own},
        "spec": {"hard": hard, **spec},
    }
    used = {item: "0" if draw.chance(0.6) else draw.choice(values[item]) for item in hard}
    if draw.chance(0.04):
        used.popitem()
    return {**quota, "status": {"hard": hard, "used": used}}


def _scopes(draw: Draw) -> Manifest:
    scope = draw.choice(SCOPES)
    if scope != "PriorityClass" and draw.chance(0.6):
        return {"scopes": [scope]}
    requirement: Manifest = {"scopeName": scope, "operator": "Exists"}
    if scope == "PriorityClass":
        requirement["operator"] = draw.choice(("In", "In", "NotIn", "Exists", "DoesNotExist"))
        if requirement["operator"] in {"In", "NotIn"}:
            requirement["values"] = draw.some((*PRIORITIES, "usual"), 1, 2)
    return {"scopeSelector": {"matchExpressions": [requirement]}}


def _allowed(spec: Manifest, names: list[str]) -> list[str]:
    """The resources that a quota with this scope may limit (``IsResourceSupportedForScope`` in validation.go)."""
    if "BestEffort" in str(spec) and "NotBestEffort" not in str(spec):
        return ["pods"]
    return [
        name
        for name in names
        if "storage" not in name and "persistent" not in name and "/" not in name and PAGES not in name
    ]


def _limit_range(draw: Draw, name: str, own: str, index: int) -> Manifest:
    kinds = draw.some(("Container", "Pod", "PersistentVolumeClaim") if index == 0 else ("Pod",), 1, 2)
    items = [_item(draw, kind) for kind in kinds]
    metadata = {"name": name, "namespace": own}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": items}}


def _item(draw: Draw, kind: str) -> Manifest:
    if kind == "PersistentVolumeClaim":
        return {"type": kind, "min": {"storage": "2Gi"}} | ({"max": {"storage": "4Gi"}} if draw.chance(0.5) else {})
    item: Manifest = {"type": kind}
    for resource, values in {"cpu": CPU, "memory": MEMORY}.items():
        if draw.chance(0.7):
            low, high = ("100m", "2") if resource == "cpu" else ("64Mi", "1Gi")
            chosen = {
                "min": low if draw.chance(0.4) else draw.choice(values),
                "max": high if draw.chance(0.4) else draw.choice(values),
                "default": draw.choice(values),
                "defaultRequest": draw.choice(values),
                "maxLimitRequestRatio": draw.choice(("1", "2", "1500m", "4")),
            }
            fields = draw.some([*chosen] if kind == "Container" else ["min", "max", "maxLimitRequestRatio"], 1, 3)
            for field in fields:
                item.setdefault(field, {})[resource] = chosen[field]
    return item
