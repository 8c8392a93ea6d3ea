"""Random nodes and the requirements of pods on them: selectors, node affinity, taints and tolerations."""

from typing import Final

from tests.apiserver.scheduler.generated.draws import HOSTNAME, REGION, ZONE, Draw, Manifest

LABELS: Final = {
    ZONE: ("a", "b", "c"),
    REGION: ("east", "east", "west"),
    "rack": ("1", "2"),
    "disk": ("ssd", "hdd", ""),
    "cores": ("4", "8", "16", "0", "9223372036854775808", "08", "many"),
}
TAINTS: Final = (
    {"key": "dedicated", "value": "vm"},
    {"key": "dedicated", "value": "gpu"},
    {"key": "maintenance"},
    {"key": "node.kubernetes.io/not-ready"},
)
EFFECTS: Final = ("NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule")
ALLOCATABLE: Final = {
    "cpu": ("1", "2", "4", "1500m", "2500m"),
    "memory": ("1Gi", "2Gi", "2G", "3145728Ki", "1.5Gi"),
    "ephemeral-storage": ("1Gi", "10G"),
    "hugepages-2Mi": ("0", "64Mi", "128Mi"),
    "devices.kubevirt.io/kvm": ("0", "1", "110", "1k"),
    "example.com/gpu": ("1", "2"),
    "pods": ("0", "2", "3", "110"),
}


def node(draw: Draw, name: str, features: frozenset[str]) -> Manifest:
    """A node. Outside the features, it is large and without taints."""
    labels = {**draw.labels(LABELS, 0.8), HOSTNAME: name}
    if draw.chance(0.05):
        del labels[HOSTNAME]
    spec: Manifest = {}
    if "taints" in features:
        spec["taints"] = [
            {**taint, "effect": draw.choice(EFFECTS)} for taint in draw.some(TAINTS, 0, 2) if draw.chance(0.7)
        ]
    if draw.chance(0.15 if "taints" in features else 0.02):
        spec["unschedulable"] = True
        if draw.chance(0.6):  # as the node lifecycle controller does
            spec.setdefault("taints", []).append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": _allocatable(draw, is_scarce="resources" in features)},
    }


def _allocatable(draw: Draw, *, is_scarce: bool) -> dict[str, str]:
    large = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    if not is_scarce:
        return {**large, "devices.kubevirt.io/kvm": "1k", "example.com/gpu": "8", "hugepages-2Mi": "1Gi"}
    drawn = draw.labels(ALLOCATABLE, 0.85)
    if draw.chance(0.6):
        drawn["pods"] = "110"
    return drawn


def node_selection(draw: Draw, names: list[str]) -> Manifest:
    """`nodeSelector` and the required node affinity of a pod."""
    spec: Manifest = {}
    if draw.chance(0.4):
        key = draw.choice(list(LABELS))
        spec["nodeSelector"] = {key: draw.choice(LABELS[key])}
    if draw.chance(0.6):
        terms = [term(draw, names) for _ in range(draw.choice((1, 1, 2, 3)))]
        spec["affinity"] = {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        }
    return spec


def term(draw: Draw, names: list[str]) -> Manifest:
    """A node selector term. An empty one is valid and matches no node."""
    drawn: Manifest = {}
    if draw.chance(0.85):
        drawn["matchExpressions"] = [_expression(draw) for _ in range(draw.choice((1, 1, 2)))]
    if draw.chance(0.2):
        drawn["matchFields"] = [
            {
                "key": "metadata.name",
                "operator": draw.choice(("In", "In", "NotIn")),
                "values": [draw.choice([*names, "gone"])],
            }
        ]
    return drawn


def _expression(draw: Draw) -> Manifest:
    key = draw.choice([*LABELS, "none"])
    operator = draw.choice(("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
    expression: Manifest = {
        "key": "cores" if operator in {"Gt", "Lt"} and draw.chance(0.8) else key,
        "operator": operator,
    }
    if operator in {"In", "NotIn"}:
        expression["values"] = draw.some(LABELS.get(key, ("a", "b")), 1, 3)
    elif operator in {"Gt", "Lt"}:
        expression["values"] = [draw.choice(("3", "8", "007", "many", "9223372036854775808"))]
    return expression


def tolerations(draw: Draw) -> list[Manifest]:
    """Tolerations of the taints of generated nodes, more or less exact."""
    return [_toleration(draw) for _ in range(draw.choice((0, 1, 1, 2, 3)))]


def _toleration(draw: Draw) -> Manifest:
    taint = draw.choice([*TAINTS, {"key": "node.kubernetes.io/unschedulable"}])
    drawn: Manifest = {"key": taint["key"]}
    if draw.chance(0.1):
        drawn = {"operator": "Exists"}
    elif draw.chance(0.4):
        drawn["operator"] = "Exists"
    elif draw.chance(0.85):
        drawn["value"] = taint.get("value", "")
    if draw.chance(0.6):
        drawn["effect"] = draw.choice(EFFECTS)
    if drawn.get("effect") == "NoExecute" and draw.chance(0.5):
        drawn["tolerationSeconds"] = 300
    return drawn
