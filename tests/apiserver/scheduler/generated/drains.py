"""Random drains: a small cluster with running VMs, and the nodes to drain."""

from typing import Any, Final

import msgspec

from tests.apiserver.scheduler.generated.draws import HOSTNAME, NAMESPACES, POD_LABELS, ZONE, Draw, Manifest
from tests.apiserver.scheduler.generated.pods import PREFERRED, REQUIRED
from tests.drain.fleets import kubevirt, launcher, node, vmi

FEATURES: Final = ("memory", "pods", "gpus", "selectors", "volumes", "spread", "affinity")
"""Why the target pods of a drain compete, or fit few nodes. A drain has one to three of these."""
GPU: Final = "example.com/gpu"
_TAINT: Final = {"key": "dedicated", "value": "vm", "effect": "NoSchedule"}
_DISKS: Final = ("ssd", "hdd")


class Drain(msgspec.Struct, frozen=True):
    """A drain: the objects that the API server stores, those that only the rehearsal reads, and the nodes to drain."""

    objects: list[Manifest]
    kubevirt: list[Manifest]
    """The KubeVirt CR and the VMIs. Their launchers are among the objects."""
    nodes: tuple[str, ...]


def drain(seed: int) -> Drain:
    """The drain of SEED."""
    draw = Draw(seed)
    first = FEATURES[seed % len(FEATURES)]  # no feature is rare in a short run
    features = frozenset((first, *draw.some(FEATURES, 0, 2)))
    names = [f"n{index}" for index in range(draw.randint(3, 7))]
    drained = tuple(names[: 2 if len(names) > 3 and draw.chance(0.3) else 1])
    objects: list[Manifest] = [_namespace(draw, name) for name in NAMESPACES]
    objects += [_node(draw, name, features, is_drained=name in drained) for name in names]
    machines = [
        _machine(draw, f"vm{index}", draw.choice(drained), features, objects) for index in range(draw.randint(2, 6))
    ]
    machines += [
        _machine(draw, f"other{index}", draw.choice(names), features, objects)
        for index in range(draw.choice((0, 0, 1, 3)))
    ]
    objects += [_launcher(machine) for machine in machines]
    objects += [
        _pod(draw, f"pod{index}", draw.choice(names), features) for index in range(draw.randint(0, 2 * len(names)))
    ]
    return Drain(objects, [kubevirt(), *machines], drained)


def _namespace(draw: Draw, name: str) -> Manifest:
    labels = draw.labels({"team": ("red", "blue")}, 0.7)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _node(draw: Draw, name: str, features: frozenset[str], *, is_drained: bool) -> Manifest:
    labels = draw.labels({ZONE: ("a", "b", "c"), "rack": ("1", "2"), "disk": _DISKS}, 0.9)
    scarce = {
        "memory": draw.choice(("6Gi", "8Gi", "10Gi", "16Gi")) if "memory" in features else "64Gi",
        "pods": draw.choice(("2", "3", "4")) if "pods" in features else "110",
        GPU: draw.choice(("0", "1", "1", "2")) if "gpus" in features else "8",
    }
    spec: Manifest = {"taints": [_TAINT]} if "selectors" in features and draw.chance(0.3) else {}
    if is_drained or draw.chance(0.06):
        spec["unschedulable"] = True
    return node(name, labels=labels, allocatable=scarce, **spec)


def _machine(draw: Draw, name: str, on: str, features: frozenset[str], objects: list[Manifest]) -> Manifest:
    """A running VMI. Its claims are added to the objects."""

    def has(feature: str) -> bool:
        return feature in features and draw.chance(0.65)

    namespace = draw.choice(NAMESPACES)
    devices: Manifest = {"interfaces": [{"name": "default", "masquerade": {}}]}
    spec: dict[str, Any] = {}
    if has("gpus"):
        devices["gpus"] = [{"name": f"gpu{index}", "deviceName": GPU} for index in range(draw.choice((1, 1, 2)))]
    if has("selectors"):
        spec["nodeSelector"] = draw.choice(({"disk": draw.choice(_DISKS)}, {ZONE: draw.choice("abc")}, {"rack": "1"}))
    if has("selectors"):
        spec["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]
    if has("spread"):
        spec["topologySpreadConstraints"] = [_constraint(draw)]
    if has("affinity"):
        spec["affinity"] = _affinity(draw)
    if has("volumes"):
        objects += _volume(draw, f"disk-{name}", namespace)
        spec["volumes"] = [{"name": "disk", "persistentVolumeClaim": {"claimName": f"disk-{name}"}}]
        devices["disks"] = [{"name": "disk", "disk": {"bus": "virtio"}}]
    return vmi(
        name,
        on,
        namespace=namespace,
        memory=draw.choice(("1Gi", "2Gi", "3Gi", "5Gi")),
        labels=draw.labels(POD_LABELS, 0.8),
        domain={"devices": devices},
        **spec,
    )


def _constraint(draw: Draw) -> Manifest:
    constraint = {
        "maxSkew": draw.choice((1, 1, 2)),
        "topologyKey": draw.choice((ZONE, HOSTNAME, HOSTNAME, "rack")),
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": _selector(draw),
    }
    if draw.chance(0.3):
        constraint["nodeTaintsPolicy"] = draw.choice(("Honor", "Ignore"))
    if draw.chance(0.15):
        constraint["minDomains"] = draw.choice((2, 3))
    return constraint


def _affinity(draw: Draw) -> Manifest:
    term = {"topologyKey": draw.choice((ZONE, HOSTNAME, HOSTNAME, "rack")), "labelSelector": _selector(draw)}
    if draw.chance(0.2):
        term["namespaceSelector"] = {}
    is_attracted = draw.chance(0.3)
    return {"podAffinity" if is_attracted else "podAntiAffinity": {REQUIRED: [term]}}


def _selector(draw: Draw) -> Manifest:
    key = draw.choice(("app", "app", "tier"))
    return {"matchLabels": {key: draw.choice(POD_LABELS[key])}}


def _volume(draw: Draw, name: str, namespace: str) -> list[Manifest]:
    """A shared claim and its volume, which some nodes can use."""
    modes, size = ["ReadWriteMany"], {"storage": "1Gi"}
    expression = draw.choice(
        (
            {"key": ZONE, "operator": "In", "values": draw.some("abc", 1, 2)},
            {"key": "rack", "operator": "In", "values": ["1"]},
            {"key": HOSTNAME, "operator": "NotIn", "values": ["n1"]},
        )
    )
    volume = {
        "capacity": size,
        "accessModes": modes,
        "volumeMode": "Block",
        "storageClassName": "",
        "csi": {"driver": "csi.example.com", "volumeHandle": name},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name},
    }
    claim = {
        "accessModes": modes,
        "volumeMode": "Block",
        "storageClassName": "",
        "resources": {"requests": size},
        "volumeName": f"pv-{name}",
    }
    bound = {"pv.kubernetes.io/bind-completed": "yes"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"pv-{name}"},
            "spec": volume,
            "status": {"phase": "Bound"},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace, "annotations": bound},
            "spec": claim,
            "status": {"phase": "Bound"},
        },
    ]


def _launcher(machine: Manifest) -> Manifest:
    pod = launcher(machine)
    for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
        container["image"] = "none"
    return pod


def _pod(draw: Draw, name: str, on: str, features: frozenset[str]) -> Manifest:
    """A pod that is no launcher, of which some repel VMs."""
    requests = {"memory": draw.choice(("256Mi", "1Gi", "2Gi")), "cpu": draw.choice(("100m", "1"))}
    spec: Manifest = {
        "nodeName": on,
        "containers": [{"name": "main", "image": "none", "resources": {"requests": requests}}],
    }
    if "affinity" in features and draw.chance(0.3):
        term = {"topologyKey": draw.choice((ZONE, HOSTNAME)), "labelSelector": _selector(draw)}
        spec["affinity"] = {"podAntiAffinity": {REQUIRED: [term]}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": draw.choice(NAMESPACES), "labels": draw.labels(POD_LABELS, 0.6)},
        "spec": spec,
        "status": {"phase": "Running"},
    }


def preferring(pod: Manifest, nodes: list[str]) -> Manifest:
    """The pod with a preference for nodes. A preference excludes no node."""
    spec = pod["spec"]
    placement = spec.get("affinity") or {}
    terms = [
        {
            "weight": 100 - index,
            "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]},
        }
        for index, name in enumerate(nodes)
    ]
    preferred = {**(placement.get("nodeAffinity") or {}), PREFERRED: terms}
    return {**pod, "spec": {**spec, "affinity": {**placement, "nodeAffinity": preferred}}}
