"""An audit of a cluster discloses no names and no data of guests to users without access to the objects."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.surfaces.running import Ran, migratable
from webhook.cluster.live_reads import path_of
from webhook.objects.kinds import find_kind
from webhook.surfaces.cli.options import FORMATS

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]
CRDS: Final = (*crds.OWN, *sorted((Path(__file__).parent / "crds").glob("*.yaml")))
CONTENT: Final = "c0ntent-canary"
"""Is in cloud-init, in Secrets, and in annotations. No output contains it."""
NAMESPACE: Final = "tenant-canary"
NAMES: Final = ("vm-canary", "vmi-canary", "pool-canary", "claim-canary", "net-canary", "type-canary", "image-canary")
"""Names of a tenant's objects. Only the tenant's own reports, and the output for the caller, contain them."""
MACHINE, INSTANCE, POOL, CLAIM, NETWORK, TYPE, _ = NAMES
REPORTS: Final = {
    "openreports": ("/apis/openreports.io/v1alpha1/", "reports", "clusterreports"),
    "policyreports": ("/apis/wgpolicyk8s.io/v1alpha2/", "policyreports", "clusterpolicyreports"),
}


def named(api_version: str, kind: str, name: str, namespace: str | None = NAMESPACE, **more: Any) -> Manifest:
    metadata = {"name": name, "annotations": {"example.com/note": CONTENT}} | more.pop("metadata", {})
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": metadata | ({"namespace": namespace} if namespace else {}),
        **more,
    }


def vmi_spec(**devices: Any) -> Manifest:
    """A spec with one finding of most families, whose volumes hold content of the guest."""
    texts = {"userData": f"#cloud-config\npassword: {CONTENT}\n", "networkData": f"# {CONTENT}"}
    volumes = [
        {"name": "os", "persistentVolumeClaim": {"claimName": CLAIM}},
        {"name": "init", "cloudInitNoCloud": texts},
        {"name": "drive", "cloudInitConfigDrive": {"userDataBase64": CONTENT}},
        {"name": "secret", "secret": {"secretName": "password"}},
        {"name": "disk", "hostDisk": {"path": f"/var/{CONTENT}", "type": "Disk"}},
    ]
    interfaces = [{"name": "default", "bridge": {}}, {"name": "blue", "bridge": {}}]
    networks = [{"name": "default", "pod": {}}, {"name": "blue", "multus": {"networkName": NETWORK}}]
    return {
        "evictionStrategy": "LiveMigrate",
        "domain": {
            "cpu": {"model": "host-passthrough"},
            "devices": {
                "disks": [{"name": volume["name"]} for volume in volumes],
                "interfaces": interfaces,
                "hostDevices": [{"name": "fpga", "deviceName": "example.com/fpga"}],
                **devices,
            },
        },
        "networks": networks,
        "volumes": volumes,
        "accessCredentials": [{"sshPublicKey": {"source": {"secret": {"secretName": "password"}}}}],
    }


def policy(name: str, selectors: Manifest) -> Manifest:
    spec = {"allowPostCopy": name == "first", "selectors": selectors}
    return named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", name, None, spec=spec)


def cluster() -> Iterator[Manifest]:
    """Settings with findings about VMs, and a tenant's objects with findings of their own."""
    for namespace in ("kubevirt", NAMESPACE):
        yield named("v1", "Namespace", namespace, None)
    yield named("v1", "Secret", "password", stringData={"password": CONTENT, "key": f"ssh-rsa {CONTENT}"})
    migrations = {"network": "migration", "parallelMigrationsPerCluster": 0, "allowPostCopy": True}
    configuration = {"migrations": migrations, "developerConfiguration": {"featureGates": ["HostDevices"]}}
    yield named("kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt", spec={"configuration": configuration})
    config = json.dumps({"cniVersion": "1.0.0", "type": "bridge", "bridge": "br1", "ipam": {"type": "host-local"}})
    for namespace, name in (("kubevirt", "migration"), (NAMESPACE, NETWORK)):
        yield named("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", name, namespace, spec={"config": config})
    yield policy("misplaced", {"virtualMachineInstanceSelector": {"outer": "yes"}})
    yield policy("first", {"virtualMachineInstanceSelector": {"inner": "yes"}})
    yield policy("second", {"virtualMachineInstanceSelector": {"inner": "yes"}})
    yield policy("nowhere", {"namespaceSelector": {"absent": "yes"}})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    yield named("v1", "PersistentVolumeClaim", CLAIM, spec=claim)
    template = {"metadata": {"labels": {"inner": "yes"}, "annotations": {"note": CONTENT}}, "spec": vmi_spec()}
    outer = {"runStrategy": "Always", "template": template}
    kubevirt = "kubevirt.io/v1"
    yield named(kubevirt, "VirtualMachine", MACHINE, spec=outer, metadata={"labels": {"outer": "yes"}})
    inferred = outer | {"instancetype": {"name": TYPE, "kind": "VirtualMachineInstancetype"}}
    yield named(kubevirt, "VirtualMachine", f"{MACHINE}-2", spec=inferred, metadata={"labels": {"outer": "yes"}})
    ready = {"type": "LiveMigratable", "status": "True"}
    state = {"phase": "Running", "nodeName": "n1", "conditions": [ready]}
    yield named(kubevirt, "VirtualMachineInstance", INSTANCE, spec=vmi_spec(), status=state)
    pool = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "virtualMachineTemplate": {"spec": outer}}
    yield named("pool.kubevirt.io/v1beta1", "VirtualMachinePool", POOL, spec=pool)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(crds=CRDS) as started:
        for manifest in cluster():
            metadata = manifest["metadata"]
            kind = find_kind(manifest["apiVersion"], manifest["kind"])
            path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
            if kind is not None:
                path = path_of(kind, manifest["apiVersion"].rpartition("/")[2], metadata.get("namespace", ""))
            started.client.create(path, manifest)
        yield started


def audit(plane: ControlPlane, *options: str | Path) -> Ran:
    ran = migratable("audit", "--kubeconfig", plane.client.kubeconfig(), "--fail-on", "never", *options)
    assert ran.status == 0, ran.err
    return ran


def has_tenants_name(text: str) -> bool:
    return any(name in text for name in (NAMESPACE, *NAMES))


@pytest.mark.parametrize("output", FORMATS)
def test_no_output_contains_data_of_a_guest(plane: ControlPlane, output: str) -> None:
    """
    Cloud-init, Secrets and annotations are in no format, with or without details.
    """
    ran = audit(plane, "-v", "-o", output)

    assert CONTENT not in ran.out + ran.err
    assert MACHINE in ran.out or output in ("prometheus", "summary")


def test_messages_of_an_audit_name_no_object_of_a_tenant(plane: ControlPlane) -> None:
    """
    Only stdout, which the caller chose, names VMs. A log collector that stores stderr learns no names.
    """
    ran = audit(plane, "-o", "json", "--reports", "openreports")

    assert "note: reports in the cluster: " in ran.err
    assert not has_tenants_name(ran.err)


def test_metrics_have_the_namespace_as_a_label_and_no_other_name(plane: ControlPlane) -> None:
    """
    Names of VMs, claims and networks are in no label of a metric.
    """
    ran = audit(plane, "-o", "prometheus")

    assert f'namespace="{NAMESPACE}"' in ran.out
    assert not has_tenants_name(ran.out.replace(f'namespace="{NAMESPACE}"', ""))


@pytest.mark.parametrize("reports", REPORTS)
def test_reports_show_names_of_a_tenant_in_its_namespace_only(plane: ControlPlane, reports: str) -> None:
    """
    Users with access to cluster-scoped reports see the findings about policies, but not the names of the VMs.
    """
    audit(plane, "-o", "summary", "--reports", reports, "--writes-per-second", "1000")

    root, namespaced, cluster_scoped = REPORTS[reports]
    own = plane.client.api("GET", root + namespaced).document["items"]
    of_cluster = plane.client.api("GET", root + cluster_scoped).document["items"]
    rules = set(re.findall(r"LM6\d\d", json.dumps(of_cluster)))
    assert {one["metadata"]["namespace"] for one in own} == {NAMESPACE}
    assert len(own) >= 4
    assert {"LM644", "LM642"} & rules
    assert not has_tenants_name(json.dumps(of_cluster))
    assert CONTENT not in json.dumps([own, of_cluster])
