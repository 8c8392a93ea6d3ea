"""The objects, accounts and webhook calls of the tests of match conditions, on an API server with all webhooks installed."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.apiserver.client import Client
from tests.deploy.manifests import Manifest
from tests.deploy.recorder import Recorder
from tests.waiting import wait_until

KUBEVIRT_NAMESPACE = "kubevirt"
CONTROLLER = f"system:serviceaccount:{KUBEVIRT_NAMESPACE}:kubevirt-controller"
OPERATOR = f"system:serviceaccount:{KUBEVIRT_NAMESPACE}:kubevirt-operator"
HYPER_CONVERGED = f"system:serviceaccount:{KUBEVIRT_NAMESPACE}:hyperconverged-cluster-operator"
TENANT = "tenant"
VIRT_API = f"system:serviceaccount:{KUBEVIRT_NAMESPACE}:kubevirt-apiserver"
HANDLER = f"system:serviceaccount:{KUBEVIRT_NAMESPACE}:kubevirt-handler"
LOOKALIKE = f"system:serviceaccount:{TENANT}:kubevirt-controller"
LOOKALIKE_API = f"system:serviceaccount:{TENANT}:kubevirt-apiserver"
NAMESPACE_CONTROLLER = "system:serviceaccount:kube-system:namespace-controller"

MERGE = "application/merge-patch+json"

VM = ["virtualmachine.validate.migratable"]
ON_BEHALF = ["virtualmachine-on-behalf.validate.migratable"]
VMIRS = ["virtualmachineinstancereplicaset.validate.migratable"]
POOL = ["virtualmachinepool.validate.migratable"]
VMI = ["virtualmachineinstance.validate.migratable"]
VMI_UPDATE = ["virtualmachineinstance-update.validate.migratable"]
KUBEVIRT = ["kubevirt.validate.migratable"]
HYPER_CONVERGED_CR = ["hyperconverged.validate.migratable"]
NAD = ["networkattachmentdefinition.validate.migratable"]
POLICY = ["migrationpolicy.validate.migratable"]
NAD_DELETE = ["networkattachmentdefinition-delete.validate.migratable"]
HOTPLUG = ["virtualmachine-hotplug.validate.migratable"]
PATCHED = ["patched-virtualmachine.validate.migratable"]
DEFAULT = ["virtualmachine.default.migratable"]
DEFAULT_KUBEVIRT = ["kubevirt.default.migratable"]
NO_CALL: list[str] = []

PLURALS = {
    "VirtualMachine": "virtualmachines",
    "VirtualMachineInstance": "virtualmachineinstances",
    "VirtualMachineInstanceReplicaSet": "virtualmachineinstancereplicasets",
    "VirtualMachinePool": "virtualmachinepools",
    "VirtualMachineInstanceMigration": "virtualmachineinstancemigrations",
    "KubeVirt": "kubevirts",
    "HyperConverged": "hyperconvergeds",
    "NetworkAttachmentDefinition": "network-attachment-definitions",
    "MigrationPolicy": "migrationpolicies",
    "VirtualMachineClone": "virtualmachineclones",
    "VirtualMachineRestore": "virtualmachinerestores",
    "Pod": "pods",
}
CLUSTER_WIDE = ("MigrationPolicy",)
MATCHER = {"kind": "VirtualMachineInstancetype", "name": "small"}
VOLUME = {"spec": {"volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}]}}
LABEL = {"metadata": {"labels": {"a": "b"}}}
NO_FINALIZER = {"metadata": {"finalizers": None}}

numbers = itertools.count(1)


# --- objects


def named(api_version: str, kind: str, spec: dict[str, Any], **metadata: Any) -> Manifest:
    metadata = {"name": f"it-{next(numbers)}"} | metadata
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"domain": {"devices": {}}} | spec}


def vm(version: str = "v1", **spec: Any) -> Manifest:
    return named(f"kubevirt.io/{version}", "VirtualMachine", {"runStrategy": "Halted", "template": template()} | spec)


def held_vm() -> Manifest:
    """A VM that stays when it is deleted, until its finalizer is taken away."""
    held = vm()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    return held


def vmi(**metadata: Any) -> Manifest:
    return named("kubevirt.io/v1", "VirtualMachineInstance", template()["spec"], **metadata)


def receiver(value: str) -> Manifest:
    return vmi(annotations={"kubevirt.io/create-migration-target": value})


def owned_vmi(kind: str) -> Manifest:
    owner = {"apiVersion": "kubevirt.io/v1", "kind": kind, "name": "owner", "uid": "0000"}
    return vmi(ownerReferences=[owner])


def replica_set() -> Manifest:
    labelled = template() | {"metadata": {"labels": {"app": "web"}}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": labelled}
    return named("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", spec)


def pool(version: str = "v1beta1", **virtual_machine: Any) -> Manifest:
    inner = {"runStrategy": "Halted", "template": template()} | virtual_machine
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "virtualMachineTemplate": {"metadata": {"labels": {"app": "web"}}, "spec": inner},
    }
    return named(f"pool.kubevirt.io/{version}", "VirtualMachinePool", spec)


def kubevirt(**spec: Any) -> Manifest:
    return named("kubevirt.io/v1", "KubeVirt", spec, namespace=KUBEVIRT_NAMESPACE)


def nad(config: str | None = "{}", **metadata: Any) -> Manifest:
    spec = {} if config is None else {"config": config}
    return named("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", spec, **metadata)


def hyper_converged(**spec: Any) -> Manifest:
    return named("hco.kubevirt.io/v1beta1", "HyperConverged", spec)


def migration_policy(**spec: Any) -> Manifest:
    selectors = {"selectors": {"virtualMachineInstanceSelector": {"app": "web"}}}
    return named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", selectors | spec)


def carrier(kind: str, version: str = "v1beta1", **spec: Any) -> Manifest:
    group = {"VirtualMachineClone": "clone", "VirtualMachineRestore": "snapshot"}[kind]
    return named(f"{group}.kubevirt.io/{version}", kind, {"target": {"kind": "VirtualMachine", "name": "new"}} | spec)


def pod() -> Manifest:
    return named("v1", "Pod", {"containers": [{"name": "main", "image": "none"}]})


def add_volume(name: str) -> dict[str, Any]:
    claim = {"persistentVolumeClaim": {"claimName": name, "hotpluggable": True}}
    return {"addVolumeOptions": {"name": name, "disk": {"name": name}, "volumeSource": claim}}


# --- the API server


@dataclass(frozen=True, slots=True)
class Cluster:
    """An API server with our webhooks, all of which lead to the recorder."""

    client: Client
    recorder: Recorder

    def path(self, manifest: Manifest, *below: str) -> str:
        version = manifest["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if manifest["kind"] not in CLUSTER_WIDE:
            root += f"/namespaces/{manifest['metadata'].get('namespace', TENANT)}"
        return "/".join([root, PLURALS[manifest["kind"]], *below])

    def create(self, manifest: Manifest) -> Manifest:
        return self._cached(self.client.create(self.path(manifest), manifest))

    def patch(self, manifest: Manifest, patch: object, *below: str) -> None:
        path = self.path(manifest, manifest["metadata"]["name"], *below)
        reply = self.client.api("PATCH", path, patch, content_type=MERGE)
        assert reply.status == 200, reply.document.get("message")
        self._cached(manifest | {"metadata": reply.document["metadata"]})

    def replace(self, manifest: Manifest, *below: str) -> None:
        reply = self.client.api("PUT", self.path(manifest, manifest["metadata"]["name"], *below), manifest)
        assert reply.status == 200, reply.document.get("message")
        self._cached(manifest | {"metadata": reply.document["metadata"]})

    def delete(self, manifest: Manifest) -> None:
        reply = self.client.api("DELETE", self.path(manifest, manifest["metadata"]["name"]))
        assert reply.status == 200, reply.document.get("message")

    def _cached(self, written: Manifest) -> Manifest:
        """
        Return once the API server's cache holds this version of an object.

        An API server takes the old object of an update from its cache. If the cache is behind, the API server calls
        the webhooks with an older object, finds a conflict, and calls them again.
        """
        metadata = written["metadata"]
        path = f"{self.path(written, metadata['name'])}?resourceVersion={metadata['resourceVersion']}"
        reply = self.client.api("GET", path)
        assert reply.status in (200, 404), reply.document.get("message")  # 404: the write took the last finalizer
        return written

    def kubectl_as(self, user: str, *arguments: str, manifest: Manifest | None = None) -> None:
        stdin = None if manifest is None else json.dumps(manifest)
        self.client.kubectl("-n", TENANT, f"--as={user}", *arguments, stdin=stdin)


def in_pool(**spec: Any) -> dict[str, Any]:
    return {"spec": {"virtualMachineTemplate": {"spec": spec}}}


def rights() -> Manifest:
    """The rights of the accounts. Only KubeVirt's accounts write in every namespace."""
    rbac = "rbac.authorization.k8s.io"
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    role_ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": "everything"}

    def subject(user: str) -> list[dict[str, str]]:
        return [{"apiGroup": rbac, "kind": "User", "name": user}]

    items: list[Manifest] = [
        {"kind": "ClusterRole", "metadata": {"name": "everything"}, "rules": [everything]},
        {
            "kind": "RoleBinding",
            "metadata": {"name": "lookalike", "namespace": TENANT},
            "roleRef": role_ref,
            "subjects": [*subject(LOOKALIKE), *subject(LOOKALIKE_API)],
        },
    ]
    for user in (CONTROLLER, VIRT_API, HANDLER, OPERATOR, NAMESPACE_CONTROLLER):
        metadata = {"name": user.rpartition(":")[2]}
        items.append(
            {"kind": "ClusterRoleBinding", "metadata": metadata, "roleRef": role_ref, "subjects": subject(user)}
        )
    return {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": f"{rbac}/v1"} | item for item in items]}


def install(client: Client, recorder: Recorder, manifest: Manifest, which: str, sign_of_life: list[str]) -> None:
    """A configuration takes effect a moment after it was created."""
    configuration = copy.deepcopy(manifest)
    for webhook in configuration["webhooks"]:
        webhook["clientConfig"] = recorder.client_config(webhook["name"])
    client.create(f"/apis/admissionregistration.k8s.io/v1/{which}webhookconfigurations", configuration)
    probe = nad() if which == "validating" else vm()
    path = Cluster(client, recorder).path(probe)
    wait_until(
        lambda: (
            client.api("POST", f"{path}?dryRun=All", probe).status == 201 and set(sign_of_life) <= set(recorder.taken())
        ),
        30,
        f"the {which} webhooks to be called",
    )


def calls_of(cluster: Cluster, operation: Callable[[], None]) -> list[str]:
    cluster.recorder.taken()
    operation()
    return cluster.recorder.taken()
