"""Updates: which findings of the old object lower a denial."""

from tests.surfaces.admission.reviews import claim, decided, on_claim, review, vm
from webhook.policy.policy import Policy

SINGLE = claim("single", "ReadWriteOnce")
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
