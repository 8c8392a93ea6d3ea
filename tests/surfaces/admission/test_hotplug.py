"""Volumes that are plugged into a running VM."""

from typing import Any

import pytest

from tests.surfaces.admission.reviews import VIRT_API, claim, decided, on_claim, refused, review, vm, warned
from webhook.objects.path import dotted
from webhook.policy import Action, NamespacePolicy, Policy

SHARED, SINGLE = claim("shared", "ReadWriteMany"), claim("single", "ReadWriteOnce")
DENIES = Policy(hotplug=Action.DENY)


def asked(*claims: str) -> dict[str, Any]:
    """The status of a VM with requests for these claims."""
    return {
        "volumeRequests": [
            {"addVolumeOptions": {"name": f"hot-{each}", "volumeSource": source(each)}} for each in claims
        ]
    }


def source(name: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": name}}


def plug(before: dict[str, Any] | None, after: dict[str, Any], **spec: Any) -> bytes:
    return review("UPDATE", vm(status=after, **spec), vm(status=before, **spec), user=VIRT_API, sub_resource="status")


def test_a_claim_of_one_node_is_warned_of_where_it_was_asked_for() -> None:
    """
    The user learns, at the request, that the running VM can no longer be live-migrated; nothing is denied by default.
    """
    outcome = decided(plug(None, asked("single")), SINGLE)

    assert outcome.allowed
    assert [(each.finding.rule.id, dotted(each.finding.path), each.action.value) for each in outcome.decisions] == [
        ("LM201", "status.volumeRequests[0].addVolumeOptions.volumeSource", "warn")
    ]


def test_it_is_denied_where_the_policy_says_so() -> None:
    """
    ``hotplug: deny`` refuses the request, although virt-api's account writes it.
    """
    outcome = decided(plug(None, asked("shared", "single")), SHARED, SINGLE, policy=DENIES)

    assert list(refused(outcome)) == ["status.volumeRequests[1].addVolumeOptions.volumeSource"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, asked("shared")),
        (asked("single"), asked("single", "shared")),
        (asked("single"), {}),
        (asked("single"), asked("single")),
    ],
)
def test_only_what_is_new_counts(before: dict[str, Any] | None, after: dict[str, Any]) -> None:
    """
    A shared claim, an older request and an unplugged volume pass without a word.
    """
    outcome = decided(plug(before, after), SHARED, SINGLE, policy=DENIES)

    assert outcome.allowed
    assert outcome.decisions == ()


def test_what_the_vm_was_before_is_not_told_again() -> None:
    """
    A VM that could not be migrated anyway is not judged by its status updates.
    """
    outcome = decided(plug(None, asked("shared"), volumes=[on_claim("single")]), SHARED, SINGLE, policy=DENIES)

    assert warned(outcome) == []
    assert outcome.allowed


def test_a_namespace_may_be_left_alone() -> None:
    """
    ``hotplug: off`` for some namespaces says nothing there.
    """
    policy = Policy(hotplug=Action.DENY, namespaces=[NamespacePolicy(names=["tenant"], hotplug=Action.OFF)])

    assert decided(plug(None, asked("single")), SINGLE, policy=policy).decisions == ()


def test_other_subresources_are_never_judged() -> None:
    """
    A status update without new requests, and a scale, pass unread.
    """
    bad = vm(volumes=[on_claim("single")])

    assert decided(review("UPDATE", bad, bad, sub_resource="status"), SINGLE).decisions == ()
    assert decided(review("UPDATE", bad, vm(), sub_resource="scale"), SINGLE).decisions == ()
