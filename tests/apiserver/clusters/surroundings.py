"""The objects of a cluster beside its VMs: KubeVirt CR, nodes, StorageClasses, an instancetype, and a network per namespace."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.apiserver.clusters.shape import Shape, namespace_name

VMS_PER_NODE = 40
MOST_NODES = 250
_NETWORK = {"cniVersion": "1.0.0", "name": "blue-net", "type": "bridge", "bridge": "br1"}


class Placed(NamedTuple):
    """An object, and the path of its list."""

    path: str
    body: dict[str, Any]
    status: dict[str, Any] | None = None
    """``status``, if another request writes it."""


def node_name(number: int) -> str:
    """The name of a node."""
    return f"node-{number:03}"


def nodes(shape: Shape) -> int:
    """The number of nodes."""
    return min(max(shape.vms // VMS_PER_NODE, 3), MOST_NODES)


def surroundings(shape: Shape) -> Iterator[Placed]:
    """All objects beside the VMs. Namespaces come first."""
    spaces = [namespace_name(number) for number in range(shape.namespaces)]
    for name in ("kubevirt", *spaces):
        yield Placed("/api/v1/namespaces", {"metadata": {"name": name}})
    yield Placed(
        "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts",
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "KubeVirt",
            "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
            "spec": {"configuration": {"evictionStrategy": "LiveMigrate"}},
        },
        {"phase": "Deployed", "observedKubeVirtVersion": "v1.9.0", "targetKubeVirtVersion": "v1.9.0"},
    )
    yield Placed(
        "/apis/storage.k8s.io/v1/storageclasses",
        {"metadata": {"name": "ceph-rbd"}, "provisioner": "rbd.csi.ceph.com", "volumeBindingMode": "Immediate"},
    )
    yield Placed(
        "/apis/instancetype.kubevirt.io/v1beta1/virtualmachineclusterinstancetypes",
        {
            "apiVersion": "instancetype.kubevirt.io/v1beta1",
            "kind": "VirtualMachineClusterInstancetype",
            "metadata": {"name": "u1-medium"},
            "spec": {"cpu": {"guest": 1}, "memory": {"guest": "4Gi"}},
        },
    )
    for space in spaces:
        yield Placed(
            f"/apis/k8s.cni.cncf.io/v1/namespaces/{space}/network-attachment-definitions",
            {
                "apiVersion": "k8s.cni.cncf.io/v1",
                "kind": "NetworkAttachmentDefinition",
                "metadata": {"name": "blue-net", "namespace": space},
                "spec": {"config": json.dumps(_NETWORK)},
            },
        )
    for number in range(nodes(shape)):
        yield Placed("/api/v1/nodes", _node(node_name(number), number % 3))


def _node(name: str, zone: int) -> dict[str, Any]:
    features = {f"cpu-feature.node.kubevirt.io/feature-{number}": "true" for number in range(100)}
    return {
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubevirt.io/schedulable": "true",
                "topology.kubernetes.io/zone": f"zone-{zone}",
                "cpu-model.node.kubevirt.io/Skylake-Server-v5": "true",
                "host-model-cpu.node.kubevirt.io/Skylake-Server-v5": "true",
                **features,
            },
        },
        "status": {
            "capacity": {"cpu": "64", "memory": "512Gi", "pods": "250"},
            "allocatable": {"cpu": "63", "memory": "500Gi", "pods": "250"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
