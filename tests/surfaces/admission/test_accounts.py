"""Requests of accounts that the policy file lists: never denied, always counted."""

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, review, vm, warned
from webhook.policy.policy import Account, Action, Lowered, NamespacePolicy, Policy

BACKUP = "system:serviceaccount:backup:velero"
LOCAL, SHARED = claim("local", "ReadWriteOnce"), claim("shared", "ReadWriteMany")
BAD, GOOD = vm(volumes=[on_claim("local")]), vm(volumes=[on_claim("shared")])
NAD: Manifest = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "metadata": {"name": "migration", "namespace": "kubevirt"},
    "spec": {"config": "{}"},
}
USES_IT: Manifest = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "spec": {"configuration": {"migrations": {"network": "migration"}}},
}


def listing(at_most: Action = Action.WARN, until: str = "2026-06-30", **more: str) -> Policy:
    return Policy(accounts=[Account(BACKUP, "restores old VMs", "backup team", until, at_most, **more)])


def test_a_listed_account_restores_a_vm_that_is_older_than_the_webhook() -> None:
    """
    Creation and update pass with a warning, and each denial that was lowered says for whom.
    """
    for body in (review("CREATE", BAD, user=BACKUP), review("UPDATE", BAD, GOOD, user=BACKUP)):
        outcome = decided(body, LOCAL, SHARED, policy=listing())

        assert outcome.allowed
        assert ("LM201", "warn") in warned(outcome)
        assert [decision.lowered for decision in outcome.decisions if decision.finding.rule.id == "LM201"] == [
            Lowered.ACCOUNT
        ]
        assert outcome.account == listing().accounts[0]


def test_audit_produces_no_warning() -> None:
    """
    With ``atMost: audit`` the account gets no warning either, also where a warning was all there was.
    """
    policy = listing(Action.AUDIT)

    outcome = decided(
        review("CREATE", vm(volumes=[on_claim("local"), on_claim("gone", "b")]), user=BACKUP), LOCAL, policy=policy
    )

    assert outcome.allowed
    assert {decision.action for decision in outcome.decisions} == {Action.AUDIT}
    assert {decision.lowered for decision in outcome.decisions if decision.finding.rule.id != "LM201"} <= {None}


@pytest.mark.parametrize("user", ["jane", f"{BACKUP}2", "velero", "system:serviceaccount:tenant:velero", ""])
def test_the_same_policy_denies_other_accounts(user: str) -> None:
    """
    The whole username must be the one that is listed.
    """
    assert not decided(review("CREATE", BAD, user=user), LOCAL, policy=listing()).allowed


def test_an_entry_has_no_effect_after_its_last_day_or_in_another_namespace() -> None:
    """
    The outcome is the one without the entry.
    """
    body = review("CREATE", BAD, user=BACKUP)
    without = decided(body, LOCAL)

    assert decided(body, LOCAL, policy=listing(until="2025-12-31")) == without
    assert decided(body, LOCAL, policy=listing(namespace="other")) == without
    assert decided(body, LOCAL, policy=listing(until="2026-01-01")).allowed


def test_an_entry_makes_nothing_stricter() -> None:
    """
    Where the policy only audits, an entry with ``warn`` warns of nothing.
    """
    lenient = Policy(at_most=Action.AUDIT, accounts=listing().accounts)

    outcome = decided(review("CREATE", BAD, user=BACKUP), LOCAL, policy=lenient)

    assert {decision.action for decision in outcome.decisions} == {Action.AUDIT}


def test_an_entry_overrides_a_stricter_namespace_and_a_denied_hotplug() -> None:
    """
    The entry caps whatever was decided, wherever the denial came from.
    """
    there = NamespacePolicy(names=["tenant"], unproven=Action.DENY, at_most=Action.DENY, hotplug=Action.DENY)
    policy = Policy(namespaces=[there], accounts=listing().accounts)
    plugged = vm(
        volumes=[],
        status={"volumeRequests": [{"addVolumeOptions": {"name": "a", "volumeSource": on_claim("local")}}]},
    )

    created = decided(review("CREATE", vm(volumes=[on_claim("gone")]), user=BACKUP), policy=policy)
    hot = decided(review("UPDATE", plugged, vm(volumes=[]), user=BACKUP, sub_resource="status"), LOCAL, policy=policy)

    assert created.allowed
    assert hot.allowed


def test_an_entry_also_lowers_causes_without_a_finding() -> None:
    """
    The deletion of a network in use is warned of, as ``atMost`` of a namespace does it.
    """
    assert not decided(review("DELETE", None, NAD), USES_IT, policy=listing()).allowed

    outcome = decided(review("DELETE", None, NAD, user=BACKUP), USES_IT, policy=listing())

    assert outcome.allowed
    assert len(outcome.warnings) == 1
    assert decided(review("DELETE", None, NAD, user=BACKUP), USES_IT, policy=listing(Action.AUDIT)).warnings == ()
