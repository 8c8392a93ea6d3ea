"""Builders of nodes, pods, claims and volumes for the tests of node fit."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from webhook.objects.csi import CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod
from webhook.objects.volumes import BindingClass, ClusterVolume, VolumeClaim
from webhook.scheduling.cluster_facts import ClusterFacts
from webhook.scheduling.state import ClusterState
from webhook.scheduling.verdicts import Fits, Refused, Unknown, Verdict

T = TypeVar("T")
PLUGINS = {
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
}
HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BOUND = {"pv.kubernetes.io/bind-completed": "yes"}
CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
FAST = {"storageClassName": "fast"}
STATIC = {"provisioner": "kubernetes.io/no-provisioner"}


def node(name: str = "n1", labels: Mapping[str, str] = {}, allocatable: Mapping[str, Any] = {}, **spec: Any) -> Node:
    value = {
        "metadata": {"name": name, "labels": {HOST: name, **labels}},
        "spec": spec,
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10", **allocatable}},
    }
    return msgspec.convert(value, Node)


def pod(
    name: str = "p",
    on: str = "",
    labels: Mapping[str, str] = {},
    requests: Mapping[str, Any] = {},
    namespace: str = "default",
    meta: Mapping[str, Any] = {},
    status: Mapping[str, Any] = {},
    **spec: Any,
) -> Pod:
    value = {
        "metadata": {"name": name, "namespace": namespace, "labels": labels, **meta},
        "spec": {"nodeName": on, "containers": [{"name": "c", "resources": {"requests": requests}}], **spec},
        "status": status,
    }
    return msgspec.convert(value, Pod)


def state(
    nodes: Sequence[Node], pods: Sequence[Pod] | None = (), incomplete: Sequence[str] = (), **kinds: Any
) -> ClusterState:
    """A cluster of which all objects are known, except for the kinds in ``kinds`` that are None."""
    known: dict[str, Any] = dict.fromkeys(
        (
            "claims",
            "volumes",
            "storage_classes",
            "csi_nodes",
            "csi_drivers",
            "storage_capacities",
            "attachments",
            "namespaces",
        ),
        (),
    )
    return ClusterState(ClusterFacts(nodes, pods, incomplete=frozenset(incomplete), **known | kinds))


def shown(verdict: Verdict) -> str:
    """The reasons of a verdict, ``fits`` or ``unknown: …``."""
    match verdict:
        case Fits():
            return "fits"
        case Refused(refusals):
            assert {refusal.plugin for refusal in refusals} <= PLUGINS
            return ", ".join(refusal.reason for refusal in refusals)
        case Unknown(reason):
            return f"unknown: {reason}"


def verdicts(cluster: ClusterState, wanted: Pod) -> dict[str, str]:
    """The verdicts by node. All ways to find the fitting nodes must agree."""
    fit = cluster.fit(wanted)
    found = {name: shown(verdict) for name, verdict in fit.verdicts().items()}
    fitting = [name for name, text in found.items() if text == "fits"]
    assert fit.fitting() == fitting
    assert fit.first() == (fitting[0] if fitting else None)
    return found


def claim(
    name: str = "disk", volume: str = "", meta: Mapping[str, Any] = {}, phase: str = "", **spec: Any
) -> VolumeClaim:
    """A claim, which is bound if it has a volume."""
    bound = {"annotations": BOUND} if volume else {}
    value = {
        "metadata": {"name": name, "namespace": "default", **bound, **meta},
        "spec": {"volumeName": volume, "accessModes": ["ReadWriteMany"], **spec},
        "status": {"phase": phase or ("Bound" if volume else "Pending")},
    }
    return msgspec.convert(value, VolumeClaim)


def volume(name: str = "pv", labels: Mapping[str, str] = {}, phase: str = "Bound", **spec: Any) -> ClusterVolume:
    return msgspec.convert(
        {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"phase": phase}}, ClusterVolume
    )


def storage_class(name: str = "fast", mode: str = "WaitForFirstConsumer", **more: Any) -> BindingClass:
    value = {"metadata": {"name": name}, "volumeBindingMode": mode, "provisioner": "csi.example", **more}
    return msgspec.convert(value, BindingClass)


def csi_node(name: str, meta: Mapping[str, Any] = {}, **limits: int) -> CSINode:
    drivers = [{"name": driver, "allocatable": {"count": count}} for driver, count in limits.items()]
    return msgspec.convert({"metadata": {"name": name, **meta}, "spec": {"drivers": drivers}}, CSINode)


def csi_driver(name: str, **spec: Any) -> CSIDriver:
    return msgspec.convert({"metadata": {"name": name}, "spec": spec}, CSIDriver)


def capacity(labels: Mapping[str, str], **more: Any) -> CSIStorageCapacity:
    value = {"storageClassName": "fast", "nodeTopology": {"matchLabels": labels}, **more}
    return msgspec.convert(value, CSIStorageCapacity)


def attachment(driver: str, on: str, volume: str) -> VolumeAttachment:
    spec = {"attacher": driver, "nodeName": on, "source": {"persistentVolumeName": volume}}
    return msgspec.convert({"spec": spec}, VolumeAttachment)


def namespace(name: str, **labels: str) -> Namespace:
    return msgspec.convert({"metadata": {"name": name, "labels": labels}}, Namespace)


def disk(claim: str = "disk") -> list[dict[str, Any]]:
    """The volumes of a pod with one claim."""
    return [{"name": "disk", "persistentVolumeClaim": {"claimName": claim}}]


def terms(kind: str, *listed: Mapping[str, Any]) -> dict[str, Any]:
    """``affinity`` with required terms."""
    return {kind: {REQUIRED: list(listed)}}


def term(labels: Mapping[str, str] | None, key: str = HOST, **more: Any) -> dict[str, Any]:
    """A term of inter-pod affinity."""
    selector = {"labelSelector": {"matchLabels": labels}} if labels is not None else {}
    return {"topologyKey": key, **selector, **more}


def node_terms(*listed: Mapping[str, Any]) -> dict[str, Any]:
    """``nodeAffinity`` of a volume or an affinity."""
    return {"required": {"nodeSelectorTerms": list(listed)}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def sized(size: str) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}}


def available(name: str, **more: Any) -> Any:
    spec = {"accessModes": ["ReadWriteMany"], "capacity": {"storage": "10Gi"}, "storageClassName": "fast"}
    return volume(name, phase=more.pop("phase", "Available"), labels=more.pop("labels", {}), **(spec | more))


ON_N1 = node_terms({"matchExpressions": [expression(HOST, "In", "n1")]})
