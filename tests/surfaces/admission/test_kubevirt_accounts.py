"""Writes of KubeVirt's service accounts for themselves, and those for a tenant."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, refused, review, vm
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.kubevirt_accounts import ACCOUNTS, account_of, is_kubevirt_account
from webhook.surfaces.admission.requests import DecodedRequest, read_review

SINGLE, SHARED = claim("single", "ReadWriteOnce"), claim("shared", "ReadWriteMany")
BAD, GOOD = vm(volumes=[on_claim("single")]), vm(volumes=[on_claim("shared")])
RESTORED = "restore.kubevirt.io/lastRestoreUID"
CONTROLLER, VIRT_API, HANDLER = "kubevirt-controller", "kubevirt-apiserver", "kubevirt-handler"
POOL = {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "controller": True}
CLONE = {"apiVersion": "clone.kubevirt.io/v1beta1", "kind": "VirtualMachineClone", "controller": True}
MACHINE = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "controller": True}


def service_account(name: str, namespace: str = "kubevirt") -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def owned(manifest: Manifest, *owners: Manifest, **annotations: str) -> Manifest:
    references = [{"name": "owner", "uid": "1", **owner} for owner in owners]
    return {
        **manifest,
        "metadata": {**manifest["metadata"], "ownerReferences": references, "annotations": annotations},
    }


def vmi(manifest: Manifest) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": manifest["metadata"],
        "spec": manifest["spec"]["template"]["spec"],
    }


def replica_set(manifest: Manifest) -> Manifest:
    spec = {"template": manifest["spec"]["template"]}
    return {**manifest, "kind": "VirtualMachineInstanceReplicaSet", "spec": spec}


def pool(manifest: Manifest) -> Manifest:
    spec = {"virtualMachineTemplate": {"spec": manifest["spec"]}}
    return {**manifest, "apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "spec": spec}


CREATED = {
    "VMI of a VM": (vmi(owned(BAD, MACHINE)), {CONTROLLER}),
    "VMI of a replica set": (vmi(owned(BAD, MACHINE | {"kind": "VirtualMachineInstanceReplicaSet"})), {CONTROLLER}),
    "VMI without an owner": (vmi(BAD), set()),
    "VMI of a job": (vmi(owned(BAD, MACHINE | {"kind": "Job"})), set()),
    "VM of a pool": (owned(BAD, POOL), {CONTROLLER}),
    "VM of a pool that does not control it": (owned(BAD, POOL | {"controller": False}), set()),
    "VM of a pool of another group": (owned(BAD, POOL | {"apiVersion": "example.org/v1"}), set()),
    "VM of another kind of the pool's group": (owned(BAD, POOL | {"kind": "VirtualMachine"}), set()),
    "VM of a clone": (owned(BAD, CLONE), set()),
    "restored VM": (owned(BAD, **{RESTORED: "restore-1"}), set()),
    "restored VM that names a pool": (owned(BAD, POOL, **{RESTORED: "restore-1"}), set()),
    "VM": (BAD, set()),
    "replica set": (replica_set(BAD), set()),
    "pool": (pool(BAD), set()),
}


@pytest.mark.parametrize("account", sorted(ACCOUNTS))
@pytest.mark.parametrize(("manifest", "trusted"), CREATED.values(), ids=CREATED)
def test_only_virt_controller_creates_objects_without_a_verdict(
    account: str, manifest: Manifest, trusted: set[str]
) -> None:
    """
    This holds only for objects that an admitted object describes: VMIs, and VMs of pools.
    """
    outcome = decided(review("CREATE", manifest, user=service_account(account)), SINGLE)

    assert outcome.allowed is (account in trusted)
    assert [decision.finding.rule.id for decision in outcome.decisions] == ["LM201"]


@pytest.mark.parametrize(
    "user", [service_account(CONTROLLER, "tenant"), service_account("default"), CONTROLLER, "jane"]
)
@pytest.mark.parametrize(("manifest", "_trusted"), CREATED.values(), ids=CREATED)
def test_an_account_of_a_similar_name_is_not_trusted(user: str, manifest: Manifest, _trusted: set[str]) -> None:
    """
    An account with the name of KubeVirt's account in another namespace, or without a namespace, is not trusted.
    """
    assert not decided(review("CREATE", manifest, user=user), SINGLE).allowed


UPDATED: dict[str, tuple[Manifest, Manifest, set[str]]] = {
    "spec": (BAD, GOOD, ACCOUNTS - {VIRT_API}),
    "restore": (owned(BAD, **{RESTORED: "b"}), owned(GOOD, **{RESTORED: "a"}), set()),
    "first restore": (owned(BAD, **{RESTORED: "b"}), GOOD, set()),
    "mark of a restore removed": (BAD, owned(GOOD, **{RESTORED: "a"}), ACCOUNTS - {VIRT_API}),
    "mark on a replica set": (
        replica_set(owned(BAD, **{RESTORED: "b"})),
        replica_set(owned(GOOD, **{RESTORED: "a"})),
        ACCOUNTS - {VIRT_API},
    ),
    "restore of an unreadable VM": (owned(BAD, **{RESTORED: "b"}), vm(nodeSelector=7), ACCOUNTS - {VIRT_API}),
    "spec of a VM restored earlier": (
        owned(BAD, **{RESTORED: "a"}),
        owned(GOOD, **{RESTORED: "a"}),
        ACCOUNTS - {VIRT_API},
    ),
}


@pytest.mark.parametrize("account", sorted(ACCOUNTS))
@pytest.mark.parametrize(("new", "old", "trusted"), UPDATED.values(), ids=UPDATED)
def test_updates_by_trusted_accounts_are_denied_only_on_behalf_of_a_user(
    account: str, new: Manifest, old: Manifest, trusted: set[str]
) -> None:
    """
    A start, a revision or a migrated volume is never denied. A restore, and an update by virt-api for a user, can be
    denied.
    """
    outcome = decided(review("UPDATE", new, old, user=service_account(account)), SINGLE, SHARED)

    assert outcome.allowed is (account in trusted)


def test_a_restore_meets_the_ratchet() -> None:
    """
    A snapshot that has no violation beyond those of the VM that it replaces is restored.
    """
    before, after = owned(BAD, **{RESTORED: "a"}), owned(BAD, **{RESTORED: "b"})
    after["spec"] = {**after["spec"], "dataVolumeTemplates": []}

    assert decided(review("UPDATE", after, before, user=service_account(CONTROLLER)), SINGLE).allowed


@pytest.mark.parametrize(
    ("user", "namespace", "known"),
    [
        (service_account(HANDLER, "virt"), "virt", True),
        (service_account(HANDLER), "virt", False),
        (service_account(HANDLER) + ":x", "kubevirt", False),
        (service_account(HANDLER, ""), "", False),
        (service_account(HANDLER), "", False),
    ],
)
def test_the_accounts_are_those_of_the_install_namespace(user: str, namespace: str, known: Any) -> None:
    """
    Wherever KubeVirt is installed; no account is trusted while the namespace is not known.
    """
    assert is_kubevirt_account(user, namespace) is known


def test_the_accounts_are_those_that_kubevirt_installs() -> None:
    """
    ``pkg/virt-api/webhooks/serviceaccounts.go`` lists them, v1.9.0.
    """
    parts = ("apiserver", "controller", "handler", "operator", "exportproxy", "synchronization-controller")

    assert {f"kubevirt-{part}" for part in parts} == ACCOUNTS


def test_any_other_user_has_no_name_among_the_accounts() -> None:
    """
    The name of a service account of KubeVirt's namespace, whichever it is; empty for every other user.
    """
    users = [service_account("default"), service_account("default", "tenant"), "jane"]

    assert [account_of(user, "kubevirt") for user in users] == ["default", "", ""]
    assert account_of(service_account("default", ""), "") == ""


@pytest.mark.parametrize("manifest", [BAD, vmi(BAD), replica_set(BAD), pool(BAD)])
def test_refusals_name_the_same_field_whoever_writes(manifest: Manifest) -> None:
    """
    A denial of KubeVirt's account reads like that of a user, because a user has to act on it.
    """
    own = refused(decided(review("CREATE", manifest), SINGLE))

    assert own == refused(decided(review("CREATE", manifest, user=service_account(VIRT_API)), SINGLE))


PATCH = '{"op": "replace", "path": "/spec/template/spec/hostname", "value": "web"}'


def carrier(group: str, kind: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": f"{group}.kubevirt.io/v1beta1",
        "kind": kind,
        "metadata": {"name": "again", "namespace": "tenant"},
        "spec": spec,
    }


@pytest.mark.parametrize(("group", "kind"), [("clone", "VirtualMachineClone"), ("snapshot", "VirtualMachineRestore")])
@pytest.mark.parametrize(
    ("spec", "most", "warned"),
    [
        ({"patches": [PATCH]}, Action.DENY, True),
        ({"patches": [PATCH]}, Action.WARN, True),
        ({"patches": [PATCH]}, Action.AUDIT, False),
        ({"patches": [PATCH]}, Action.OFF, False),
        ({"patches": []}, Action.DENY, False),
        ({}, Action.DENY, False),
        ({"patches": [1]}, Action.DENY, False),
    ],
)
def test_a_clone_or_restore_with_patches_is_warned_about(
    group: str, kind: str, spec: Manifest, most: Action, warned: bool
) -> None:
    """
    The warning says where a denial of the patched VM will appear.
    """
    outcome = decided(review("CREATE", carrier(group, kind, **spec)), policy=Policy(at_most=most))

    expected = (
        "Migratable: the patched VM is judged when KubeVirt creates it; see the events of the VirtualMachineRestore "
        "(spec.patches)"
    )
    assert (outcome.allowed, outcome.warnings) == (True, (expected,) if warned else ())


@pytest.mark.parametrize(
    ("operation", "sub_resource", "warnings"), [("CREATE", "", 1), ("UPDATE", "", 0), ("CREATE", "status", 0)]
)
def test_only_the_creation_of_a_clone_is_warned_about_and_each_is_counted_by_kind(
    operation: str, sub_resource: str, warnings: int
) -> None:
    """
    Later writes of a controller are not requests of a user.
    """
    clone = carrier("clone", "VirtualMachineClone", patches=[PATCH])
    body = review(operation, clone, clone, sub_resource=sub_resource)

    read = read_review(body)

    assert isinstance(read, DecodedRequest)
    assert read.kind is not None
    assert (read.kind.kind, len(decided(body).warnings)) == ("VirtualMachineClone", warnings)
