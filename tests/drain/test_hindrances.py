"""Causes that keep virt-controller from creating a target pod."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, vmi
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.objects.meta import ObjectMeta
from webhook.objects.quotas import PriorityClass


def outcome_of(configuration: Object, classes: tuple[str, ...] | None = None, **spec: Any) -> Machine:
    """The outcome for a VM in a cluster with these PriorityClasses. None means that they are not known."""
    fleet = as_fleet([node("n1"), node("n2"), kubevirt(**configuration), *owned(vmi("vm", "n1", **spec))])
    if classes is not None:
        given = tuple(PriorityClass(metadata=ObjectMeta(name)) for name in classes)
        known = {PriorityClass}
        fleet = replace(
            fleet,
            objects={**fleet.objects, PriorityClass: given},
            provided=fleet.provided | known,
            complete=fleet.complete | known,
        )
    return rehearse(fleet, Request(("n1",))).nodes[0].machines[0]


@pytest.mark.parametrize("limit", ["parallelOutboundMigrationsPerNode", "parallelMigrationsPerCluster"])
def test_a_limit_of_zero_starts_no_migration(limit: str) -> None:
    """
    KubeVirt does not replace 0 by the default.
    """
    waiting = outcome_of({"migrations": {limit: 0}})

    assert (waiting.outcome, waiting.detail) == (Outcome.WAITS, Detail.MIGRATION_FAILS)
    assert waiting.message == f"{limit} is 0, so virt-controller starts no migration."


@pytest.mark.parametrize(
    ("classes", "outcome"), [(("low", "high"), Outcome.MOVES), (("low",), Outcome.WAITS), (None, Outcome.MOVES)]
)
def test_a_deleted_priority_class_makes_the_api_server_refuse_the_target_pod(
    classes: tuple[str, ...] | None, outcome: Outcome
) -> None:
    """
    A VM keeps running after the deletion of its PriorityClass, and can no longer be migrated.
    """
    assert outcome_of({}, classes, priorityClassName="high").outcome is outcome
