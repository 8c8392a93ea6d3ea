"""`kubectl apply -k` on a real API server: installation, repetition, change from audit to enforce, and removal."""

import copy
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import (
    KUSTOMIZE,
    NAMESPACE,
    OURS,
    OVERLAYS,
    Manifest,
    built_with,
    find,
    of_kind,
    overlay,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/migratable-validate"
SERVING_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/migratable-serving-cert"
CLUSTER_WIDE = (
    "priorityclasses,clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations"
)


VMS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines?dryRun=All"
SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
POD: Manifest = {"spec": {"containers": [{"name": "main", "image": "none", "securityContext": SECURE}]}}
CLAIM: Manifest = {
    "kind": "PersistentVolumeClaim",
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
MIGRATION: Manifest = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachineInstanceMigration",
    "spec": {"vmiName": "web"},
}


KINDS = {"networkpolicies": "networkpolicy", "priorityclasses": "priorityclass"}


def halted_vm() -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "dark"},
        "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
    }


def folder(name: str) -> str:
    return str(KUSTOMIZE / "overlays" / name)


def pods_of(objects: tuple[Manifest, ...]) -> list[Manifest]:
    """A pod of each Deployment and CronJob."""
    return [
        {"apiVersion": "v1", "kind": "Pod"}
        | {"metadata": {"name": owner["metadata"]["name"]}, "spec": template_of(owner)["spec"]}
        for owner in of_kind(objects, "Deployment", "CronJob")
    ]


def template_of(owner: Manifest) -> Manifest:
    spec = owner["spec"] if owner["kind"] == "Deployment" else owner["spec"]["jobTemplate"]["spec"]
    template: Manifest = spec["template"]
    return template


def with_audits(folder: Path) -> tuple[Manifest, ...]:
    """The objects of overlay enforce with all components of the audit."""
    return built_with(folder, ["audit", "audit-shards", "audit-watch"])


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
@pytest.mark.parametrize("where", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_kubectl_apply_installs_everything_without_warnings(
    plane: ControlPlane, where: str, how: tuple[str, ...]
) -> None:
    """
    One command installs all objects, by client-side and by server-side apply.
    """
    # who applied first owns the fields; a test that comes later may take them, and hear that they were another's
    force = ("--force-conflicts",) if how else ()

    done = plane.client.kubectl("apply", *how, *force, "-k", str(KUSTOMIZE / where))

    assert [line for line in done.stderr.splitlines() if "last-applied-configuration" not in line] == []


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
def test_kubectl_apply_installs_the_audit_without_warnings(
    plane: ControlPlane, tmp_path: Path, how: tuple[str, ...]
) -> None:
    """
    The CronJobs as an Indexed Job, and the Deployment.
    """
    force = ("--force-conflicts",) if how else ()
    with_audits(tmp_path)

    done = plane.client.kubectl("apply", *how, *force, "-k", str(tmp_path))

    assert [line for line in done.stderr.splitlines() if "last-applied-configuration" not in line] == []


@pytest.mark.parametrize("how", [(), ("--server-side", "--force-conflicts")], ids=["client-side", "server-side"])
def test_applying_again_leaves_what_the_rotator_wrote(plane: ControlPlane, how: tuple[str, ...]) -> None:
    """
    A certificate and the caBundles outlive an upgrade.
    """
    client = plane.client
    client.kubectl("apply", *how, "-k", folder("warn"))
    webhook = "virtualmachine.validate.migratable"
    bundle = {"webhooks": [{"name": webhook, "clientConfig": {"caBundle": plane.ca.bundle}}]}
    pair = {"data": {"tls.crt": "Y3J0", "tls.key": "a2V5"}}
    assert client.api("PATCH", VALIDATING, bundle, content_type=STRATEGIC).status == 200
    assert client.api("PATCH", SERVING_SECRET, pair, content_type=MERGE).status == 200

    client.kubectl("apply", *how, "-k", folder("enforce"))

    stored = {hook["name"]: hook for hook in client.api("GET", VALIDATING).document["webhooks"]}
    secret = client.api("GET", SERVING_SECRET).document
    assert stored[webhook]["clientConfig"]["caBundle"] == plane.ca.bundle
    assert stored[webhook]["failurePolicy"] == "Fail"
    assert (secret["data"], secret["type"]) == (pair["data"], "Opaque")


def test_pods_are_admitted_to_a_namespace_of_restricted_pods(plane: ControlPlane, tmp_path: Path) -> None:
    """
    Our namespace enforces the Pod Security Standard "restricted", and our pods meet it, also those of the audit.
    """
    objects = with_audits(tmp_path)
    plane.client.kubectl("apply", "-k", folder("enforce"))
    namespace = plane.client.api("GET", f"/api/v1/namespaces/{NAMESPACE}").document
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
    admission = find(objects, "PriorityClass", "migratable")["value"]

    replies = {pod["metadata"]["name"]: plane.client.api("POST", path, pod) for pod in pods_of(objects)}
    careless = [plane.client.api("POST", path, without_security(pod)) for pod in pods_of(objects)]

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {name: (reply.status, reply.warnings) for name, reply in replies.items()} == dict.fromkeys(
        replies, (201, ())
    )
    assert {name: reply.document["spec"]["priority"] for name, reply in replies.items()} == {
        "migratable": admission,
        "migratable-rotator": admission,
        "migratable-audit": 0,
        "migratable-audit-merge": 0,
        "migratable-audit-watch": 0,
    }
    assert {reply.status for reply in careless} == {403}
    assert all('violates PodSecurity "restricted:latest"' in reply.document["message"] for reply in careless)


def without_security(pod: Manifest) -> Manifest:
    careless = copy.deepcopy(pod)
    del careless["spec"]["containers"][0]["securityContext"]
    return careless


@pytest.fixture
def dark(plane: ControlPlane) -> Client:
    """A cluster in which the webhooks fail closed, and no replica of ours is left to answer them."""
    client = plane.client
    client.api(
        "POST", "/api/v1/namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kubevirt"}}
    )
    if client.api("POST", VMS, halted_vm()).status != 500:
        client.kubectl("apply", "-k", folder("enforce"))
        wait_until(lambda: client.api("POST", VMS, halted_vm()).status == 500, 30, "the webhooks to be in force")
    return client


@pytest.mark.parametrize(
    "resource",
    [
        "deployments,services,poddisruptionbudgets,networkpolicies",
        "secrets,leases,configmaps",
        "serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings",
        "priorityclasses,mutatingwebhookconfigurations",
    ],
)
def test_pods_of_migratable_can_be_created_while_no_replica_responds(dark: Client, resource: str) -> None:
    """
    Failing closed without a single replica, whatever of ours is lost comes back with the next apply.
    """
    kinds = {KINDS.get(resource_name, resource_name.removesuffix("s")) for resource_name in resource.split(",")}
    ours = {manifest["metadata"]["name"] for manifest in overlay("enforce") if manifest["kind"].lower() in kinds}
    dark.kubectl("delete", resource, "-n", NAMESPACE, "-l", OURS)

    dark.kubectl("apply", "-k", folder("enforce"))

    names = dark.kubectl("get", resource, "-n", NAMESPACE, "-l", OURS, "-o", "jsonpath={.items[*].metadata.name}")
    assert ours
    assert {*names.stdout.split()} == ours
    assert dark.api("POST", VMS, halted_vm()).status == 500


@pytest.mark.parametrize(
    ("path", "manifest"),
    [
        pytest.param("/api/v1/nodes", {"kind": "Node"}, id="a node"),
        pytest.param(
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
            {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1"},
            id="a node's heartbeat",
        ),
        pytest.param("/api/v1/namespaces/kube-system/pods", {"kind": "Pod"} | POD, id="a pod of the network plugin"),
        pytest.param("/api/v1/namespaces/kubevirt/pods", {"kind": "Pod"} | POD, id="a pod of KubeVirt"),
        pytest.param(f"/api/v1/namespaces/{NAMESPACE}/pods", {"kind": "Pod"} | POD, id="a pod of ours"),
        pytest.param("/api/v1/namespaces/default/pods", {"kind": "Pod"} | POD, id="a virt-launcher pod"),
        pytest.param("/api/v1/namespaces/default/persistentvolumeclaims", CLAIM, id="a claim"),
        pytest.param(
            "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations", MIGRATION, id="a migration"
        ),
    ],
)
def test_objects_that_a_cluster_needs_to_start_never_wait_for_the_webhook(
    dark: Client, path: str, manifest: Manifest
) -> None:
    """
    A cluster that comes up without a replica of ours can start one.
    """
    body = {"apiVersion": "v1", "metadata": {"generateName": "it-"}} | manifest

    reply = dark.api("POST", f"{path}?dryRun=All", body)

    assert reply.status == 201, reply.document.get("message")


def test_deleting_one_object_is_the_emergency_stop(plane: ControlPlane) -> None:
    """
    Without the validating configuration, all requests are admitted. Applying again restores it.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))
    nad = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": {"name": "stop"}}
    path = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions?dryRun=All"
    wait_until(lambda: client.api("POST", path, nad).status == 500, 30, "the webhooks to be in force")

    client.kubectl("delete", "validatingwebhookconfiguration", "migratable-validate")
    wait_until(lambda: client.api("POST", path, nad).status == 201, 30, "the webhooks to be gone")
    client.kubectl("apply", "-k", folder("enforce"))

    assert client.api("GET", VALIDATING).status == 200


def test_applying_again_reverts_manual_changes(plane: ControlPlane) -> None:
    """
    A webhook that was weakened is as it was installed, with its caBundle.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))
    before = client.api("GET", VALIDATING).document["webhooks"]
    weaker = [
        {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"},
        {"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["DELETE"]},
        {"op": "remove", "path": "/webhooks/1"},
    ]
    assert client.api("PATCH", VALIDATING, weaker, content_type="application/json-patch+json").status == 200

    client.kubectl("apply", "-k", folder("enforce"))

    assert {webhook["name"]: webhook for webhook in client.api("GET", VALIDATING).document["webhooks"]} == {
        webhook["name"]: webhook for webhook in before
    }


def test_the_rotator_can_be_deleted_by_its_label(plane: ControlPlane) -> None:
    """
    By the command that docs/install.md gives, before cert-manager takes over: apply takes nothing away.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))
    wanted = {(manifest["kind"].lower(), manifest["metadata"]["name"]) for manifest in overlay("enforce")}
    rotators = {
        (manifest["kind"].lower(), manifest["metadata"]["name"])
        for manifest in overlay("enforce")
        if manifest["metadata"]["labels"].get("app.kubernetes.io/component") == "rotator"
    }

    deleted = client.kubectl(*shlex.split(command_for_the_rotator())[1:]).stdout

    gone = {tuple(re.split(r"\.\S+ | ", line.replace('"', ""))[:2]) for line in deleted.splitlines()}
    assert gone == rotators
    assert rotators < wanted


def command_for_the_rotator() -> str:
    page = (KUSTOMIZE.parents[1] / "docs" / "install.md").read_text()
    (command,) = re.findall(r"^kubectl -n migratable delete .*\\\n.*$", page, re.MULTILINE)
    return command.replace("\\\n", " ")


def test_uninstalling_leaves_nothing_behind(plane: ControlPlane) -> None:
    """
    Nothing of ours is left in the cluster; what is in the namespace goes with it, which takes a controller.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))

    client.kubectl("delete", "--wait=false", "-k", folder("enforce"))

    left = json.loads(client.kubectl("get", CLUSTER_WIDE, "-l", OURS, "-o", "json").stdout)["items"]
    namespace = client.api("GET", f"/api/v1/namespaces/{NAMESPACE}").document
    assert left == []
    assert namespace["status"]["phase"] == "Terminating"
