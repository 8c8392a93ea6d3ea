"""Target pods that fit only if kube-scheduler evicts pods of a lower priority."""

import pytest

from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, vmi
from webhook.drain.plan import Detail
from webhook.drain.rehearsal import Request, rehearse


def priority_class(value: int, policy: str = "PreemptLowerPriority") -> Object:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "own"},
        "value": value,
        "preemptionPolicy": policy,
    }


def full(priority: int) -> Object:
    """A pod that leaves no CPU on the other node."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "full", "namespace": "other"},
        "spec": {
            "nodeName": "n2",
            "priority": priority,
            "containers": [{"name": "c", "resources": {"requests": {"cpu": "31900m"}}}],
        },
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("own", "other", "detail"),
    [
        (priority_class(1000), 0, Detail.MAY_NOT_FIT),
        (priority_class(1000), 1000, Detail.NO_NODE),
        (priority_class(1000, "Never"), 0, Detail.NO_NODE),
        (priority_class(0), 0, Detail.NO_NODE),
    ],
)
def test_a_pod_of_a_higher_priority_may_fit(own: Object, other: int, detail: Detail) -> None:
    """
    Which pods kube-scheduler evicts, and whether they end in time, is not rehearsed.
    """
    objects = [node("n1"), node("n2"), kubevirt(), own, full(other), *owned(vmi("vm", "n1", priorityClassName="own"))]
    report = rehearse(as_fleet(objects), Request(("n1",)))

    assert report.nodes[0].machines[0].detail is detail


def test_preemption_makes_no_node_match() -> None:
    """
    A label that no node has does not depend on pods.
    """
    pinned = owned(vmi("vm", "n1", priorityClassName="own", nodeSelector={"disk": "ssd"}))
    report = rehearse(
        as_fleet([node("n1"), node("n2"), kubevirt(), priority_class(1000), full(0), *pinned]), Request(("n1",))
    )

    assert report.nodes[0].machines[0].detail is Detail.NO_NODE
