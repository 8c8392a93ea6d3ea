"""A rehearsal with facts that were not provided or could not be read."""

import msgspec
import pytest

from tests.drain.fleets import as_fleet, kubevirt, node, owned, running, vmi
from tests.drain.test_rehearsal import TWO, drain, machine
from webhook.drain.node_remedies import remedy_for_unknown
from webhook.drain.plan import Detail, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.errors import BadInput
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.quotas import LimitRange, ResourceQuota
from webhook.objects.running import Migration
from webhook.objects.storage import PersistentVolume, PersistentVolumeClaim


def test_without_pods_the_outcome_is_unknown() -> None:
    """
    Nodes whose pods are not given are not empty.
    """
    report = drain(*TWO, vmi("vm", "n1"))

    assert machine(report).outcome is Outcome.UNKNOWN
    assert report.missing == ("Pod: no Pod was provided",)


@pytest.mark.parametrize("mode", ["each", "rolling"])
def test_a_node_that_was_not_provided_is_drained_for_its_vmis(mode: str) -> None:
    """
    Otherwise the drain of all nodes would pass over its VMs.
    """
    report = drain(node("n2"), kubevirt(), *owned(vmi("vm", "n1")), nodes=(), mode=mode)

    assert [(plan.name, plan.outcome) for plan in report.nodes] == [("n1", Outcome.UNKNOWN), ("n2", Outcome.MOVES)]


def test_an_unknown_node_is_an_error() -> None:
    """
    The error names the known nodes.
    """
    with pytest.raises(BadInput, match="unknown node 'n9'"):
        drain(*TWO, *running(vmi("vm", "n1")), nodes=("n9",))


def test_nodes_without_pods_and_vmis_are_unknown() -> None:
    """
    Objects that were not given are not absent.
    """
    assert drain(*TWO).nodes[0].outcome is Outcome.UNKNOWN


def test_nodes_that_a_user_has_written_by_hand_need_no_labels_and_devices_of_kubevirt() -> None:
    """
    A demand about which no node says anything is assumed to be met, and the assumptions name it.
    """
    status = {"allocatable": {"cpu": "8", "memory": "9Gi"}}
    nodes = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status} for name in ("n1", "n2")
    ]
    report = drain(*nodes, kubevirt(), *owned(vmi("vm", "n1")))

    assert machine(report).outcome is Outcome.MOVES
    for word in ("pods", "kubevirt.io/schedulable", "machine-type.node.kubevirt.io/", "devices.kubevirt.io/*"):
        assert any(word in text for text in report.assumptions), word


@pytest.mark.parametrize("kind", [ResourceQuota, LimitRange, PersistentVolume, PersistentVolumeClaim])
def test_a_kind_that_could_not_be_read_is_never_assumed_absent(kind: type[Kubernetes]) -> None:
    """
    An account without the right to list quotas learns that the outcome is unknown.
    """
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    fleet = as_fleet([*TWO, *owned(vmi("vm", "n1", volumes=volumes))])
    unread = msgspec.structs.replace(fleet, unread={kind: "listing it is forbidden"})

    plan = rehearse(unread, Request(("n1",))).nodes[0]

    assert (plan.outcome, plan.machines[0].detail) == (Outcome.UNKNOWN, Detail.MISSING_FACT)


def test_a_budget_that_could_not_be_read_leaves_a_stop_unknown() -> None:
    """
    A VM that moves needs no budget.
    """
    fleet = as_fleet([*TWO, *owned(vmi("stops", "n1", strategy="None"), vmi("moves", "n1"))])
    unread = msgspec.structs.replace(fleet, unread={PodDisruptionBudget: "listing it is forbidden"})

    report = rehearse(unread, Request(("n1",)))

    assert machine(report, "stops").outcome is Outcome.UNKNOWN
    assert machine(report, "moves").outcome is Outcome.MOVES


@pytest.mark.parametrize(("strategy", "outcome"), [(None, Outcome.UNKNOWN), ("LiveMigrate", Outcome.MOVES)])
def test_a_configuration_that_could_not_be_read_leaves_the_strategy_of_the_cluster_unknown(
    strategy: str | None, outcome: Outcome
) -> None:
    """
    The default None would let the VM restart, although the cluster can have LiveMigrate.
    """
    fleet = as_fleet([node("n1"), node("n2"), *owned(vmi("vm", "n1", strategy=strategy))])
    unread = msgspec.structs.replace(fleet, unread={KubeVirt: "listing it is forbidden"})

    assert machine(rehearse(unread, Request(("n1",)))).outcome is outcome


def test_migrations_that_could_not_be_read_are_assumed_absent() -> None:
    """
    The report says so, because they take slots.
    """
    fleet = as_fleet([*TWO, *owned(vmi("vm", "n1"))])
    unread = msgspec.structs.replace(fleet, unread={Migration: "listing it is forbidden"})

    assert (
        "The migrations are unknown (listing it is forbidden), so the rehearsal assumes that none runs."
        in rehearse(unread, Request(("n1",))).assumptions
    )


@pytest.mark.parametrize(
    ("reasons", "remedy"),
    [
        (
            ("CSINode n1 was not provided", "CSINode n2 was not provided", "PersistentVolumes were not provided"),
            "Provide all CSINodes and PersistentVolumes of the cluster.",
        ),
        (("the pods of the cluster were not provided",), "Provide all Pods of the cluster."),
        (("status.allocatable of node n1 was not provided",), "Provide all Nodes of the cluster."),
        (
            ("the pod uses the scheduler lab",),
            "Check by hand whether another node fits, or migrate this VM before the drain.",
        ),
    ],
)
def test_the_remedy_for_an_unknown_node_names_the_kinds_to_provide(reasons: tuple[str, ...], remedy: str) -> None:
    """
    A reason that no object can settle has another remedy.
    """
    assert remedy_for_unknown(reasons) == remedy
