"""
Who calls us, and who never does, on a real API server.

All webhooks that may fail closed do so here: a condition that cannot be evaluated would be a refused request.
"""

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import Manifest, built_with, of_kind, overlay
from tests.deploy.recorder import Recorder, recording
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

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
NAD = ["networkattachmentdefinition.validate.migratable"]
POLICY = ["migrationpolicy.validate.migratable"]
NAD_DELETE = ["networkattachmentdefinition-delete.validate.migratable"]
HOTPLUG = ["virtualmachine-hotplug.validate.migratable"]
PATCHED = ["patched-virtualmachine.validate.migratable"]
DEFAULT = ["virtualmachine.default.migratable"]
DEFAULT_KUBEVIRT = ["kubevirt.default.migratable"]
NOBODY: list[str] = []

PLURALS = {
    "VirtualMachine": "virtualmachines",
    "VirtualMachineInstance": "virtualmachineinstances",
    "VirtualMachineInstanceReplicaSet": "virtualmachineinstancereplicasets",
    "VirtualMachinePool": "virtualmachinepools",
    "VirtualMachineInstanceMigration": "virtualmachineinstancemigrations",
    "KubeVirt": "kubevirts",
    "NetworkAttachmentDefinition": "network-attachment-definitions",
    "MigrationPolicy": "migrationpolicies",
    "VirtualMachineClone": "virtualmachineclones",
    "VirtualMachineRestore": "virtualmachinerestores",
    "Pod": "pods",
}
CLUSTER_WIDE = ("MigrationPolicy",)

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
        return self.client.create(self.path(manifest), manifest)

    def patch(self, manifest: Manifest, patch: object, *below: str) -> None:
        path = self.path(manifest, manifest["metadata"]["name"], *below)
        reply = self.client.api("PATCH", path, patch, content_type=MERGE)
        assert reply.status == 200, reply.document.get("message")

    def replace(self, manifest: Manifest, *below: str) -> None:
        reply = self.client.api("PUT", self.path(manifest, manifest["metadata"]["name"], *below), manifest)
        assert reply.status == 200, reply.document.get("message")

    def delete(self, manifest: Manifest) -> None:
        reply = self.client.api("DELETE", self.path(manifest, manifest["metadata"]["name"]))
        assert reply.status == 200, reply.document.get("message")

    def kubectl_as(self, user: str, *arguments: str, manifest: Manifest | None = None) -> None:
        stdin = None if manifest is None else json.dumps(manifest)
        self.client.kubectl("-n", TENANT, f"--as={user}", *arguments, stdin=stdin)


@pytest.fixture(scope="module")
def cluster(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The webhooks of overlay enforce in force, accounts of KubeVirt, and a tenant's account of the same name."""
    client = plane.client
    for namespace in (TENANT, KUBEVIRT_NAMESPACE):
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    client.kubectl("apply", "-f", "-", stdin=json.dumps(rights()))
    with recording(plane.ca) as recorder:
        for configuration in of_kind(overlay("enforce"), "ValidatingWebhookConfiguration"):
            install(client, recorder, configuration, "validating", NAD)
        defaulting = built_with(tmp_path_factory.mktemp("kustomize"), ["default-eviction-strategy"])
        for configuration in of_kind(defaulting, "MutatingWebhookConfiguration"):
            install(client, recorder, configuration, "mutating", DEFAULT)
        yield Cluster(client, recorder)


def rights() -> Manifest:
    """Who may write what; nobody but KubeVirt writes in every namespace."""
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


# --- creating


@pytest.mark.parametrize(
    ("manifest", "calls"),
    [
        pytest.param(vm(), DEFAULT + VM, id="VM"),
        pytest.param(vm("v1alpha3"), DEFAULT + VM, id="VM, v1alpha3"),
        pytest.param(vm(running=False, runStrategy=None), DEFAULT + VM, id="VM with running"),
        pytest.param(replica_set(), DEFAULT + VMIRS, id="VMIRS"),
        pytest.param(pool(), DEFAULT + POOL, id="pool"),
        pytest.param(pool("v1alpha1"), DEFAULT + POOL, id="pool, v1alpha1"),
        pytest.param(vmi(), DEFAULT + VMI, id="VMI"),
        pytest.param(owned_vmi("VirtualMachine"), DEFAULT + VMI, id="VMI with an owner, by a person"),
        pytest.param(receiver("true"), DEFAULT + VMI, id="VMI that says it receives a migration"),
        pytest.param(kubevirt(), DEFAULT_KUBEVIRT + KUBEVIRT, id="KubeVirt"),
        pytest.param(nad(), NAD, id="NAD"),
        pytest.param(nad(namespace=KUBEVIRT_NAMESPACE), NAD, id="NAD beside KubeVirt"),
        pytest.param(nad(config=None), NAD, id="NAD without config"),
        pytest.param(migration_policy(), POLICY, id="MigrationPolicy"),
        pytest.param(vm() | {"metadata": {"name": "v", "namespace": "kube-system"}}, NOBODY, id="VM in kube-system"),
        pytest.param(vmi(namespace=KUBEVIRT_NAMESPACE), DEFAULT + VMI, id="VMI beside KubeVirt"),
        pytest.param(
            named("kubevirt.io/v1", "VirtualMachineInstanceMigration", {"vmiName": "x"}), NOBODY, id="VMI migration"
        ),
        pytest.param(carrier("VirtualMachineClone", patches=["{}"]), PATCHED, id="clone with patches"),
        pytest.param(carrier("VirtualMachineRestore", patches=["{}"]), PATCHED, id="restore with patches"),
        pytest.param(carrier("VirtualMachineRestore", "v1alpha1", patches=["{}"]), PATCHED, id="restore, v1alpha1"),
        pytest.param(carrier("VirtualMachineClone"), NOBODY, id="clone"),
        pytest.param(carrier("VirtualMachineRestore", patches=[]), NOBODY, id="restore"),
        pytest.param(pod(), NOBODY, id="pod"),
    ],
)
def test_who_is_called_when_an_object_is_created(cluster: Cluster, manifest: Manifest, calls: list[str]) -> None:
    """
    What can be migrated, and what migrates it, is seen by each webhook that it concerns, and by no other.
    """
    seen = calls_of(cluster, lambda: cluster.create(manifest) and None)

    assert seen == sorted(calls)


def test_a_dry_run_is_judged_too(cluster: Cluster) -> None:
    """
    `kubectl --dry-run=server` tells what would happen.
    """
    manifest = vm()

    seen = calls_of(
        cluster,
        lambda: cluster.kubectl_as(
            "someone", "create", "--as-group=system:masters", "--dry-run=server", "-f", "-", manifest=manifest
        ),
    )

    assert seen == sorted(DEFAULT + VM)


@pytest.mark.parametrize(
    ("user", "owner", "calls"),
    [
        (CONTROLLER, "VirtualMachine", NOBODY),
        (CONTROLLER, "VirtualMachineInstanceReplicaSet", NOBODY),
        (CONTROLLER, "VirtualMachinePool", NOBODY),
        (CONTROLLER, "Job", VMI),
        (CONTROLLER, None, VMI),
        (LOOKALIKE, "VirtualMachine", VMI),
        (OPERATOR, "VirtualMachine", VMI),
    ],
)
def test_an_instance_is_not_judged_where_kubevirt_makes_it_for_its_owner(
    cluster: Cluster, user: str, owner: str | None, calls: list[str]
) -> None:
    """
    A VM that was admitted before us starts again; an account of the same name in a tenant's namespace is nobody.
    """
    manifest = vmi() if owner is None else owned_vmi(owner)

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, "create", "-f", "-", manifest=manifest))

    assert [name for name in seen if name not in DEFAULT] == calls


# --- changing

MATCHER = {"kind": "VirtualMachineInstancetype", "name": "small"}
VOLUME = {"spec": {"volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}]}}
DATA_VOLUMES = [{"metadata": {"name": "d"}, "spec": {"storage": {}}}]
LABEL = {"metadata": {"labels": {"a": "b"}}}
ANNOTATION = {"metadata": {"annotations": {"a": "b"}}}
NO_FINALIZER = {"metadata": {"finalizers": None}}
BRIDGE_OVERRIDE = {"annotations": {"kubevirt.io/allow-pod-bridge-network-live-migration": ""}}
HOT = {"name": "hot", "persistentVolumeClaim": {"claimName": "hot", "hotpluggable": True}}
OWNER = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "0"}]}}


def with_volume(manifest: Manifest) -> Manifest:
    return {**manifest, "spec": manifest["spec"] | VOLUME["spec"]}


USB = {"name": "usb", "deviceName": "kubevirt.io/usb"}


def two_volumes(**spec: Any) -> Manifest:
    manifest = vm(template=template(**spec))
    manifest["spec"]["template"]["spec"] |= volumes_are(["a", "b"], ["a", "b"])["spec"]["template"]["spec"]
    return manifest


def volumes_are(volumes: list[str] | None, disks: list[str] | None, **changes: Any) -> dict[str, Any]:
    """A patch of a VM's volumes and disks, and of what else its template may have in different depths."""
    claims = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in volumes or ()]
    devices: dict[str, Any] = {"disks": [{"name": each} for each in disks] if disks is not None else None}
    domain: dict[str, Any] = {"devices": devices}
    spec: dict[str, Any] = {"domain": domain, "volumes": claims if volumes is not None else None}
    for key, value in changes.items():
        place = {"hostDevices": devices, "cpu": domain}.get(key, spec)
        place[key] = value
    return {"spec": {"template": {"spec": spec}}}


def in_pool(**spec: Any) -> dict[str, Any]:
    return {"spec": {"virtualMachineTemplate": {"spec": spec}}}


@pytest.mark.parametrize(
    ("manifest", "patch", "calls"),
    [
        pytest.param(vm(), {}, NOBODY, id="VM: nothing"),
        pytest.param(vm(), LABEL, NOBODY, id="VM: label"),
        pytest.param(vm(), ANNOTATION, NOBODY, id="VM: annotation"),
        pytest.param(held_vm(), NO_FINALIZER, NOBODY, id="VM: finalizer taken away"),
        pytest.param(vm(), OWNER, NOBODY, id="VM: owner"),
        pytest.param(vm(), {"spec": {"runStrategy": "Always"}}, NOBODY, id="VM: started"),
        pytest.param(vm(runStrategy="Always"), {"spec": {"runStrategy": "Halted"}}, NOBODY, id="VM: stopped"),
        pytest.param(
            vm(running=False, runStrategy=None), {"spec": {"running": True}}, NOBODY, id="VM: started by running"
        ),
        pytest.param(
            vm(instancetype=MATCHER, preference=MATCHER, dataVolumeTemplates=DATA_VOLUMES),
            {"spec": {"runStrategy": "Always"}},
            NOBODY,
            id="VM with all judged parts: started",
        ),
        pytest.param(vm(), {"spec": {"template": VOLUME}}, VM, id="VM: volume added"),
        pytest.param(vm(), {"spec": {"template": LABEL}}, VM, id="VM: label of the template"),
        pytest.param(vm(), {"spec": {"template": template()}}, NOBODY, id="VM: the same template"),
        pytest.param(vm(), {"spec": {"dataVolumeTemplates": DATA_VOLUMES}}, VM, id="VM: DataVolume added"),
        pytest.param(
            vm(dataVolumeTemplates=DATA_VOLUMES), {"spec": {"dataVolumeTemplates": None}}, VM, id="VM: DataVolume gone"
        ),
        pytest.param(
            vm(dataVolumeTemplates=DATA_VOLUMES),
            {"spec": {"dataVolumeTemplates": [{"metadata": {"name": "e"}, "spec": {"storage": {}}}]}},
            VM,
            id="VM: DataVolume changed",
        ),
        pytest.param(vm(), {"spec": {"instancetype": MATCHER}}, VM, id="VM: instancetype added"),
        pytest.param(vm(instancetype=MATCHER), {"spec": {"instancetype": None}}, VM, id="VM: instancetype gone"),
        pytest.param(
            vm(instancetype=MATCHER), {"spec": {"instancetype": {"name": "big"}}}, VM, id="VM: instancetype changed"
        ),
        pytest.param(vm(), {"spec": {"preference": MATCHER}}, VM, id="VM: preference added"),
        pytest.param(vm(preference=MATCHER), {"spec": {"preference": None}}, VM, id="VM: preference gone"),
        pytest.param(vm(preference=MATCHER), {"spec": {"preference": {"name": "x"}}}, VM, id="VM: preference changed"),
        pytest.param(vm("v1alpha3"), {"spec": {"template": VOLUME}}, VM, id="VM, v1alpha3: volume added"),
        pytest.param(two_volumes(), volumes_are(["a"], ["a"]), NOBODY, id="VM: volume and disk removed"),
        pytest.param(two_volumes(), volumes_are(["b"], ["a", "b"]), NOBODY, id="VM: medium of a disk removed"),
        pytest.param(two_volumes(), volumes_are(None, None), NOBODY, id="VM: all volumes removed"),
        pytest.param(two_volumes(), volumes_are(["a", "b"], ["a"]), VM, id="VM: disk removed"),
        pytest.param(two_volumes(), volumes_are(["c"], ["a"]), VM, id="VM: two volumes replaced by one"),
        pytest.param(two_volumes(), volumes_are(["a"], ["c"]), VM, id="VM: volume removed, disk added"),
        pytest.param(
            two_volumes(),
            volumes_are(["a"], ["a"]) | {"spec": volumes_are(["a"], ["a"])["spec"] | {"instancetype": MATCHER}},
            VM,
            id="VM: volume removed, instancetype added",
        ),
        pytest.param(
            two_volumes(),
            volumes_are(["a"], ["a"], nodeSelector={"a": "b"}),
            VM,
            id="VM: volume removed, selector added",
        ),
        pytest.param(
            two_volumes(nodeSelector={"a": "b"}),
            volumes_are(["a"], ["a"], nodeSelector=None),
            VM,
            id="VM: volume and selector removed",
        ),
        pytest.param(
            two_volumes(), volumes_are(["a"], ["a"], hostDevices=[USB]), VM, id="VM: volume removed, host device added"
        ),
        pytest.param(
            two_volumes(), volumes_are(["a"], ["a"], cpu={"model": "x"}), VM, id="VM: volume removed, CPU model added"
        ),
        pytest.param(vm("v1alpha3"), LABEL, NOBODY, id="VM, v1alpha3: label"),
        pytest.param(replica_set(), LABEL, NOBODY, id="VMIRS: label"),
        pytest.param(replica_set(), {"spec": {"replicas": 3}}, NOBODY, id="VMIRS: replicas"),
        pytest.param(replica_set(), {"spec": {"paused": True}}, NOBODY, id="VMIRS: paused"),
        pytest.param(replica_set(), {"spec": {"template": VOLUME}}, VMIRS, id="VMIRS: volume added"),
        pytest.param(pool(), LABEL, NOBODY, id="pool: label"),
        pytest.param(pool(), {"spec": {"replicas": 3}}, NOBODY, id="pool: replicas"),
        pytest.param(pool(), in_pool(runStrategy="Always"), NOBODY, id="pool: started"),
        pytest.param(pool(), {"spec": {"virtualMachineTemplate": LABEL}}, NOBODY, id="pool: label of its VMs"),
        pytest.param(pool(), in_pool(template=VOLUME), POOL, id="pool: volume added"),
        pytest.param(pool("v1alpha1"), in_pool(template=VOLUME), POOL, id="pool, v1alpha1: volume added"),
        pytest.param(pool("v1alpha1"), in_pool(runStrategy="Always"), NOBODY, id="pool, v1alpha1: started"),
        pytest.param(pool(), in_pool(dataVolumeTemplates=DATA_VOLUMES), POOL, id="pool: DataVolume added"),
        pytest.param(pool(), in_pool(instancetype=MATCHER), POOL, id="pool: instancetype added"),
        pytest.param(pool(instancetype=MATCHER), in_pool(instancetype=None), POOL, id="pool: instancetype gone"),
        pytest.param(pool(), in_pool(preference=MATCHER), POOL, id="pool: preference added"),
        pytest.param(pool(preference=MATCHER), in_pool(preference={"name": "x"}), POOL, id="pool: preference changed"),
        pytest.param(pool(), {"spec": {"virtualMachineTemplate": {"spec": None}}}, POOL, id="pool: no VM any more"),
        pytest.param(vmi(), LABEL, NOBODY, id="VMI: label"),
        pytest.param(vmi(), {"status": {"phase": "Running"}}, NOBODY, id="VMI: heartbeat"),
        pytest.param(vmi(), {"metadata": BRIDGE_OVERRIDE}, NOBODY, id="VMI: override added"),
        pytest.param(vmi(**BRIDGE_OVERRIDE), LABEL, NOBODY, id="VMI with override: label"),
        pytest.param(vmi(**BRIDGE_OVERRIDE), {"metadata": {"annotations": None}}, VMI_UPDATE, id="VMI: override gone"),
        pytest.param(vmi(), VOLUME, VMI_UPDATE, id="VMI: volume added"),
        pytest.param(with_volume(vmi()), LABEL, NOBODY, id="VMI with volume: label"),
        pytest.param(with_volume(vmi()), {"spec": {"volumes": None}}, VMI_UPDATE, id="VMI: volume gone"),
        pytest.param(with_volume(vmi()), {"spec": {"volumes": [HOT]}}, VMI_UPDATE, id="VMI: volume changed"),
        pytest.param(kubevirt(), LABEL, NOBODY, id="KubeVirt: label"),
        pytest.param(kubevirt(), {"spec": {"imagePullPolicy": "Always"}}, NOBODY, id="KubeVirt: another setting"),
        pytest.param(
            kubevirt(),
            {"spec": {"configuration": {"migrations": {"parallelMigrationsPerCluster": 2}}}},
            DEFAULT_KUBEVIRT + KUBEVIRT,
            id="KubeVirt: configuration added",
        ),
        pytest.param(
            kubevirt(configuration={"evictionStrategy": "None"}),
            {"spec": {"configuration": {"evictionStrategy": "LiveMigrate"}}},
            DEFAULT_KUBEVIRT + KUBEVIRT,
            id="KubeVirt: configuration changed",
        ),
        pytest.param(nad(), LABEL, NOBODY, id="NAD: label"),
        pytest.param(nad(), {"spec": {"config": '{"type": "bridge"}'}}, NAD, id="NAD: config changed"),
        pytest.param(nad(config=None), {"spec": {"config": "{}"}}, NAD, id="NAD: config added"),
        pytest.param(nad(), {"spec": None}, NAD, id="NAD: spec gone"),
        pytest.param(migration_policy(), LABEL, NOBODY, id="MigrationPolicy: label"),
        pytest.param(migration_policy(), {"spec": {"allowPostCopy": True}}, POLICY, id="MigrationPolicy: spec changed"),
    ],
)
def test_who_is_called_when_an_object_is_changed(
    cluster: Cluster, manifest: Manifest, patch: dict[str, Any], calls: list[str]
) -> None:
    """
    Only a change of what is judged reaches us: no label, no start, no stop, no scaling and no heartbeat ever does.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, patch))

    assert seen == sorted(calls)


ADDED = {"status": {"volumeRequests": [add_volume("a")]}}
REMOVED = {"status": {"volumeRequests": [{"removeVolumeOptions": {"name": "a"}}]}}


@pytest.mark.parametrize(
    ("before", "after", "calls"),
    [
        pytest.param({}, {"status": {"printableStatus": "Running"}}, NOBODY, id="a status"),
        pytest.param({}, ADDED, HOTPLUG, id="a disk to add"),
        pytest.param({}, REMOVED, NOBODY, id="a disk to remove"),
        pytest.param({"status": {"ready": True}}, ADDED, HOTPLUG, id="a disk to add, to a status"),
        pytest.param(
            ADDED,
            {"status": {"volumeRequests": [add_volume("a"), add_volume("b")]}},
            HOTPLUG,
            id="another disk to add",
        ),
        pytest.param(ADDED, {"status": {"volumeRequests": [add_volume("b")]}}, HOTPLUG, id="in place of another"),
        pytest.param(ADDED, ADDED | {"metadata": {"labels": {"a": "b"}}}, NOBODY, id="the same"),
        pytest.param(ADDED, {"status": {"volumeRequests": None}}, NOBODY, id="done"),
    ],
)
def test_of_status_writes_only_a_disk_that_is_added_is_seen(
    cluster: Cluster, before: dict[str, Any], after: dict[str, Any], calls: list[str]
) -> None:
    """
    KubeVirt asks for a hotplugged disk in the status of its VM.
    """
    manifest = vm()
    cluster.create(manifest)
    cluster.patch(manifest, before, "status")

    seen = calls_of(cluster, lambda: cluster.patch(manifest, after, "status"))

    assert seen == calls


@pytest.mark.parametrize(("volumes", "calls"), [(199, NOBODY), (256, VM)])
def test_many_large_volumes_are_no_error(cluster: Cluster, volumes: int, calls: list[str]) -> None:
    """
    Comparing lists stays within what an API server spends on a condition: an error would be a refusal under Fail.
    """
    disks = [{"name": f"v{number}"} for number in range(volumes)]
    sources = [{**each, "cloudInitNoCloud": {"userData": "x" * 2000}} for each in disks]
    manifest = vm()
    manifest["spec"]["template"]["spec"] |= {"volumes": sources, "domain": {"devices": {"disks": disks}}}
    cluster.create(manifest)
    fewer = {"volumes": sources[:-1], "domain": {"devices": {"disks": disks[:-1]}}}

    seen = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"template": {"spec": fewer}}}))

    assert seen == calls


@pytest.mark.parametrize("manifest", [replica_set(), pool()], ids=["VMIRS", "pool"])
def test_scaling_is_not_judged(cluster: Cluster, manifest: Manifest) -> None:
    """
    `kubectl scale` and autoscalers write to a subresource that no rule names.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"replicas": 5}}, "scale"))

    assert seen == NOBODY


def test_a_virtual_machine_of_a_megabyte_can_be_labelled(cluster: Cluster) -> None:
    """
    Comparing templates stays within what an API server spends on a condition, whatever a tenant writes.
    """
    volumes = [{"name": f"v{number}", "cloudInitNoCloud": {"userData": "x" * 2000}} for number in range(250)]
    labels = {f"label-{number}": "x" * 10 for number in range(20_000)}
    manifest = vm(template=template(volumes=volumes) | {"metadata": {"labels": labels}})
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.patch(manifest, LABEL))
    judged = calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"template": LABEL}}))

    assert (seen, judged) == (NOBODY, VM)


RESTORED = "restore.kubevirt.io/lastRestoreUID"
REVISION = {"spec": {"instancetype": {"revisionName": "r"}}}
NEW_TEMPLATE = {"spec": {"template": VOLUME}}


def restored(value: str) -> dict[str, Any]:
    return NEW_TEMPLATE | {"metadata": {"annotations": {RESTORED: value}}}


@pytest.mark.parametrize(
    ("user", "annotations", "patch", "calls"),
    [
        pytest.param(CONTROLLER, {}, REVISION, NOBODY, id="virt-controller: revision"),
        pytest.param(CONTROLLER, {}, NEW_TEMPLATE, NOBODY, id="virt-controller: volumes"),
        pytest.param(CONTROLLER, {RESTORED: "a"}, NEW_TEMPLATE, NOBODY, id="virt-controller: restored earlier"),
        pytest.param(CONTROLLER, {}, restored("a"), ON_BEHALF, id="virt-controller: first restore"),
        pytest.param(CONTROLLER, {RESTORED: "a"}, restored("b"), ON_BEHALF, id="virt-controller: restore"),
        pytest.param(CONTROLLER, {"a": "b"}, restored("b"), ON_BEHALF, id="virt-controller: restore beside a note"),
        pytest.param(CONTROLLER, {}, {"spec": {"runStrategy": "Always"}}, NOBODY, id="virt-controller: start"),
        pytest.param(VIRT_API, {}, NEW_TEMPLATE, ON_BEHALF, id="virt-api: addvolume"),
        pytest.param(VIRT_API, {}, {"spec": {"runStrategy": "Always"}}, NOBODY, id="virt-api: start"),
        pytest.param(HANDLER, {}, NEW_TEMPLATE, VM, id="virt-handler"),
        pytest.param(LOOKALIKE, {}, REVISION, VM, id="kubevirt-controller of a tenant"),
        pytest.param(LOOKALIKE, {}, restored("a"), VM, id="kubevirt-controller of a tenant: restore"),
        pytest.param(LOOKALIKE_API, {}, NEW_TEMPLATE, VM, id="kubevirt-apiserver of a tenant"),
    ],
)
def test_what_kubevirt_writes_to_a_vm_never_waits_under_fail(
    cluster: Cluster, user: str, annotations: dict[str, str], patch: dict[str, Any], calls: list[str]
) -> None:
    """
    Starts are not sent; what virt-controller or virt-api writes because a user asked goes to a webhook that fails open.
    """
    manifest = vm(instancetype=MATCHER)
    manifest["metadata"]["annotations"] = annotations
    cluster.create(manifest)
    arguments = ("patch", "vm", manifest["metadata"]["name"], "--type=merge", "-p", json.dumps(patch))

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, *arguments))

    assert seen == calls


@pytest.mark.parametrize(
    ("user", "owner", "calls"),
    [
        pytest.param(CONTROLLER, {}, NOBODY, id="pool"),
        pytest.param(CONTROLLER, {"controller": False}, ON_BEHALF, id="pool that does not control it"),
        pytest.param(CONTROLLER, {"apiVersion": "example.org/v1"}, ON_BEHALF, id="pool of another group"),
        pytest.param(CONTROLLER, {"kind": "VirtualMachineClone"}, ON_BEHALF, id="another kind"),
        pytest.param(CONTROLLER, None, ON_BEHALF, id="nobody: a clone, or a restore"),
        pytest.param(LOOKALIKE, {}, VM, id="pool, says an account of a tenant"),
        pytest.param(HANDLER, {}, VM, id="pool, by virt-handler"),
        pytest.param(OPERATOR, {}, VM, id="pool, by virt-operator"),
        pytest.param(NAMESPACE_CONTROLLER, {}, VM, id="pool, by the namespace controller"),
        pytest.param(VIRT_API, {}, ON_BEHALF, id="pool, by virt-api"),
    ],
)
def test_a_vm_that_kubevirt_creates_never_waits_under_fail(
    cluster: Cluster, user: str, owner: dict[str, Any] | None, calls: list[str]
) -> None:
    """
    The VMs of a pool are not sent, because the pool is judged; clones and restores go to a webhook that fails open.
    """
    manifest = vm()
    pool_owner = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "name": "pool", "uid": "1"}
    if owner is not None:
        manifest["metadata"]["ownerReferences"] = [pool_owner | {"controller": True} | owner]

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, "create", "-f", "-", manifest=manifest))

    assert [name for name in seen if name not in DEFAULT] == calls


@pytest.mark.parametrize(
    ("user", "calls"),
    [(CONTROLLER, NOBODY), (VIRT_API, VMI_UPDATE), (HANDLER, VMI_UPDATE), (LOOKALIKE, VMI_UPDATE)],
)
def test_a_volume_of_a_vmi_is_sent_unless_virt_controller_writes_it(
    cluster: Cluster, user: str, calls: list[str]
) -> None:
    """
    virt-controller carries over what was judged at the VM; virt-api plugs in what a user asks for.
    """
    manifest = vmi()
    cluster.create(manifest)
    arguments = ("patch", "vmi", manifest["metadata"]["name"], "--type=merge", "-p", json.dumps(VOLUME))

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, *arguments))

    assert seen == calls


@pytest.mark.parametrize(
    ("user", "value", "calls"),
    [
        (CONTROLLER, "true", NOBODY),
        (CONTROLLER, "false", DEFAULT),
        (LOOKALIKE, "true", DEFAULT + VMI),
        (HANDLER, "true", DEFAULT + VMI),
    ],
)
def test_only_virt_controller_makes_the_receiver_of_a_migration(
    cluster: Cluster, user: str, value: str, calls: list[str]
) -> None:
    """
    The annotation excuses nothing: any tenant can write it, and remove it at once.
    """
    manifest = receiver(value)
    manifest["metadata"] |= owned_vmi("VirtualMachine")["metadata"] | {"name": manifest["metadata"]["name"]}

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, "create", "-f", "-", manifest=manifest))

    assert seen == sorted(calls)


def test_the_operator_of_kubevirt_is_not_judged(cluster: Cluster) -> None:
    """
    virt-operator repairs its own resource whatever we think of it.
    """
    manifest = kubevirt()
    cluster.create(manifest)
    patch = json.dumps({"spec": {"configuration": {"evictionStrategy": "None"}}})
    arguments = ("patch", "kubevirt", manifest["metadata"]["name"], f"-n{KUBEVIRT_NAMESPACE}", "--type=merge")

    seen = calls_of(cluster, lambda: cluster.kubectl_as(OPERATOR, *arguments, "-p", patch))

    assert seen == NOBODY


def test_the_operator_of_hyperconverged_has_a_webhook_of_its_own(cluster: Cluster) -> None:
    """
    HyperConverged's operator is judged by a webhook that is always Ignore; the same account name elsewhere is anybody's.
    """
    manifest = kubevirt()
    cluster.create(manifest)
    arguments = ("patch", "kubevirt", manifest["metadata"]["name"], f"-n{KUBEVIRT_NAMESPACE}", "--type=merge")

    def asked(user: str, strategy: str) -> list[str]:
        patch = json.dumps({"spec": {"configuration": {"evictionStrategy": strategy}}})
        return calls_of(cluster, lambda: cluster.kubectl_as(user, *arguments, "--as-group=system:masters", "-p", patch))

    assert asked(HYPER_CONVERGED, "None") == sorted(
        [*DEFAULT_KUBEVIRT, "kubevirt-by-hyperconverged.validate.migratable"]
    )
    assert asked(HYPER_CONVERGED.replace(KUBEVIRT_NAMESPACE, "tenant"), "External") == sorted(
        DEFAULT_KUBEVIRT + KUBEVIRT
    )


# --- applying, deleting


def test_applying_the_same_again_is_not_judged(cluster: Cluster) -> None:
    """
    What a GitOps controller does all day costs us nothing.
    """
    manifest = vm(instancetype=MATCHER)
    apply = ("apply", "--server-side", "--as-group=system:masters", "-f", "-")
    first = calls_of(cluster, lambda: cluster.kubectl_as("gitops", *apply, manifest=manifest))

    again = calls_of(cluster, lambda: cluster.kubectl_as("gitops", *apply, manifest=manifest))

    assert (first, again) == (sorted(DEFAULT + VM), NOBODY)


@pytest.mark.parametrize(
    ("manifest", "calls"),
    [
        pytest.param(vm(), NOBODY, id="VM"),
        pytest.param(vmi(), NOBODY, id="VMI"),
        pytest.param(replica_set(), NOBODY, id="VMIRS"),
        pytest.param(pool(), NOBODY, id="pool"),
        pytest.param(kubevirt(), NOBODY, id="KubeVirt"),
        pytest.param(migration_policy(), NOBODY, id="MigrationPolicy"),
        pytest.param(nad(), NAD_DELETE, id="NAD"),
        pytest.param(nad(namespace=KUBEVIRT_NAMESPACE), NAD_DELETE, id="NAD beside KubeVirt"),
    ],
)
def test_only_the_deletion_of_a_network_is_seen(cluster: Cluster, manifest: Manifest, calls: list[str]) -> None:
    """
    Migrations may go over that network; deleting anything else is nobody's business but its owner's.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.delete(manifest))

    assert seen == calls


def test_a_namespace_that_goes_takes_its_networks_along(cluster: Cluster) -> None:
    """
    The deletion of a namespace never waits for us.
    """
    manifest = nad()
    cluster.create(manifest)
    name = manifest["metadata"]["name"]

    seen = calls_of(cluster, lambda: cluster.kubectl_as(NAMESPACE_CONTROLLER, "delete", "net-attach-def", name))

    assert seen == NOBODY


HELD: dict[str, tuple[Callable[[], Manifest], dict[str, Any], list[str]]] = {
    "VM": (vm, {"spec": {"template": VOLUME}}, VM),
    "VMIRS": (replica_set, {"spec": {"template": VOLUME}}, VMIRS),
    "pool": (pool, in_pool(template=VOLUME), POOL),
    "KubeVirt": (kubevirt, {"spec": {"configuration": {"evictionStrategy": "None"}}}, KUBEVIRT),
    "network": (nad, {"spec": {"config": "[]"}}, NAD),
    "policy": (migration_policy, {"spec": {"allowPostCopy": True}}, POLICY),
}


def deleting(cluster: Cluster, make: Callable[[], Manifest]) -> Manifest:
    """An object that is being deleted and stays, because of its finalizer."""
    manifest = make()
    manifest["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.create(manifest)
    cluster.delete(manifest)
    return manifest


@pytest.mark.parametrize(("make", "patch", "calls"), HELD.values(), ids=HELD)
def test_of_an_object_that_is_being_deleted_only_the_judged_part_is_seen(
    cluster: Cluster, make: Callable[[], Manifest], patch: dict[str, Any], calls: list[str]
) -> None:
    """
    Its finalizers and labels never wait for us, and a finalizer does not let its spec change unseen.
    """
    manifest = deleting(cluster, make)

    assert calls_of(cluster, lambda: cluster.patch(manifest, LABEL)) == NOBODY
    assert calls_of(cluster, lambda: cluster.patch(manifest, patch)) == calls
    assert calls_of(cluster, lambda: cluster.patch(manifest, NO_FINALIZER)) == NOBODY


def test_a_machine_that_is_being_deleted_may_be_stopped(cluster: Cluster) -> None:
    """
    By whoever deletes it, and by virt-controller, whose writes to it are never seen.
    """
    manifest = deleting(cluster, vm)
    name = manifest["metadata"]["name"]
    volumes = json.dumps({"spec": {"template": VOLUME}})

    def by_controller() -> None:
        cluster.kubectl_as(CONTROLLER, "patch", "vm", name, "--type=merge", "-p", volumes)

    assert calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"runStrategy": "Always"}})) == NOBODY
    assert calls_of(cluster, by_controller) == NOBODY
