"""Objects of a cluster that make the server look up one object of each kind, and VMs that refer to them."""

from typing import Any

from tests.apiserver.client import Client
from tests.deploy.manifests import Manifest

TENANT = "tenant"
INSTANCETYPE = "instancetype.kubevirt.io/v1beta1"
CPU = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
REFUSED = {"domain": {"devices": {"hostDevices": [{"name": "probe", "deviceName": "example.com/probe"}]}}}
"""Refused for its own sake, so that every fact that was looked up on the way is read again."""
DISK = {"resources": {"requests": {"storage": "1Gi"}}}

WORLD: dict[str, Manifest] = {
    "/apis/storage.k8s.io/v1/storageclasses": {"metadata": {"name": "local"}, "provisioner": "example.com/local"},
    "/apis/cdi.kubevirt.io/v1beta1/storageprofiles": {"metadata": {"name": "local"}, "spec": {}},
    f"/api/v1/namespaces/{TENANT}/persistentvolumeclaims": {
        "metadata": {"name": "single"},
        "spec": DISK | {"accessModes": ["ReadWriteOnce"]},
    },
    f"/apis/cdi.kubevirt.io/v1beta1/namespaces/{TENANT}/datavolumes": {
        "metadata": {"name": "disk"},
        "spec": {"storage": DISK | {"storageClassName": "local"}, "source": {"blank": {}}},
    },
    f"/apis/cdi.kubevirt.io/v1beta1/namespaces/{TENANT}/datasources": {
        "metadata": {"name": "image", "labels": {"instancetype.kubevirt.io/default-instancetype": "small"}},
        "spec": {"source": {"pvc": {"name": "single", "namespace": TENANT}}},
    },
    f"/apis/{INSTANCETYPE}/namespaces/{TENANT}/virtualmachineinstancetypes": {"metadata": {"name": "own"}, "spec": CPU},
    f"/apis/{INSTANCETYPE}/namespaces/{TENANT}/virtualmachinepreferences": {"metadata": {"name": "own"}, "spec": {}},
    f"/apis/{INSTANCETYPE}/virtualmachineclusterinstancetypes": {"metadata": {"name": "small"}, "spec": CPU},
    f"/apis/{INSTANCETYPE}/virtualmachineclusterpreferences": {"metadata": {"name": "linux"}, "spec": {}},
    f"/apis/apps/v1/namespaces/{TENANT}/controllerrevisions": {
        "metadata": {"name": "small-1"},
        "revision": 1,
        "data": {"apiVersion": INSTANCETYPE, "kind": "VirtualMachineClusterInstancetype", "spec": CPU},
    },
    "/apis/k8s.cni.cncf.io/v1/namespaces/kubevirt/network-attachment-definitions": {
        "metadata": {"name": "migration"},
        "spec": {"config": '{"cniVersion": "0.3.1", "name": "m", "type": "macvlan", "master": "eth1"}'},
    },
}
KINDS = {
    "storageclasses": "StorageClass",
    "storageprofiles": "StorageProfile",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "datavolumes": "DataVolume",
    "datasources": "DataSource",
    "virtualmachineinstancetypes": "VirtualMachineInstancetype",
    "virtualmachinepreferences": "VirtualMachinePreference",
    "virtualmachineclusterinstancetypes": "VirtualMachineClusterInstancetype",
    "virtualmachineclusterpreferences": "VirtualMachineClusterPreference",
    "controllerrevisions": "ControllerRevision",
    "network-attachment-definitions": "NetworkAttachmentDefinition",
}


def make_world(client: Client) -> None:
    """Two namespaces, and one object of each kind that is looked up by name."""
    for name in (TENANT, "kubevirt"):
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for path, body in WORLD.items():
        _, root, *rest = path.split("/")
        version = rest[0] if root == "api" else "/".join(rest[:2])
        client.create(path, {"apiVersion": version, "kind": KINDS[path.rpartition("/")[2]], **body})


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "disk", **source}]}


def machine(template: dict[str, Any], **spec: Any) -> Manifest:
    inner = {"runStrategy": "Halted", "template": {"spec": REFUSED | template}} | spec
    metadata = {"generateName": "vm-", "namespace": TENANT}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata, "spec": inner}


ON_A_CLAIM = machine(volume(persistentVolumeClaim={"claimName": "single"}))
MACHINES = [
    ON_A_CLAIM,
    machine(volume(dataVolume={"name": "disk"})),
    machine(
        {},
        instancetype={"kind": "VirtualMachineInstancetype", "name": "own"},
        preference={"kind": "VirtualMachinePreference", "name": "own"},
    ),
    machine({}, instancetype={"name": "small"}, preference={"name": "linux"}),
    machine({}, instancetype={"name": "small", "revisionName": "small-1"}),
    machine(
        volume(dataVolume={"name": "from-image"}),
        instancetype={"inferFromVolume": "disk"},
        dataVolumeTemplates=[
            {
                "metadata": {"name": "from-image"},
                "spec": {"storage": DISK, "sourceRef": {"kind": "DataSource", "name": "image", "namespace": TENANT}},
            }
        ],
    ),
]
CLUSTER = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"network": "migration", "parallelMigrationsPerCluster": -1}}},
}
POLICY = {
    "apiVersion": "migrations.kubevirt.io/v1alpha1",
    "kind": "MigrationPolicy",
    "metadata": {"name": "slow"},
    "spec": {"selectors": {"namespaceSelector": {"env": "nowhere"}}, "allowPostCopy": True},
}
