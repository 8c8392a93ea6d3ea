"""Updates: which findings of the old object lower a denial."""

import pytest

from tests.surfaces.admission.reviews import claim, decided, on_claim, review, vm
from webhook.policy.policy import Action, Policy

SINGLE = claim("single", "ReadWriteOnce")
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
HONOURING = Policy(honour_eviction_strategy=True)


def test_a_vm_that_a_drain_never_migrated_is_denied_when_a_drain_would_migrate_it() -> None:
    """
    With ``honourEvictionStrategy`` the old VM only had a warning, so its finding does not lower the denial.
    """
    old = vm(volumes=[on_claim("single")], evictionStrategy="None")
    new = vm(volumes=[on_claim("single")], evictionStrategy="LiveMigrate")

    assert decided(review("CREATE", old), SINGLE, policy=HONOURING).allowed
    assert not decided(review("UPDATE", new, old), SINGLE, policy=HONOURING).allowed
    assert decided(review("UPDATE", new, new), SINGLE, policy=HONOURING).allowed


def test_a_vm_that_a_drain_migrates_may_get_another_strategy() -> None:
    """
    Its finding would be denied before and after the update.
    """
    old = vm(volumes=[on_claim("single")])
    new = vm(volumes=[on_claim("single")], evictionStrategy="LiveMigrate")

    assert decided(review("UPDATE", new, old), SINGLE, policy=HONOURING).allowed


@pytest.mark.parametrize(("user", "announced"), [("jane", True), (CONTROLLER, False)])
def test_only_a_denial_that_enforce_would_give_is_announced(user: str, announced: bool) -> None:
    """
    KubeVirt writes a VMI for itself, so mode ``enforce`` does not deny it either.
    """
    new = {**vm(volumes=[on_claim("single")])["spec"]["template"], "apiVersion": "kubevirt.io/v1"}
    new |= {"kind": "VirtualMachineInstance", "metadata": {"name": "web", "namespace": "tenant"}}
    new["metadata"]["ownerReferences"] = [
        {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "web", "uid": "1", "controller": True}
    ]

    outcome = decided(review("CREATE", new, user=user), SINGLE, policy=Policy(at_most=Action.WARN))

    [decision] = [decision for decision in outcome.decisions if decision.finding.rule.id == "LM201"]
    assert (decision.action, decision.denied_when_enforced) == (Action.WARN, announced)
