"""A VM with its PVC and, if it runs, its VMI: as large as the objects of a real cluster, and as KubeVirt v1.9.0 writes them."""

from typing import Any

from tests.apiserver.clusters.shape import Variant, mac_part, machine_name

Object = dict[str, Any]

TIME = "2026-01-05T08:00:00Z"
USER_DATA = """\
#cloud-config
hostname: {name}
ssh_pwauth: false
users:
  - name: admin
    groups: [wheel]
    shell: /bin/bash
    ssh_authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{key} admin@example.com
packages:
  - qemu-guest-agent
  - chrony
runcmd:
  - systemctl enable --now qemu-guest-agent
  - systemctl enable --now chronyd
"""
REFUSED = {
    "bridge": ("InterfaceNotLiveMigratable", "cannot migrate VMI which does not use masquerade"),
    "host devices": ("HostDeviceNotLiveMigratable", "VMI uses a PCI host devices"),
    "claim": ("DisksNotLiveMigratable", "cannot migrate VMI: PVC is not shared"),
}
"""Reason and message of LiveMigratable False in KubeVirt v1.9.0. KubeVirt accepts the two other checks of the mission."""


def labels(name: str) -> dict[str, str]:
    """The labels of a VM and of its PVC."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/managed-by": "argocd",
        "example.com/team": "orders",
        "example.com/tier": "backend",
    }


def claim(number: int, namespace: str, variant: Variant) -> Object:
    """The PVC of a VM."""
    name = machine_name(number)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name)},
        "spec": {
            "accessModes": _access_modes(variant),
            "volumeMode": "Block",
            "storageClassName": "ceph-rbd",
            "volumeName": f"pvc-{name}",
            "resources": {"requests": {"storage": "40Gi"}},
        },
    }


def _access_modes(variant: Variant) -> list[str]:
    return ["ReadWriteOnce" if variant.violates == "claim" else "ReadWriteMany"]


def virtual_machine(number: int, namespace: str, variant: Variant) -> Object:
    """A VirtualMachine, without status."""
    name = machine_name(number)
    outer: Object = {}
    if variant.style == "instancetype":
        outer["instancetype"] = {"kind": "VirtualMachineClusterInstancetype", "name": "u1-medium"}
    if variant.style == "data volume":
        storage = {"accessModes": _access_modes(variant), "resources": {"requests": {"storage": "40Gi"}}}
        source = {"registry": {"url": "docker://registry.example.com/images/debian:13"}}
        outer["dataVolumeTemplates"] = [{"metadata": {"name": name}, "spec": {"source": source, "storage": storage}}]
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels(name),
            "annotations": {
                "example.com/contact": "orders@example.com",
                "example.com/description": "Runs the order service of the shop. Only its owner restarts it.",
            },
        },
        "spec": {
            "runStrategy": "Always" if variant.is_running else "Halted",
            **outer,
            "template": {
                "metadata": {"labels": {"kubevirt.io/domain": name, **labels(name)}},
                "spec": specification(number, variant),
            },
        },
    }


def specification(number: int, variant: Variant) -> Object:
    """``spec`` of a VMI."""
    name = machine_name(number)
    selector = {"matchLabels": {"example.com/team": "orders"}}
    apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}
    volume = {
        "dataVolume" if variant.style == "data volume" else "persistentVolumeClaim": _claim_reference(number, variant)
    }
    networks: list[Object] = [{"name": "default", "pod": {}}]
    if variant.style == "network":
        networks.append({"name": "storage", "multus": {"networkName": "blue-net"}})
    return {
        "architecture": "amd64",
        "evictionStrategy": "LiveMigrate",
        "terminationGracePeriodSeconds": 180,
        "hostname": name,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 50, "podAffinityTerm": apart}]
            }
        },
        "domain": _domain(number, variant),
        "networks": networks,
        "readinessProbe": {"tcpSocket": {"port": 22}, "initialDelaySeconds": 30, "periodSeconds": 10},
        "volumes": [
            {"name": "rootdisk", **volume},
            {
                "name": "cloudinit",
                "cloudInitNoCloud": {"userData": USER_DATA.format(name=name, key=f"{number:06}" * 7)},
            },
        ],
    }


def _claim_reference(number: int, variant: Variant) -> Object:
    return {"name" if variant.style == "data volume" else "claimName": machine_name(number)}


def _domain(number: int, variant: Variant) -> Object:
    devices: Object = {
        "rng": {},
        "networkInterfaceMultiqueue": True,
        "disks": [
            {"name": "rootdisk", "bootOrder": 1, "disk": {"bus": "virtio"}},
            {"name": "cloudinit", "disk": {"bus": "virtio"}},
        ],
        "interfaces": [
            {
                "name": "default",
                "bridge" if variant.violates == "bridge" else "masquerade": {},
                "model": "virtio",
                "macAddress": f"02:00:00:{mac_part(number)}",
                "ports": [
                    {"name": "ssh", "port": 22},
                    {"name": "http", "port": 49152 if variant.violates == "port" else 8080},
                ],
            }
        ],
    }
    if variant.style == "network":
        devices["interfaces"].append({"name": "storage", "bridge": {}, "model": "virtio"})
    if variant.violates == "filesystems":
        devices["filesystems"] = [{"name": "rootdisk", "virtiofs": {}}]
    if variant.violates == "host devices":
        devices["hostDevices"] = [{"name": "fpga", "deviceName": "example.com/fpga"}]
    sizes: Object = {}
    if variant.style != "instancetype":
        sizes = {
            "cpu": {"cores": 4, "sockets": 1, "threads": 1, "model": "Skylake-Server-v5"},
            "memory": {"guest": "8Gi"},
            "resources": {"requests": {"cpu": "4", "memory": "8Gi"}},
        }
    return {**sizes, "machine": {"type": "q35"}, "devices": devices}


def conditions(variant: Variant) -> list[Object]:
    """The conditions of a running VMI."""
    ready = _condition("Ready", lastTransitionTime=TIME)
    agent = _condition("AgentConnected", lastProbeTime=TIME)
    live, storage = _condition("LiveMigratable"), _condition("StorageLiveMigratable")
    if variant.violates in REFUSED:
        reason, message = REFUSED[variant.violates]
        live |= {"status": "False", "reason": reason, "message": message}
        if variant.violates != "claim":  # a volume migration may replace the PVC
            storage |= {"status": "False", "reason": "NotMigratable", "message": message}
    return [ready, live, storage, agent]


def _condition(kind: str, **fields: str) -> Object:
    return {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": None, **fields}


def status(variant: Variant) -> Object:
    """``status`` of a VirtualMachine."""
    if not variant.is_running:
        return {"printableStatus": "Stopped", "observedGeneration": 1, "desiredGeneration": 1}
    return {
        "created": True,
        "ready": True,
        "printableStatus": "Running",
        "runStrategy": "Always",
        "observedGeneration": 1,
        "desiredGeneration": 1,
        "conditions": conditions(variant),
        "volumeSnapshotStatuses": [{"enabled": False, "name": "rootdisk"}, {"enabled": False, "name": "cloudinit"}],
    }


def instance(number: int, namespace: str, variant: Variant, owner_uid: str, node: str) -> Object:
    """The VMI of a running VM."""
    name = machine_name(number)
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": name, "uid": owner_uid}
    spec = specification(number, variant)
    if variant.style == "instancetype":
        spec["domain"] |= {"cpu": {"cores": 1, "sockets": 1, "threads": 1}, "memory": {"guest": "4Gi"}}
    address = {"interfaceName": "eth0", "name": "default", "infoSource": "domain, guest-agent", "queueCount": 4}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"kubevirt.io/domain": name, "kubevirt.io/nodeName": node, **labels(name)},
            "annotations": {
                "kubevirt.io/latest-observed-api-version": "v1",
                "kubevirt.io/storage-observed-api-version": "v1",
                "kubevirt.io/vm-generation": "1",
            },
            "finalizers": ["kubevirt.io/virtualMachineControllerFinalize", "foregroundDeleteVirtualMachine"],
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": spec,
        "status": {
            "phase": "Running",
            "nodeName": node,
            "conditions": conditions(variant),
            "migrationMethod": "BlockMigration" if variant.violates == "claim" else "LiveMigration",
            "guestOSInfo": {"id": "debian", "name": "Debian GNU/Linux", "version": "13", "machine": "x86_64"},
            "interfaces": [{**address, "mac": f"02:00:00:{mac_part(number)}", "ipAddress": "10.0.2.2"}],
            "launcherContainerImageVersion": "quay.io/kubevirt/virt-launcher:v1.9.0",
            "machine": {"type": "pc-q35-rhel9.6.0"},
            "memory": {"guestAtBoot": "8Gi", "guestCurrent": "8Gi", "guestRequested": "8Gi"},
            "phaseTransitionTimestamps": [
                {"phase": phase, "phaseTransitionTimestamp": TIME}
                for phase in ("Pending", "Scheduling", "Scheduled", "Running")
            ],
            "qosClass": "Burstable",
            "runtimeUser": 107,
            "selinuxContext": "system_u:object_r:container_file_t:s0:c500,c700",
            "virtualMachineRevisionName": f"revision-start-vm-{name}-1",
            "volumeStatus": [
                {"name": "rootdisk", "target": "vda"},
                {"name": "cloudinit", "target": "vdb", "size": 1048576},
            ],
        },
    }
