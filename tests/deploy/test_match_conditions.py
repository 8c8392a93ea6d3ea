"""
Requests that API servers send to the webhooks, by operation and account, on a real API server.

All webhooks that may fail closed do so here: a condition that cannot be evaluated would be a refused request.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.manifests import Manifest
from tests.deploy.webhook_calls import (
    CONTROLLER,
    DEFAULT,
    DEFAULT_KUBEVIRT,
    HANDLER,
    HYPER_CONVERGED,
    HYPER_CONVERGED_CR,
    KUBEVIRT,
    KUBEVIRT_NAMESPACE,
    LABEL,
    LOOKALIKE,
    LOOKALIKE_API,
    MATCHER,
    NAD,
    NAD_DELETE,
    NAMESPACE_CONTROLLER,
    NO_CALL,
    NO_FINALIZER,
    ON_BEHALF,
    OPERATOR,
    PATCHED,
    POLICY,
    POOL,
    VIRT_API,
    VM,
    VMI,
    VMI_UPDATE,
    VMIRS,
    VOLUME,
    Cluster,
    calls_of,
    carrier,
    hyper_converged,
    in_pool,
    kubevirt,
    migration_policy,
    nad,
    named,
    owned_vmi,
    pod,
    pool,
    receiver,
    replica_set,
    vm,
    vmi,
)

pytestmark = pytest.mark.apiserver


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
        pytest.param(vm() | {"metadata": {"name": "v", "namespace": "kube-system"}}, NO_CALL, id="VM in kube-system"),
        pytest.param(vmi(namespace=KUBEVIRT_NAMESPACE), DEFAULT + VMI, id="VMI beside KubeVirt"),
        pytest.param(
            named("kubevirt.io/v1", "VirtualMachineInstanceMigration", {"vmiName": "x"}), NO_CALL, id="VMI migration"
        ),
        pytest.param(carrier("VirtualMachineClone", patches=["{}"]), PATCHED, id="clone with patches"),
        pytest.param(carrier("VirtualMachineRestore", patches=["{}"]), PATCHED, id="restore with patches"),
        pytest.param(carrier("VirtualMachineRestore", "v1alpha1", patches=["{}"]), PATCHED, id="restore, v1alpha1"),
        pytest.param(carrier("VirtualMachineClone"), NO_CALL, id="clone"),
        pytest.param(carrier("VirtualMachineRestore", patches=[]), NO_CALL, id="restore"),
        pytest.param(pod(), NO_CALL, id="pod"),
    ],
)
def test_an_object_that_is_created_is_sent_to_these_webhooks(
    cluster: Cluster, manifest: Manifest, calls: list[str]
) -> None:
    """
    Each object is sent to the webhooks for its kind, and to no other.
    """
    seen = calls_of(cluster, lambda: cluster.create(manifest) and None)

    assert seen == sorted(calls)


def test_a_dry_run_is_sent_to_the_webhooks(cluster: Cluster) -> None:
    """
    `kubectl --dry-run=server` shows the result of a request.
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
        (CONTROLLER, "VirtualMachine", NO_CALL),
        (CONTROLLER, "VirtualMachineInstanceReplicaSet", NO_CALL),
        (CONTROLLER, "VirtualMachinePool", NO_CALL),
        (CONTROLLER, "Job", VMI),
        (CONTROLLER, None, VMI),
        (LOOKALIKE, "VirtualMachine", VMI),
        (OPERATOR, "VirtualMachine", VMI),
    ],
)
def test_a_vmi_that_kubevirt_creates_for_its_owner_is_not_sent(
    cluster: Cluster, user: str, owner: str | None, calls: list[str]
) -> None:
    """
    A VM that was admitted before the installation starts again. A tenant's account of the same name has no exception.
    """
    manifest = vmi() if owner is None else owned_vmi(owner)

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, "create", "-f", "-", manifest=manifest))

    assert [name for name in seen if name not in DEFAULT] == calls


RESTORED = "restore.kubevirt.io/lastRestoreUID"
REVISION = {"spec": {"instancetype": {"revisionName": "r"}}}
NEW_TEMPLATE = {"spec": {"template": VOLUME}}


def restored(value: str) -> dict[str, Any]:
    return NEW_TEMPLATE | {"metadata": {"annotations": {RESTORED: value}}}


@pytest.mark.parametrize(
    ("user", "annotations", "patch", "calls"),
    [
        pytest.param(CONTROLLER, {}, REVISION, NO_CALL, id="virt-controller: revision"),
        pytest.param(CONTROLLER, {}, NEW_TEMPLATE, NO_CALL, id="virt-controller: volumes"),
        pytest.param(CONTROLLER, {RESTORED: "a"}, NEW_TEMPLATE, NO_CALL, id="virt-controller: restored earlier"),
        pytest.param(CONTROLLER, {}, restored("a"), ON_BEHALF, id="virt-controller: first restore"),
        pytest.param(CONTROLLER, {RESTORED: "a"}, restored("b"), ON_BEHALF, id="virt-controller: restore"),
        pytest.param(CONTROLLER, {"a": "b"}, restored("b"), ON_BEHALF, id="virt-controller: restore beside a note"),
        pytest.param(CONTROLLER, {}, {"spec": {"runStrategy": "Always"}}, NO_CALL, id="virt-controller: start"),
        pytest.param(VIRT_API, {}, NEW_TEMPLATE, ON_BEHALF, id="virt-api: addvolume"),
        pytest.param(VIRT_API, {}, {"spec": {"runStrategy": "Always"}}, NO_CALL, id="virt-api: start"),
        pytest.param(HANDLER, {}, NEW_TEMPLATE, VM, id="virt-handler"),
        pytest.param(LOOKALIKE, {}, REVISION, VM, id="kubevirt-controller of a tenant"),
        pytest.param(LOOKALIKE, {}, restored("a"), VM, id="kubevirt-controller of a tenant: restore"),
        pytest.param(LOOKALIKE_API, {}, NEW_TEMPLATE, VM, id="kubevirt-apiserver of a tenant"),
    ],
)
def test_an_update_by_kubevirt_never_fails_closed(
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
        pytest.param(CONTROLLER, {}, NO_CALL, id="pool"),
        pytest.param(CONTROLLER, {"controller": False}, ON_BEHALF, id="pool that does not control it"),
        pytest.param(CONTROLLER, {"apiVersion": "example.org/v1"}, ON_BEHALF, id="pool of another group"),
        pytest.param(CONTROLLER, {"kind": "VirtualMachineClone"}, ON_BEHALF, id="another kind"),
        pytest.param(CONTROLLER, None, ON_BEHALF, id="no owner: a clone, or a restore"),
        pytest.param(LOOKALIKE, {}, VM, id="pool, says an account of a tenant"),
        pytest.param(HANDLER, {}, VM, id="pool, by virt-handler"),
        pytest.param(OPERATOR, {}, VM, id="pool, by virt-operator"),
        pytest.param(NAMESPACE_CONTROLLER, {}, VM, id="pool, by the namespace controller"),
        pytest.param(VIRT_API, {}, ON_BEHALF, id="pool, by virt-api"),
    ],
)
def test_a_vm_that_kubevirt_creates_never_fails_closed(
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
    [(CONTROLLER, NO_CALL), (VIRT_API, VMI_UPDATE), (HANDLER, VMI_UPDATE), (LOOKALIKE, VMI_UPDATE)],
)
def test_a_volume_of_a_vmi_is_sent_unless_virt_controller_writes_it(
    cluster: Cluster, user: str, calls: list[str]
) -> None:
    """
    virt-controller copies checked content of the VM. virt-api adds a volume for a user.
    """
    manifest = vmi()
    cluster.create(manifest)
    arguments = ("patch", "vmi", manifest["metadata"]["name"], "--type=merge", "-p", json.dumps(VOLUME))

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, *arguments))

    assert seen == calls


@pytest.mark.parametrize(
    ("user", "value", "calls"),
    [
        (CONTROLLER, "true", NO_CALL),
        (CONTROLLER, "false", DEFAULT),
        (LOOKALIKE, "true", DEFAULT + VMI),
        (HANDLER, "true", DEFAULT + VMI),
    ],
)
def test_only_the_receiver_vmi_of_virt_controller_is_not_sent(
    cluster: Cluster, user: str, value: str, calls: list[str]
) -> None:
    """
    The annotation excuses nothing: any tenant can write it, and remove it at once.
    """
    manifest = receiver(value)
    manifest["metadata"] |= owned_vmi("VirtualMachine")["metadata"] | {"name": manifest["metadata"]["name"]}

    seen = calls_of(cluster, lambda: cluster.kubectl_as(user, "create", "-f", "-", manifest=manifest))

    assert seen == sorted(calls)


def test_updates_by_virt_operator_are_not_sent(cluster: Cluster) -> None:
    """
    virt-operator repairs its own resource without a check.
    """
    manifest = kubevirt()
    cluster.create(manifest)
    patch = json.dumps({"spec": {"configuration": {"evictionStrategy": "None"}}})
    arguments = ("patch", "kubevirt", manifest["metadata"]["name"], f"-n{KUBEVIRT_NAMESPACE}", "--type=merge")

    seen = calls_of(cluster, lambda: cluster.kubectl_as(OPERATOR, *arguments, "-p", patch))

    assert seen == NO_CALL


def test_updates_by_the_hyperconverged_operator_have_their_own_webhook(cluster: Cluster) -> None:
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


def test_an_unchanged_apply_is_not_sent(cluster: Cluster) -> None:
    """
    A GitOps controller causes no load.
    """
    manifest = vm(instancetype=MATCHER)
    apply = ("apply", "--server-side", "--as-group=system:masters", "-f", "-")
    first = calls_of(cluster, lambda: cluster.kubectl_as("gitops", *apply, manifest=manifest))

    again = calls_of(cluster, lambda: cluster.kubectl_as("gitops", *apply, manifest=manifest))

    assert (first, again) == (sorted(DEFAULT + VM), NO_CALL)


@pytest.mark.parametrize(
    ("manifest", "calls"),
    [
        pytest.param(vm(), NO_CALL, id="VM"),
        pytest.param(vmi(), NO_CALL, id="VMI"),
        pytest.param(replica_set(), NO_CALL, id="VMIRS"),
        pytest.param(pool(), NO_CALL, id="pool"),
        pytest.param(kubevirt(), NO_CALL, id="KubeVirt"),
        pytest.param(migration_policy(), NO_CALL, id="MigrationPolicy"),
        pytest.param(nad(), NAD_DELETE, id="NAD"),
        pytest.param(nad(namespace=KUBEVIRT_NAMESPACE), NAD_DELETE, id="NAD beside KubeVirt"),
    ],
)
def test_only_the_deletion_of_a_network_is_sent(cluster: Cluster, manifest: Manifest, calls: list[str]) -> None:
    """
    Migrations may use that network. Other deletions do not matter.
    """
    cluster.create(manifest)

    seen = calls_of(cluster, lambda: cluster.delete(manifest))

    assert seen == calls


def test_the_deletion_of_a_namespace_is_not_sent(cluster: Cluster) -> None:
    """
    The deletion of a namespace never waits for the webhook.
    """
    manifest = nad()
    cluster.create(manifest)
    name = manifest["metadata"]["name"]

    seen = calls_of(cluster, lambda: cluster.kubectl_as(NAMESPACE_CONTROLLER, "delete", "net-attach-def", name))

    assert seen == NO_CALL


HELD: dict[str, tuple[Callable[[], Manifest], dict[str, Any], list[str]]] = {
    "VM": (vm, {"spec": {"template": VOLUME}}, VM),
    "VMIRS": (replica_set, {"spec": {"template": VOLUME}}, VMIRS),
    "pool": (pool, in_pool(template=VOLUME), POOL),
    "KubeVirt": (kubevirt, {"spec": {"configuration": {"evictionStrategy": "None"}}}, KUBEVIRT),
    "HyperConverged": (hyper_converged, {"spec": {"evictionStrategy": "None"}}, HYPER_CONVERGED_CR),
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
def test_only_the_checked_part_of_an_object_that_is_being_deleted_is_sent(
    cluster: Cluster, make: Callable[[], Manifest], patch: dict[str, Any], calls: list[str]
) -> None:
    """
    Changes of its finalizers and labels never wait for the webhook, but a change of its spec is sent.
    """
    manifest = deleting(cluster, make)

    assert calls_of(cluster, lambda: cluster.patch(manifest, LABEL)) == NO_CALL
    assert calls_of(cluster, lambda: cluster.patch(manifest, patch)) == calls
    assert calls_of(cluster, lambda: cluster.patch(manifest, NO_FINALIZER)) == NO_CALL


def test_a_vm_that_is_being_deleted_can_be_stopped(cluster: Cluster) -> None:
    """
    By the user who deletes it, and by virt-controller, whose updates are not sent.
    """
    manifest = deleting(cluster, vm)
    name = manifest["metadata"]["name"]
    volumes = json.dumps({"spec": {"template": VOLUME}})

    def by_controller() -> None:
        cluster.kubectl_as(CONTROLLER, "patch", "vm", name, "--type=merge", "-p", volumes)

    assert calls_of(cluster, lambda: cluster.patch(manifest, {"spec": {"runStrategy": "Always"}})) == NO_CALL
    assert calls_of(cluster, by_controller) == NO_CALL
