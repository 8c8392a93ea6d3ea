"""A new object that cannot be read is denied like a violation, and what lowers a violation lowers this, too."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import Manifest, review, vm
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Account, Action, Policy
from webhook.surfaces.admission.requests import UnreadableRequest, read_review
from webhook.surfaces.admission.unreadable import decide_unreadable
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome

VIRT = "kubevirt"
OPERATOR = f"system:serviceaccount:{VIRT}:hyperconverged-cluster-operator"
CONTROLLER = f"system:serviceaccount:{VIRT}:kubevirt-controller"
BACKUP = "system:serviceaccount:backup:velero"
OWNED = {"labels": {"app.kubernetes.io/managed-by": "hco-operator"}}
MACHINE = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "web", "uid": "1", "controller": True}
POOL = MACHINE | {"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool"}
RESTORED = "restore.kubevirt.io/lastRestoreUID"


def kubevirt(network: Any = "x", **metadata: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": VIRT, **metadata},
        "spec": {"configuration": {"network": network}},
    }


def machine(**metadata: Any) -> Manifest:
    bad = vm(volumes="none")
    return bad | {"metadata": bad["metadata"] | metadata}


def instance(**metadata: Any) -> Manifest:
    made = machine(**metadata)
    return made | {"kind": "VirtualMachineInstance", "spec": made["spec"]["template"]["spec"]}


def decided(operation: str, new: Manifest, old: Manifest | None = None, user: str = "jane", **policy: Any) -> Outcome:
    read = read_review(review(operation, new, old, user=user))
    assert isinstance(read, UnreadableRequest)
    return decide_unreadable(read, JudgingContext(ObjectsWorld([]), only(NEWEST), Policy(**policy), "2026-01-01", VIRT))


WARNED = {
    "HyperConverged's operator, by the stored CR": ("UPDATE", kubevirt(), kubevirt({}, **OWNED), OPERATOR),
    "the same where the stored CR is unreadable": ("UPDATE", kubevirt("y"), kubevirt("x", **OWNED), OPERATOR),
    "the same where none is stored": ("CREATE", kubevirt(**OWNED), None, OPERATOR),
    "virt-controller starts a VM": ("CREATE", instance(ownerReferences=[MACHINE]), None, CONTROLLER),
    "virt-controller writes to a VM": ("UPDATE", machine(), vm(), CONTROLLER),
    "virt-operator writes its CR": (
        "UPDATE",
        kubevirt(),
        kubevirt({}),
        f"system:serviceaccount:{VIRT}:kubevirt-operator",
    ),
    "a listed account": ("CREATE", machine(), None, BACKUP),
}
ACCOUNTS = [Account(BACKUP, "restores", "backup team", "2999-12-31")]


@pytest.mark.parametrize(("operation", "new", "old", "user"), WARNED.values(), ids=WARNED)
def test_an_account_whose_denials_are_lowered_is_warned(
    operation: str, new: Manifest, old: Manifest | None, user: str
) -> None:
    """
    An operator or controller would repeat a refused write forever.
    """
    outcome = decided(operation, new, old, user, accounts=ACCOUNTS)

    assert (outcome.allowed, len(outcome.warnings)) == (True, 1)


DENIED = {
    "a person": ("CREATE", machine(), None, "jane"),
    "a person writes HyperConverged's CR": ("UPDATE", kubevirt(), kubevirt({}, **OWNED), "jane"),
    "the operator writes a CR that is not its own": ("UPDATE", kubevirt(**OWNED), kubevirt({}), OPERATOR),
    "an operator of another namespace": (
        "UPDATE",
        kubevirt(),
        kubevirt({}, **OWNED),
        OPERATOR.replace(VIRT, "tenant"),
    ),
    "the VM of a clone or restore": ("CREATE", machine(), None, CONTROLLER),
    "a VM that names a pool": ("CREATE", machine(ownerReferences=[POOL]), None, CONTROLLER),
    "a restore": ("UPDATE", machine(annotations={RESTORED: "a"}), vm(), CONTROLLER),
    "an account like a listed one": ("CREATE", machine(), None, f"{BACKUP}-2"),
}


@pytest.mark.parametrize(("operation", "new", "old", "user"), DENIED.values(), ids=DENIED)
def test_everyone_else_is_denied(operation: str, new: Manifest, old: Manifest | None, user: str) -> None:
    """
    An unreadable object has no advantage over a bad one.
    """
    assert not decided(operation, new, old, user, accounts=ACCOUNTS).allowed


@pytest.mark.parametrize(
    ("most", "warnings"), [(Action.WARN, 1), (Action.AUDIT, 0), (Action.OFF, 0)], ids=["warn", "audit", "off"]
)
def test_the_policy_limits_the_action(most: Action, warnings: int) -> None:
    """
    ``atMost`` holds for unreadable objects.
    """
    outcome = decided("CREATE", machine(), at_most=most)

    assert (outcome.allowed, len(outcome.warnings)) == (True, warnings)


def test_a_workload_in_kubevirts_namespace_passes() -> None:
    """
    No tenant can write to the namespace of the KubeVirt CR.
    """
    assert decided("CREATE", machine(namespace=VIRT)) == PASS


@pytest.mark.parametrize("sub_resource", ["status", "scale"])
def test_an_unreadable_status_write_passes(sub_resource: str) -> None:
    """
    N3: nothing is said of it, whatever the policy is.
    """
    told = read_review(review("UPDATE", machine(), vm(), sub_resource=sub_resource))
    assert isinstance(told, UnreadableRequest)

    assert decide_unreadable(told, JudgingContext(ObjectsWorld([]), only(NEWEST), Policy(), "2026-01-01", VIRT)) == PASS


def test_an_unreadable_object_without_a_namespace_is_denied() -> None:
    """
    While the namespace of the KubeVirt resource is not known, no object is from there.
    """
    told = read_review(review("CREATE", machine() | {"metadata": {"name": "web"}}))
    assert isinstance(told, UnreadableRequest)

    assert not decide_unreadable(
        told, JudgingContext(ObjectsWorld([]), only(NEWEST), Policy(), "2026-01-01", "")
    ).allowed
