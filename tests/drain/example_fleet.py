"""
Writes ``examples/fleet``: the objects of a cluster with 6 nodes and 30 VMs, of which some hold up a drain.

``python -m tests.drain.example_fleet`` writes the files again. A test compares them with the output of this module.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.drain.fleets import MODEL, Object, launcher, node, vm, vmi
from webhook.manifests.objects import read_manifests
from webhook.yaml import writer

FOLDER: Final = Path(__file__).resolve().parents[2] / "examples" / "fleet"
GPU: Final = "nvidia.com/A10"
STALE: Final = "cpu-feature.node.kubevirt.io/mpx"
_CSI: Final = "csi.example.com"
_MIGRATION_NETWORK: Final = (
    '{"cniVersion": "0.3.1", "type": "macvlan", "master": "eth1", '
    '"ipam": {"type": "whereabouts", "range": "10.10.0.0/24"}}'
)
_TAINT: Final = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


def files() -> dict[str, str]:
    """The text of each file, by its name."""
    machines = [*_shop(), *_erp(), *_lab(), *_media()]
    claims = [claim for claim in map(_claim, machines) if claim]
    parts: dict[str, tuple[str, list[Object]]] = {
        "cluster.yaml": (
            "KubeVirt with its migration network, namespaces, storage, a quota and a PodDisruptionBudget.",
            [*_cluster(machines)],
        ),
        "nodes.yaml": ("Six nodes. The last one has GPUs.", [*_nodes()]),
        "volumes.yaml": ("The claims of the VMs, and their volumes.", [part for claim in claims for part in claim]),
        "vms.yaml": ("The VMs.", [vm(one) for one in machines]),
        "vmis.yaml": ("The running VMIs.", machines),
        "pods.yaml": ("The launchers, and one other pod on each node.", [*map(_launcher, machines), *_agents()]),
    }
    return {name: _text(title, objects) for name, (title, objects) in parts.items()}


def write() -> None:
    """Writes the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _text(title: str, objects: list[Object]) -> str:
    header = f"# {title} Written by `python -m tests.drain.example_fleet`.\n"
    return header + "---\n".join(writer.dump(_filled(each)) for each in objects)


def _filled(value: Any) -> Any:
    """A value without empty members, except those that mean something by their presence."""
    if isinstance(value, dict):
        filled = {key: _filled(member) for key, member in value.items()}
        return {
            key: member for key, member in filled.items() if member not in ("", []) and (member != {} or key in _BARE)
        }
    return [_filled(item) for item in value] if isinstance(value, list) else value


_BARE: Final = frozenset(("masquerade", "pod", "virtio", "disk"))


def _nodes() -> Iterator[Object]:
    for at in range(1, 7):
        is_last = at == 6
        allocatable = {"cpu": "16", "memory": "64Gi", "pods": "110", **({GPU: "1"} if is_last else {})}
        made = node(f"worker-{at}", allocatable=allocatable, **({"taints": [_TAINT]} if is_last else {}))
        yield made
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": {"name": made["metadata"]["name"]},
            "spec": {"drivers": [{"name": _CSI, "nodeID": made["metadata"]["name"], "topologyKeys": []}]},
        }


def _cluster(machines: list[Object]) -> Iterator[Object]:
    kubevirt = _kubevirt()
    yield kubevirt
    yield {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {
            "name": kubevirt["spec"]["configuration"]["migrations"]["network"],
            "namespace": kubevirt["metadata"]["namespace"],
        },
        "spec": {"config": _MIGRATION_NETWORK},
    }
    for name in dict.fromkeys(one["metadata"]["namespace"] for one in machines):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    yield {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "block"},
        "provisioner": _CSI,
        "volumeBindingMode": "Immediate",
    }
    in_lab = sum(one["metadata"]["namespace"] == "lab" for one in machines)
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "lab", "namespace": "lab"},
        "spec": {"hard": {"pods": str(in_lab)}},
        "status": {"hard": {"pods": str(in_lab)}, "used": {"pods": str(in_lab)}},
    }
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 6, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 6, "desiredHealthy": 6, "expectedPods": 6},
    }


def _kubevirt() -> Object:
    """The KubeVirt CR of the other examples, because ``examples`` as a whole is the objects of one cluster."""
    read = read_manifests((FOLDER.parent / "cluster.yaml").read_bytes(), "cluster.yaml")
    return next(one.raw for one in read.objects if one.kind == "KubeVirt")


def _shop() -> Iterator[Object]:
    """Web servers behind a budget that allows no disruption, and databases that keep apart."""
    for at in range(1, 7):
        yield vmi(f"web-{at}", f"worker-{(at - 1) % 5 + 1}", namespace="shop", labels={"app": "web"})
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    for at in (1, 2):
        yield vmi(
            f"db-{at}",
            f"worker-{at}",
            namespace="shop",
            memory="16Gi",
            labels={"app": "db"},
            affinity=apart,
            **_disk(f"db-{at}"),
        )
    for at in (1, 2):
        yield vmi(f"cache-{at}", f"worker-{at + 2}", namespace="shop", memory="8Gi")


def _erp() -> Iterator[Object]:
    """Among others a VM that names its node, one on a claim that one node mounts, and one that stops."""
    for at in range(1, 5):
        yield vmi(f"app-{at}", f"worker-{at + 1}", namespace="erp", memory="8Gi", **_disk(f"app-{at}"))
    yield vmi("licence", "worker-2", namespace="erp", nodeSelector={"kubernetes.io/hostname": "worker-2"})
    why = (
        "DisksNotLiveMigratable",
        (
            "cannot migrate VMI: PVC archive is not shared, live migration requires that all PVCs "
            "must be shared (using ReadWriteMany access mode)"
        ),
    )
    yield vmi("archive", "worker-3", namespace="erp", migratable=False, why=why, **_disk("archive"))
    yield vmi("ledger", "worker-4", namespace="erp", memory="8Gi", **_disk("ledger"))
    yield vmi("report", "worker-5", namespace="erp", strategy="None")


def _lab() -> Iterator[Object]:
    """Test VMs in a namespace whose quota is used up."""
    for at in range(1, 7):
        yield vmi(f"test-{at}", f"worker-{(at - 1) % 5 + 1}", namespace="lab", memory="2Gi")


def _media() -> Iterator[Object]:
    """A VM with a GPU, its helpers, and a node of a cluster that Cluster API manages."""
    gpu = {
        "devices": {"gpus": [{"name": "gpu", "deviceName": GPU}], "interfaces": [{"name": "default", "masquerade": {}}]}
    }
    tolerations = [{"key": _TAINT["key"], "operator": "Equal", "value": _TAINT["value"], "effect": _TAINT["effect"]}]
    yield vmi(
        "render",
        "worker-6",
        namespace="media",
        memory="16Gi",
        strategy="LiveMigrateIfPossible",
        migratable=False,
        why=("HostDeviceNotLiveMigratable", "VMI uses a PCI host devices"),
        domain=gpu,
        tolerations=tolerations,
    )
    for at in range(1, 5):
        yield vmi(f"encode-{at}", f"worker-{at + 1}", namespace="media")
    yield vmi(
        "kube-1",
        "worker-5",
        namespace="media",
        strategy="External",
        labels={"capk.cluster.x-k8s.io/kubevirt-machine-name": "kube-1"},
    )


def _disk(claim: str) -> Object:
    return {"volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": claim}}]}


def _claim(machine: Object) -> tuple[Object, Object] | None:
    """The claim of a VMI and its volume, if the VMI has a disk. One claim is not shared between nodes."""
    volumes = machine["spec"].get("volumes")
    if not volumes:
        return None
    name, namespace = volumes[0]["persistentVolumeClaim"]["claimName"], machine["metadata"]["namespace"]
    shape = {
        "accessModes": ["ReadWriteOnce" if name == "archive" else "ReadWriteMany"],
        "volumeMode": "Block",
        "storageClassName": "block",
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**shape, "volumeName": f"pv-{name}", "resources": {"requests": {"storage": "30Gi"}}},
        "status": {"phase": "Bound"},
    }
    claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pv-{name}"},
        "spec": {
            **shape,
            "capacity": {"storage": "30Gi"},
            "claimRef": {"name": name, "namespace": namespace},
            "csi": {"driver": _CSI, "volumeHandle": f"pv-{name}"},
        },
        "status": {"phase": "Bound"},
    }
    return claim, volume


def _launcher(machine: Object) -> Object:
    """The launcher. The one of ``ledger`` has a selector from a migration before the last upgrade of KubeVirt."""
    pod = launcher(machine, terminationGracePeriodSeconds=60)
    if machine["metadata"]["name"] == "ledger":
        pod["spec"]["nodeSelector"] |= {f"cpu-model-migration.node.kubevirt.io/{MODEL}": "true", STALE: "true"}
    return pod


def _agents() -> Iterator[Object]:
    for at in range(1, 7):
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"agent-{at}", "namespace": "monitoring"},
            "spec": {
                "nodeName": f"worker-{at}",
                "containers": [{"name": "agent", "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}}],
            },
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }


if __name__ == "__main__":
    write()
