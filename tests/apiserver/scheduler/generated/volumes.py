"""Random PersistentVolumes, claims, storage classes and CSINodes."""

from typing import Final

from tests.apiserver.scheduler.generated.draws import HOSTNAME, NAMESPACES, REGION, ZONE, Draw, Manifest
from tests.apiserver.scheduler.generated.nodes import LABELS, term

DRIVER: Final = "csi.example.com"
DRIVERS: Final = (DRIVER, DRIVER, "other.example.com")
BOUND: Final = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
MODES: Final = (["ReadWriteOnce"], ["ReadWriteMany"], ["ReadWriteOnce", "ReadWriteMany"], ["ReadWriteOncePod"])
SIZES: Final = ("1Gi", "2Gi", "2G", "5Gi")

OTHER_PLUGINS: Final = (
    {"nfs": {"server": "server", "path": "/"}},
    {"nfs": {"server": "server", "path": "/"}},
    {"iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 1}},
    {"gcePersistentDisk": {"pdName": "disk"}},
)


def classes(draw: Draw) -> list[Manifest]:
    """One class for each way of binding. A pod that waits for its first consumer may need a topology."""
    wait: Manifest = {"provisioner": DRIVER, "volumeBindingMode": "WaitForFirstConsumer"}
    zoned = {**wait, "allowedTopologies": [_topology(draw) for _ in range(draw.randint(1, 2))]}
    return [
        _class("wait", wait),
        _class("zoned", zoned),
        _class("now", {"provisioner": DRIVER, "volumeBindingMode": "Immediate"}),
        _class("local", {**wait, "provisioner": "kubernetes.io/no-provisioner"}),
    ]


def _class(name: str, fields: Manifest) -> Manifest:
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, **fields}


def _topology(draw: Draw) -> Manifest:
    keys = draw.some((ZONE, "rack"), 1, 2)
    return {"matchLabelExpressions": [{"key": key, "values": draw.some(LABELS[key], 1, 2)} for key in keys]}


def csi_node(draw: Draw, name: str) -> Manifest:
    """The CSINode of a node, with a limit of volumes for some drivers."""
    drivers = [
        {
            "name": driver,
            "nodeID": name,
            **({"allocatable": {"count": draw.choice((0, 1, 2, 3))}} if draw.chance(0.8) else {}),
        }
        for driver in dict.fromkeys(DRIVERS)
        if draw.chance(0.8)
    ]
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": name},
        "spec": {"drivers": drivers},
    }


def storage(draw: Draw, nodes: list[str]) -> list[Manifest]:
    """Claims of each kind, the PersistentVolumes that they are bound to, and some that are free."""
    made = classes(draw)
    for index in range(draw.randint(6, 14)):
        name = f"claim{index}"
        namespace = draw.choice(("red", "red", *NAMESPACES))
        if draw.chance(0.65):
            made += _bound(draw, name, namespace, nodes)
        else:
            made.append(_unbound(draw, name, namespace))
    made += [_free(draw, f"free{index}", nodes) for index in range(draw.randint(1, 5))]
    if draw.chance(0.3):
        made += _capacities(draw)
    made += [_attachment(draw, f"attachment{index}", nodes) for index in range(draw.choice((0, 0, 2, 5)))]
    return made + [csi_node(draw, name) for name in nodes if draw.chance(0.7)]


def _capacities(draw: Draw) -> list[Manifest]:
    """A driver that reports its capacity, and what it reports by class and topology."""
    driver = {"metadata": {"name": DRIVER}, "spec": {"storageCapacity": draw.chance(0.9)}}
    made = [{"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", **driver}]
    for index in range(draw.randint(0, 5)):
        capacity: Manifest = {"storageClassName": draw.choice(("wait", "wait", "zoned"))}
        if draw.chance(0.9):
            capacity["nodeTopology"] = {} if draw.chance(0.2) else {"matchLabels": {ZONE: draw.choice(("a", "b", "c"))}}
        if draw.chance(0.9):
            capacity["capacity"] = draw.choice(SIZES)
        if draw.chance(0.2):
            capacity["maximumVolumeSize"] = draw.choice(SIZES)
        metadata = {"name": f"capacity{index}", "namespace": "red"}
        made.append({"apiVersion": "storage.k8s.io/v1", "kind": "CSIStorageCapacity", "metadata": metadata, **capacity})
    return made


def _attachment(draw: Draw, name: str, nodes: list[str]) -> Manifest:
    """A volume that is attached to a node, also if no pod there uses it."""
    volume = draw.choice((f"free{draw.randint(0, 3)}", f"pv-claim{draw.randint(0, 9)}"))
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": name},
        "spec": {
            "attacher": draw.choice(DRIVERS),
            "nodeName": draw.choice(nodes),
            "source": {"persistentVolumeName": volume},
        },
    }


def claim_volumes(draw: Draw, claims: list[Manifest], namespace: str) -> list[Manifest]:
    """`volumes` of a pod in the namespace: claims, some of which do not exist, and CSI volumes of the pod itself."""
    own = [claim["metadata"]["name"] for claim in claims if claim["metadata"]["namespace"] == namespace]
    names = draw.some(own, 1, 2) if draw.chance(0.95) else ["gone"]
    volumes: list[Manifest] = [
        {"name": f"v{index}", "persistentVolumeClaim": {"claimName": name}} for index, name in enumerate(names)
    ]
    if draw.chance(0.1):
        volumes.append({"name": "inline", "csi": {"driver": draw.choice(DRIVERS)}})
    if draw.chance(0.01):
        volumes.append(
            {
                "name": "disk",
                **draw.choice(({"gcePersistentDisk": {"pdName": "d"}}, {"rbd": {"monitors": ["m"], "image": "i"}})),
            }
        )
    if draw.chance(0.03):
        request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        volumes.append({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": request}}})
    return volumes


def _bound(draw: Draw, name: str, namespace: str, nodes: list[str]) -> list[Manifest]:
    modes, size = draw.choice(MODES), draw.choice(SIZES)
    volume = _volume(draw, f"pv-{name}", nodes, modes, size)
    volume["spec"]["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name}
    volume["status"] = {"phase": "Bound"}
    claim = _claim(name, namespace, volume["spec"]["storageClassName"], modes, size)
    claim["spec"]["volumeName"] = f"pv-{name}"
    claim["metadata"]["annotations"] = BOUND
    claim["status"] = {"phase": "Bound"}
    if draw.chance(0.04):
        claim["status"] = {"phase": "Lost"}
    if draw.chance(0.04):
        del claim["metadata"]["annotations"]
    if draw.chance(0.04):
        claim["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["example.com/keep"]}
    return [claim] if draw.chance(0.04) else [volume, claim]


def _unbound(draw: Draw, name: str, namespace: str) -> Manifest:
    chosen = draw.choice(("wait", "wait", "zoned", "local", "local", "now", "gone", ""))
    claim = _claim(name, namespace, chosen, draw.choice(MODES), draw.choice(SIZES))
    if draw.chance(0.1):
        claim["spec"]["selector"] = {"matchLabels": {"tier": draw.choice(("front", "back"))}}
    if draw.chance(0.1):
        claim["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "n0"}
    if draw.chance(0.1):
        claim["spec"]["volumeMode"] = "Block"
    return claim


def _free(draw: Draw, name: str, nodes: list[str]) -> Manifest:
    volume = _volume(draw, name, nodes, draw.choice(MODES), draw.choice(SIZES))
    volume["spec"]["storageClassName"] = draw.choice(("local", "local", "wait", "now", ""))
    volume["status"] = {"phase": draw.choice(("Available", "Available", "Available", "Released"))}
    if draw.chance(0.25):
        claim = {"namespace": draw.choice(NAMESPACES), "name": f"claim{draw.randint(0, 13)}"}
        volume["spec"]["claimRef"] = {"kind": "PersistentVolumeClaim", **claim}
    return volume


def _claim(name: str, namespace: str, chosen: str, modes: list[str], size: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"storageClassName": chosen, "accessModes": modes, "resources": {"requests": {"storage": size}}},
    }


def _volume(draw: Draw, name: str, nodes: list[str], modes: list[str], size: str) -> Manifest:
    labels = {}
    if draw.chance(0.2):
        labels[ZONE] = draw.choice(("a", "b", "a__b"))
    if draw.chance(0.1):
        labels[REGION] = draw.choice(("east", "west"))
    if draw.chance(0.1):
        labels["failure-domain.beta.kubernetes.io/zone"] = "a"
    if draw.chance(0.3):
        labels["tier"] = draw.choice(("front", "back"))
    spec: Manifest = {
        "capacity": {"storage": size},
        "accessModes": modes,
        "storageClassName": draw.choice(("wait", "now", "local", "")),
        "persistentVolumeReclaimPolicy": "Retain",
        "csi": {"driver": draw.choice(DRIVERS), "volumeHandle": draw.choice((name, name, "shared"))},
    }
    if draw.chance(0.4):
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": _places(draw, nodes)}}
    elif draw.chance(0.12):
        del spec["csi"]
        spec |= draw.choice(OTHER_PLUGINS)
    if draw.chance(0.1):
        spec["volumeMode"] = "Block"
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _places(draw: Draw, nodes: list[str]) -> list[Manifest]:
    if draw.chance(0.3):
        return [{"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": draw.some(nodes, 1, 2)}]}]
    if draw.chance(0.6):
        return [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": draw.some(("a", "b", "c"), 1, 2)}]}]
    return [term(draw, nodes) for _ in range(draw.randint(1, 2))]
