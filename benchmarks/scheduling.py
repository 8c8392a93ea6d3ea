"""
CPU time to find the nodes that a pod fits, for clusters of 100, 300 and 1,000 nodes with 20 pods per node.

    python -m benchmarks.scheduling [NODES...]
"""

import gc
import resource
import sys
import time
from collections.abc import Callable

import msgspec

from webhook.objects.csi import CSIDriver, CSINode
from webhook.objects.nad import Namespace, Node
from webhook.objects.pods import Pod
from webhook.objects.volumes import BindingClass, ClusterVolume, VolumeClaim
from webhook.scheduling.cluster_facts import ClusterFacts
from webhook.scheduling.state import ClusterState

GIB = 1 << 30
PODS_PER_NODE = 20
VMS_PER_NODE = 5


def node(at: int) -> dict[str, object]:
    labels = {f"cpu-feature.node.kubevirt.io/f{n}": "true" for n in range(120)}
    labels |= {"kubernetes.io/hostname": f"n{at}", "topology.kubernetes.io/zone": f"z{at % 3}"}
    labels |= {"kubevirt.io/schedulable": "true", f"cpu-model.node.kubevirt.io/m{at % 2}": "true"}
    taints = [{"key": "gpu", "value": "a100", "effect": "NoSchedule"}] if at % 10 == 0 else []
    allocatable = {"cpu": "64", "memory": "512Gi", "pods": "250", "devices.kubevirt.io/kvm": "1k"}
    return {
        "metadata": {"name": f"n{at}", "labels": labels},
        "spec": {"taints": taints},
        "status": {"allocatable": allocatable},
    }


def launcher(at: int, name: str, where: str = "", **more: object) -> dict[str, object]:
    """The launcher pod of a VM with a claim, after a migration: it keeps away from the pods of its own VMI."""
    label = {"kubevirt.io/created-by": f"uid-{at}"}
    away = {"labelSelector": {"matchLabels": label}, "topologyKey": "kubernetes.io/hostname"}
    limits = {"devices.kubevirt.io/kvm": "1", "devices.kubevirt.io/tun": "1", "devices.kubevirt.io/vhost-net": "1"}
    compute = {
        "requests": {"cpu": "200m", "memory": f"{2 + at % 7}Gi", "devices.kubevirt.io/kvm": "1"},
        "limits": limits,
    }
    return {
        "metadata": {"name": name, "namespace": f"vms-{at % 20}", "labels": {"kubevirt.io": "virt-launcher", **label}},
        "spec": {
            "nodeName": where,
            "nodeSelector": {"kubevirt.io/schedulable": "true", f"cpu-model.node.kubevirt.io/m{at % 2}": "true"},
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [away]}},
            "containers": [{"name": "compute", "resources": {"requests": compute["requests"]}}],
            "volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": f"disk-{at}"}}],
            **more,
        },
    }


def plain(at: int, where: str) -> dict[str, object]:
    needs = {"requests": {"cpu": "100m", "memory": "256Mi"}}
    return {
        "metadata": {"name": f"web-{at}", "namespace": f"apps-{at % 50}", "labels": {"app": f"web-{at % 200}"}},
        "spec": {"nodeName": where, "containers": [{"name": "web", "resources": needs}]},
    }


def claim(at: int) -> dict[str, object]:
    meta = {
        "name": f"disk-{at}",
        "namespace": f"vms-{at % 20}",
        "annotations": {"pv.kubernetes.io/bind-completed": "yes"},
    }
    return {"metadata": meta, "spec": {"accessModes": ["ReadWriteMany"], "volumeName": f"pv-{at}"}}


def facts(nodes: int) -> ClusterFacts:
    vms = nodes * VMS_PER_NODE
    pods = [launcher(at, f"virt-launcher-{at}", f"n{at % nodes}") for at in range(vms)]
    pods += [plain(at, f"n{at % nodes}") for at in range(nodes * (PODS_PER_NODE - VMS_PER_NODE))]
    volumes = [
        {"metadata": {"name": f"pv-{at}"}, "spec": {"csi": {"driver": "csi", "volumeHandle": str(at)}}}
        for at in range(vms)
    ]
    limit = {"drivers": [{"name": "csi", "allocatable": {"count": 100}}]}
    return ClusterFacts(
        msgspec.convert([node(at) for at in range(nodes)], list[Node]),
        msgspec.convert(pods, list[Pod]),
        msgspec.convert([claim(at) for at in range(vms)], list[VolumeClaim]),
        msgspec.convert(volumes, list[ClusterVolume]),
        msgspec.convert([], list[BindingClass]),
        msgspec.convert([{"metadata": {"name": f"n{at}"}, "spec": limit} for at in range(nodes)], list[CSINode]),
        msgspec.convert([], list[CSIDriver]),
        namespaces=msgspec.convert([{"metadata": {"name": f"vms-{at}"}} for at in range(20)], list[Namespace]),
    )


def timed(call: Callable[[], object]) -> float:
    """Its CPU time in milliseconds."""
    begun = time.process_time()
    call()
    return (time.process_time() - begun) * 1e3


def target(at: int) -> Pod:
    return msgspec.convert(launcher(at, f"target-{at}"), Pod)


def spreading(at: int) -> Pod:
    constraint = {
        "maxSkew": 200,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"kubevirt.io": "virt-launcher"}},
    }
    return msgspec.convert(launcher(at, f"target-{at}", topologySpreadConstraints=[constraint]), Pod)


def place(state: ClusterState, pods: list[Pod]) -> None:
    for pod in pods:
        found = state.fit(pod).first()
        if found is not None:
            state.place(pod, found)


def measure(nodes: int) -> None:
    given = facts(nodes)
    gc.collect()
    states: list[ClusterState] = []
    build = timed(lambda: states.append(ClusterState(given)))
    state = states[0]
    pods = [target(at) for at in range(100)]
    first = timed(lambda: state.fit(pods[0]).fitting())
    second = timed(lambda: state.fit(pods[2]).fitting())
    spread_first = timed(lambda: state.fit(spreading(4)).fitting())
    spread = timed(lambda: state.fit(spreading(6)).fitting())
    reasons = timed(lambda: state.fit(pods[8]).message())
    placed = timed(lambda: place(state, pods)) / len(pods)
    undone = timed(lambda: state.undo(0)) / len(pods)
    assert len(state.fit(pods[0]).fitting()) > nodes // 3
    print(
        f"{nodes:5} {nodes * PODS_PER_NODE:6} {build:8.1f} {first:8.2f} {second:8.2f} {spread_first:8.2f} {spread:8.2f}"
        f" {reasons:8.2f} {placed:8.3f} {undone:8.3f}"
    )


def main(sizes: list[int]) -> None:
    print("nodes   pods    build    first   second   spread  +second  reasons    place     undo   (ms of CPU)")
    for nodes in sizes:
        measure(nodes)
    print(f"largest resident set: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100, 300, 1000])
