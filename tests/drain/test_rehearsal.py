"""The rehearsal of a drain: eviction, quota, placement and time together."""

from typing import Any

import pytest

from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, running, vm, vmi
from webhook.drain.plan import Detail, DrainReport, Machine, Outcome, Seconds
from webhook.drain.rehearsal import Request, rehearse
from webhook.errors import BadInput

TWO = (node("n1"), node("n2"), kubevirt())


def drain(*objects: Object, nodes: tuple[str, ...] = ("n1",), **request: Any) -> DrainReport:
    return rehearse(as_fleet(objects), Request(nodes, **request))


def machine(report: DrainReport, name: str = "vm") -> Machine:
    return next(one for plan in report.nodes for one in plan.machines if one.name == name)


def test_a_vm_that_fits_another_node_moves_there() -> None:
    """
    The report names the node.
    """
    report = drain(*TWO, *owned(vmi("vm", "n1")))

    moved = machine(report)
    assert (moved.outcome, moved.detail, moved.nodes) == (Outcome.MOVES, None, ("n2",))
    assert report.nodes[0].outcome is Outcome.MOVES
    assert report.first == ()


def test_a_vm_without_another_node_waits_and_says_why() -> None:
    """
    The reasons are those of kube-scheduler.
    """
    report = drain(node("n1"), node("n2", unschedulable=True), kubevirt(), *owned(vmi("vm", "n1")))

    waiting = machine(report)
    assert (waiting.outcome, waiting.detail) == (Outcome.WAITS, Detail.NO_NODE)
    assert waiting.reasons == ("1 node(s) were unschedulable",)


def test_the_only_node_leaves_no_other_node() -> None:
    """
    The drained node is not counted among the nodes that do not fit.
    """
    waiting = machine(drain(node("n1"), kubevirt(), *owned(vmi("vm", "n1"))))

    assert waiting.reasons == ("there is no other node",)
    assert waiting.remedy == "Add another node, or shut down the VM before the drain."


def test_a_vm_that_cannot_migrate_blocks_the_drain() -> None:
    """
    Strategy LiveMigrate and condition False.
    """
    blocking = machine(drain(*TWO, *owned(vmi("vm", "n1", migratable=False))))

    assert (blocking.outcome, blocking.detail) == (Outcome.BLOCKS, Detail.NOT_MIGRATABLE)
    assert blocking.reasons == ("DisksNotLiveMigratable: cannot migrate VMI: PVC data is not shared",)


@pytest.mark.parametrize(("taint", "detail"), [(False, Detail.RESTARTS), (True, Detail.WAITS_FOR_NODE)])
def test_a_stopped_vm_restarts_only_if_another_node_fits(taint: bool, detail: Detail) -> None:
    """
    Otherwise it waits for this node.
    """
    second = node("n2", taints=[{"key": "gpu", "value": "x", "effect": "NoSchedule"}] if taint else [])
    stopped = machine(drain(node("n1"), second, kubevirt(), *owned(vmi("vm", "n1", strategy="None"))))

    assert (stopped.outcome, stopped.detail) == (Outcome.STOPS, detail)


def test_vms_that_need_the_same_room_may_not_fit() -> None:
    """
    Each of two VMs fits the other node alone, and not together: the order decides.
    """
    small = node("n2", allocatable={"memory": "6Gi"})
    report = drain(node("n1"), small, kubevirt(), *owned(vmi("a", "n1"), vmi("b", "n1")))

    assert {machine(report, name).detail for name in "ab"} == {Detail.MAY_NOT_FIT}


def test_a_quota_without_room_for_one_more_launcher_makes_a_vm_wait() -> None:
    """
    The message is that of the API server.
    """
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "lab"},
        "spec": {"hard": {"pods": "1"}},
        "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}},
    }
    waiting = machine(drain(*TWO, quota, *owned(vmi("vm", "n1"))))

    assert (waiting.outcome, waiting.detail) == (Outcome.WAITS, Detail.QUOTA)
    assert "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1" in waiting.message


def test_a_budget_keeps_the_second_of_two_vms_that_do_not_start_again() -> None:
    """
    The budget allows one disruption, and the first VM does not give it back.
    """
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "lab"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "db"}}},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2},
    }
    stopping = [vmi(name, "n1", strategy="None", labels={"app": "db"}) for name in "ab"]
    report = drain(*TWO, budget, *owned(*stopping, runStrategy="Manual"))

    assert sorted(str(machine(report, name).detail) for name in "ab") == ["budget", "staysDown"]


def test_a_budget_with_max_unavailable_allows_no_disruption_of_a_vmi() -> None:
    """
    The numbers in the message of the API server do not tell this.
    """
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "lab"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "db"}}},
    }
    kept = machine(drain(*TWO, budget, *owned(vmi("vm", "n1", strategy="None", labels={"app": "db"}))))

    assert kept.detail is Detail.BUDGET
    assert "A VMI has no scale, so maxUnavailable allows no disruption. Use minAvailable." in kept.message


def test_vms_without_a_node_starve_the_others() -> None:
    """
    Two VMs without a node hold both slots of the node.
    """
    pinned = {"nodeSelector": {"kubernetes.io/hostname": "n1"}}
    report = drain(*TWO, *owned(vmi("a", "n1", **pinned), vmi("b", "n1", **pinned), vmi("vm", "n1")))

    assert [(one.name, one.detail) for one in report.nodes[0].machines] == [
        ("a", Detail.NO_NODE),
        ("b", Detail.NO_NODE),
        ("vm", Detail.STARVED),
    ]


@pytest.mark.parametrize(("in_cluster", "detail"), [(2, Detail.STARVED), (3, None)])
def test_vms_without_a_node_starve_those_of_other_nodes(in_cluster: int, detail: Detail | None) -> None:
    """
    All nodes that are drained together share the slots of the cluster.
    """
    pinned = {"nodeSelector": {"kubernetes.io/hostname": "n1"}}
    cluster = [
        *(node(name) for name in ("n1", "n2", "n3")),
        kubevirt(migrations={"parallelMigrationsPerCluster": in_cluster}),
    ]
    report = drain(
        *cluster, *owned(vmi("a", "n1", **pinned), vmi("b", "n1", **pinned), vmi("vm", "n2")), nodes=("n1", "n2")
    )

    assert machine(report).detail is detail


def test_a_rolling_drain_continues_from_the_state_of_the_step_before() -> None:
    """
    The VM of the first node is on the second node when that one is drained.
    """
    objects = [*TWO, *owned(vmi("vm", "n1"))]
    report = drain(*objects, nodes=(), mode="rolling")

    assert [[one.name for one in plan.machines] for plan in report.nodes] == [["vm"], ["vm"]]
    assert all(plan.outcome is Outcome.MOVES for plan in report.nodes)


def test_each_node_alone_is_drained_from_the_present_state() -> None:
    """
    ``--all`` does not move a VM twice.
    """
    report = drain(*TWO, *owned(vmi("vm", "n1")), nodes=(), mode="each")

    assert [len(plan.machines) for plan in report.nodes] == [1, 0]


@pytest.mark.parametrize("mode", ["each", "rolling", "together"])
def test_a_drain_without_any_node_is_an_error(mode: str) -> None:
    """
    Nothing was rehearsed, so the result must not look like a success.
    """
    with pytest.raises(BadInput) as caught:
        drain(kubevirt(), nodes=("n1",) if mode == "together" else (), mode=mode)

    assert str(caught.value) == "the input has no node, and no VMI on a node"


@pytest.mark.parametrize(
    ("second", "spec", "remedy"),
    [
        (node("n2", allocatable={"memory": "1Gi"}), {}, "the pod requests 4406Mi memory"),
        (node("n2", taints=[{"key": "gpu", "value": "x", "effect": "NoSchedule"}]), {}, "Add a toleration to the VM"),
        (node("n2", unschedulable=True), {}, "Uncordon another node"),
        (node("n2"), {"nodeSelector": {"disk": "fast"}}, "Add the label disk=fast to another node"),
        (
            node("n2"),
            {"nodeSelector": {"kubernetes.io/hostname": "n1"}},
            "Remove kubernetes.io/hostname from the VM's nodeSelector",
        ),
        (
            node("n2"),
            {"domain": {"machine": {"type": "pc-q35-7.2"}}},
            "Restart the VM: it has machine type pc-q35-rhel",
        ),
    ],
)
def test_the_remedy_follows_from_the_reason_that_excludes_the_most_nodes(
    second: Object, spec: dict[str, Any], remedy: str
) -> None:
    """
    A label that no other node has is named.
    """
    if "domain" in spec:
        second["metadata"]["labels"].pop("machine-type.node.kubevirt.io/pc-q35-rhel9.6.0")
    waiting = machine(drain(node("n1"), second, kubevirt(), *owned(vmi("vm", "n1", **spec))))

    assert remedy in waiting.remedy


@pytest.mark.parametrize(
    ("label", "remedy"),
    [
        ("kubevirt.io/schedulable", "Check virt-handler"),
        ("cpu-vendor.node.kubevirt.io/Intel", "Restart the VM"),
        ("kubernetes.io/arch", "Provide a node with the label kubernetes.io/arch=amd64"),
    ],
)
def test_no_remedy_adds_a_label_that_describes_a_node(label: str, remedy: str) -> None:
    """
    KubeVirt and kubelet set these labels. A wrong one would let a VM move to a node that cannot run it.
    """
    second = node("n2", labels={label: "other"})
    waiting = machine(drain(node("n1"), second, kubevirt(), *owned(vmi("vm", "n1"))))

    assert waiting.remedy.startswith(remedy)


def test_the_remedy_of_a_rule_replaces_the_general_one() -> None:
    """
    The claim of the VM is not shared, so the rule about claims explains the condition.
    """
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "lab"},
        "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Block"},
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    blocking = vmi("vm", "n1", migratable=False, volumes=volumes)
    report = drain(*TWO, claim, blocking)

    assert any(reason.startswith("LM201: ") for reason in machine(report).reasons)
    assert "ReadWriteMany" in machine(report).remedy


def test_a_drain_that_is_held_up_has_the_time_without_the_vmis_that_hold_it_up() -> None:
    """
    As if only the other VMIs were on the node.
    """
    others = tuple(running(vmi("vm", "n1")))
    held_up = drain(*TWO, *others, *running(vmi("stuck", "n1", migratable=False))).nodes[0]
    alone = drain(*TWO, *others).nodes[0]

    assert (held_up.outcome, held_up.seconds, held_up.seconds_without) == (Outcome.BLOCKS, None, Seconds(0, 755))
    assert (alone.seconds, alone.seconds_without) == (Seconds(0, 755), None)


def test_a_stopped_vm_has_the_grace_period_of_its_launcher_to_shut_down() -> None:
    """
    A drain without a migration takes no more than this time.
    """
    machine_, pod = running(vmi("vm", "n1", strategy="None"))
    pod["spec"]["terminationGracePeriodSeconds"] = 210

    report = drain(*TWO, vm(machine_), machine_, pod)

    assert report.nodes[0].seconds == Seconds(0, 210)


def test_a_hyper_converged_cr_takes_the_place_of_the_kubevirt_cr() -> None:
    """
    Its limits and node selectors count.
    """
    hyper_converged = {
        "apiVersion": "hco.kubevirt.io/v1beta1",
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": "kubevirt-hyperconverged"},
        "spec": {"liveMigrationConfig": {"parallelOutboundMigrationsPerNode": 4}, "evictionStrategy": "LiveMigrate"},
    }
    report = drain(node("n1"), node("n2"), hyper_converged, *owned(vmi("vm", "n1", strategy=None)))

    assert report.nodes[0].slots == 4
    assert machine(report).outcome is Outcome.MOVES


def migration(name: str, vmi_name: str) -> Object:
    """A running migration."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": name, "namespace": "lab"},
        "spec": {"vmiName": vmi_name},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("on", "number", "taken"), [("n1", 1, 1), ("n1", 2, 2), ("n2", 1, 0), ("n2", 4, 1), ("n2", 5, 2)]
)
def test_other_migrations_take_slots_of_the_node_and_of_the_cluster(on: str, number: int, taken: int) -> None:
    """
    2 migrations can leave a node at the same time, and 5 can run in the cluster. If no slot is free, the assumptions say so.
    """
    others = [vmi(f"other-{at}", on) for at in range(number)]
    migrations = [migration(f"m-{at}", f"other-{at}") for at in range(number)]
    (plan,) = drain(*TWO, *migrations, *owned(vmi("vm", "n1"), *others)).nodes

    assert (plan.slots, plan.slots_taken) == (2, taken)
    assert any("take all 2 slots" in text for text in plan.assumptions) == (taken == 2)
