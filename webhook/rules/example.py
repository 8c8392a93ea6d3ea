"""Builders of the objects in the examples of rules. This file contains no logic."""

from typing import Any

from webhook.objects.meta import Json

NAMESPACE = "tenant"


def claim(name: str, *access_modes: str) -> Json:
    """A PersistentVolumeClaim."""
    return _named("v1", "PersistentVolumeClaim", name, {"accessModes": list(access_modes)})


def data_volume(name: str, **storage: Any) -> Json:  # noqa: ANN401 - any field of spec.storage
    """A DataVolume with ``spec.storage``."""
    return _named("cdi.kubevirt.io/v1beta1", "DataVolume", name, {"storage": storage})


def storage_profile(name: str, *access_modes: str, volume_mode: str = "Filesystem") -> Json:
    """A StorageProfile with one claim property set."""
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "StorageProfile",
        "metadata": {"name": name},
        "status": {"claimPropertySets": [{"accessModes": list(access_modes), "volumeMode": volume_mode}]},
    }


def storage_class(name: str, provisioner: str, **parameters: str) -> Json:
    """A StorageClass with parameters."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "parameters": parameters,
    }


def persistent_volume(name: str, *values: str, label: str = "kubernetes.io/hostname", claim: str = "") -> Json:
    """A PersistentVolume for nodes whose ``label`` has one of these values, reserved for ``claim`` if that is not empty."""
    terms = [{"matchExpressions": [{"key": label, "operator": "In", "values": list(values)}]}]
    reserved = {"claimRef": {"namespace": NAMESPACE, "name": claim}} if claim else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {**reserved, "nodeAffinity": {"required": {"nodeSelectorTerms": terms}}},
    }


def instancetype(name: str, **spec: Any) -> Json:  # noqa: ANN401 - any field of its spec
    """A cluster instancetype with one CPU and 1Gi."""
    return {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterInstancetype",
        "metadata": {"name": name},
        "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **spec},
    }


def kubevirt(**configuration: Any) -> Json:  # noqa: ANN401 - any field of spec.configuration
    """The KubeVirt CR."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration},
    }


def node(name: str, **labels: str) -> Json:
    """A node with labels."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def tainted(of: Json, key: str, value: str = "", effect: str = "NoSchedule") -> Json:
    """The same node with a taint."""
    return of | {"spec": {"taints": [{"key": key, "value": value, "effect": effect}]}}


def node_with_pods(name: str, *cidrs: str) -> Json:
    """A node with its pod CIDRs."""
    return node(name) | {"spec": {"podCIDRs": list(cidrs)}}


def service_cidr(*cidrs: str) -> Json:
    """The ServiceCIDR that every cluster has."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": list(cidrs)},
    }


def nad(name: str, config: str, namespace: str = "kubevirt") -> Json:
    """A NetworkAttachmentDefinition."""
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"config": config},
    }


def _named(api_version: str, kind: str, name: str, spec: Json) -> Json:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }
