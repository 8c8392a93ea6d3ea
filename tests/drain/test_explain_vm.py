"""The explanation of one VM: verdict, strategy, policy, nodes, time and drain."""

from typing import Any

import pytest

from tests.drain import example_fleet
from tests.drain.fleets import Object, as_fleet, kubevirt, launcher, node, owned, running, vm, vmi
from webhook.drain.explain_vm import Explainer, explain
from webhook.drain.plan import Detail, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.vm_explanation import Excluded, VMExplanation
from webhook.errors import BadInput
from webhook.manifests.fleet_paths import read_paths
from webhook.objects.running import RunningVMI

THREE = (node("n1"), node("n2"), node("n3"), kubevirt())
FLEET = read_paths([str(example_fleet.FOLDER)]).fleet()
REHEARSED = rehearse(FLEET, Request(mode="each", link="1250M"))
OTHER = tuple(owned(vmi("other", "n2")))


def explained(*objects: Object, name: str = "vm", **options: Any) -> VMExplanation:
    return explain(as_fleet(objects), name, **options)


def test_the_condition_of_the_vmi_is_the_verdict() -> None:
    """
    KubeVirt has decided. The rules give all reasons.
    """
    spec = {"domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}}
    one = explained(
        *THREE, *owned(vmi("vm", "n1", migratable=False, why=("HostDeviceNotLiveMigratable", "a GPU"), **spec))
    )

    assert (one.verdict.live_migratable, one.verdict.source) == (False, "condition")
    assert (one.verdict.reason, one.verdict.message) == ("HostDeviceNotLiveMigratable", "a GPU")
    assert one.verdict_by_rules.reason == "InterfaceNotLiveMigratable"
    assert [(reason.rule, reason.decides) for reason in one.reasons][:1] == [("LM101", True)]
    assert one.reasons[0].remedy


def test_without_a_condition_the_rules_decide() -> None:
    """
    A VMI that starts has no condition yet.
    """
    one = explained(*THREE, *running(vmi("vm", "n1", status={"conditions": [], "phase": "Scheduled"})))

    assert (one.verdict.live_migratable, one.verdict.source) == (True, "rules")
    assert one.verdict == one.verdict_by_rules


def test_a_changed_vm_has_a_verdict_of_its_own() -> None:
    """
    The VirtualMachine applies after a restart.
    """
    machine = vmi("vm", "n1")
    changed = vm(machine)
    devices = {"interfaces": [{"name": "default", "bridge": {}}]}
    changed["spec"]["template"] = {"spec": machine["spec"] | {"domain": {"devices": devices}}}
    one = explained(*THREE, changed, *running(machine))

    assert one.verdict.live_migratable
    assert one.verdict_after_restart is not None
    assert one.verdict_after_restart.live_migratable is False
    assert explained(*THREE, *owned(vmi("vm", "n1"))).verdict_after_restart is None


@pytest.mark.parametrize(
    ("own", "configuration", "value", "origin"),
    [
        ("LiveMigrate", {}, "LiveMigrate", "spec.template.spec.evictionStrategy of the VirtualMachine"),
        (
            None,
            {"evictionStrategy": "External"},
            "External",
            "spec.configuration.evictionStrategy of the KubeVirt CR",
        ),
        (None, {}, "None", "KubeVirt's default: neither the VM nor the KubeVirt CR sets evictionStrategy"),
    ],
)
def test_the_strategy_names_its_origin(own: str | None, configuration: Object, value: str, origin: str) -> None:
    """
    The VM, then the KubeVirt CR, then KubeVirt's default.
    """
    machines = owned(vmi("vm", "n1", strategy=own))
    one = explained(node("n1"), node("n2"), kubevirt(**configuration), *machines)

    assert (one.strategy.value, one.strategy.origin) == (value, origin)


def test_a_strategy_that_only_the_vmi_has_is_that_of_the_vmi() -> None:
    """
    The VirtualMachine was changed after the start.
    """
    one = explained(*THREE, *running(vmi("vm", "n1", strategy="External")))

    assert one.strategy.origin == "spec.evictionStrategy of the VMI"


def test_the_policy_in_force_is_named_with_its_settings() -> None:
    """
    Each setting has its origin.
    """
    policy = {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": "slow"},
        "spec": {
            "selectors": {"virtualMachineInstanceSelector": {"tier": "gold"}},
            "completionTimeoutPerGiB": 60,
        },
    }
    one = explained(*THREE, policy, *owned(vmi("vm", "n1", labels={"tier": "gold"})))

    assert [case.name for case in one.policies] == ["slow"]
    origins = {setting.name: (setting.value, setting.origin) for setting in one.policies[0].settings}
    assert origins["completionTimeoutPerGiB"] == (60, "MigrationPolicy 'slow'")
    assert origins["allowPostCopy"] == (False, "KubeVirt 1.9")


def test_nodes_that_do_not_fit_are_grouped_by_their_first_reason() -> None:
    """
    The own node of the VM is not counted. The largest group is first.
    """
    full = {"memory": "1Gi"}
    nodes = [node("n1"), node("n2"), node("n3", allocatable=full), node("n4", allocatable=full)]
    cordoned = node("n5", unschedulable=True)
    one = explained(*nodes, cordoned, kubevirt(), *owned(vmi("vm", "n1"))).destinations

    assert (one.pod, one.others, one.node_count, one.nodes) == ("target", 4, 1, ("n2",))
    assert one.excluded == (
        Excluded("Insufficient memory", 2, ("n3", "n4")),
        Excluded("node(s) were unschedulable", 1, ("n5",)),
    )
    assert one.remedy == ""


def test_a_vm_that_fits_nowhere_has_a_remedy() -> None:
    """
    The remedy is that of the rehearsal.
    """
    machine = vmi("vm", "n1", nodeSelector={"disk": "fast"})
    one = explained(*THREE, *owned(machine))

    assert one.destinations.node_count == 0
    assert one.destinations.remedy.startswith("Add the label disk=fast to another node")
    assert one.drain is not None
    assert one.drain.detail is Detail.NO_NODE


def test_a_quota_without_room_is_a_reason_beside_the_nodes() -> None:
    """
    The nodes have room, but the API server refuses the pod.
    """
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": "lab"},
        "spec": {"hard": {"pods": "1"}},
        "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}},
    }
    one = explained(*THREE, quota, *owned(vmi("vm", "n1"))).destinations

    assert one.nodes == ("n2", "n3")
    assert "exceeded quota: small" in one.message
    assert "ResourceQuota small" in one.remedy


def test_a_vm_that_cannot_migrate_still_has_its_nodes() -> None:
    """
    A drain does not answer this, because it does not move the VM.
    """
    one = explained(*THREE, *owned(vmi("vm", "n1", migratable=False)))

    assert one.destinations.nodes == ("n2", "n3")
    assert one.drain is not None
    assert one.drain.outcome is Outcome.BLOCKS


@pytest.mark.parametrize("strategy", ["None", "LiveMigrate", "LiveMigrateIfPossible", "External"])
@pytest.mark.parametrize("migratable", [True, False])
def test_the_effect_of_a_drain_is_that_of_the_rehearsal(strategy: str, migratable: bool) -> None:
    """
    There is one engine.
    """
    objects = [*THREE, *owned(vmi("vm", "n1", strategy=strategy, migratable=migratable), vmi("other", "n1"))]
    report = rehearse(as_fleet(objects), Request(("n1",), link="1250M"))

    one = explained(*objects, link="1250M")

    assert one.drain == next(machine for machine in report.nodes[0].machines if machine.name == "vm")


def test_the_time_is_known_even_if_the_vm_cannot_migrate_yet() -> None:
    """
    4 GiB at 1 GB/s, and the completion timeout of 150 s for each GB.
    """
    one = explained(*THREE, *owned(vmi("vm", "n1", migratable=False)), link="1G")

    assert one.seconds is not None
    assert (one.seconds.best, one.seconds.worst) == (9, 750)


@pytest.mark.parametrize(
    ("name", "namespace", "message"),
    [
        ("vmm", "", "unknown VM 'vmm' (did you mean lab/vm?)"),
        ("vm", "labs", "unknown VM 'labs/vm' (did you mean lab/vm?)"),
        ("twice", "", "VM 'twice' exists in several namespaces: lab, other"),
        ("zzz", "", "unknown VM 'zzz'"),
    ],
)
def test_a_name_must_be_that_of_one_vm(name: str, namespace: str, message: str) -> None:
    """
    The error names a near name.
    """
    machines = [vmi("vm", "n1"), vmi("twice", "n1"), vmi("twice", "n1", namespace="other")]
    with pytest.raises(BadInput) as raised:
        explained(*THREE, *owned(*machines), name=name, namespace=namespace)

    assert raised.value.message == message


def test_a_finding_names_the_field_of_the_virtualmachine() -> None:
    """
    Users edit the VirtualMachine. A finding that only the VMI has is at a field of the VMI.
    """
    devices = {"interfaces": [{"name": "default", "bridge": {}}]}
    machine = vmi("vm", "n1", domain={"devices": devices})
    with_vm = explained(*THREE, *owned(machine)).reasons[0]
    alone = explained(*THREE, *running(vmi("vm", "n1", domain={"devices": devices}))).reasons[0]

    assert (with_vm.kind, with_vm.path) == ("VirtualMachine", "spec.template.spec.domain.devices.interfaces[0]")
    assert (alone.kind, alone.path) == ("VirtualMachineInstance", "spec.domain.devices.interfaces[0]")


@pytest.mark.parametrize("key", [(one.namespace, one.name) for one in FLEET.given(RunningVMI)], ids="/".join)
def test_every_vm_of_the_example_fleet_has_the_values_of_the_rehearsal(key: tuple[str, str]) -> None:
    """
    The nodes of a VM that moves are those to which it could move, whatever the other VMs do.
    """
    one = explain(FLEET, key[1], key[0], link="1250M")
    rehearsed = next(
        machine for plan in REHEARSED.nodes for machine in plan.machines if (machine.namespace, machine.name) == key
    )

    assert one.drain == rehearsed
    if rehearsed.outcome is Outcome.MOVES:
        assert (one.destinations.nodes, one.seconds) == (rehearsed.nodes, rehearsed.seconds)
    if rehearsed.detail is Detail.NO_NODE:
        assert sum(group.node_count for group in one.destinations.excluded) == one.destinations.others


def test_a_vmi_that_has_ended_is_on_no_node() -> None:
    """
    A drain does not affect it.
    """
    one = explained(*THREE, *OTHER, vmi("vm", "n1", status={"phase": "Failed"}))

    assert (one.phase, one.node, one.drain) == ("Failed", "", None)


def test_hyperconverged_is_the_origin_of_the_strategy_that_it_writes() -> None:
    """
    With its own CR only, its operator chooses the strategy by the number of nodes.
    """
    written = kubevirt(evictionStrategy="LiveMigrate")
    written["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "hco-operator"}
    own = {
        "apiVersion": "hco.kubevirt.io/v1beta1",
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": "kubevirt"},
        "spec": {},
    }
    machine = [*owned(vmi("vm", "n1", strategy=None))]

    with_cr = explained(node("n1"), node("n2"), written, *machine).strategy
    alone = explained(node("n1"), node("n2"), own, *machine).strategy

    assert with_cr.origin == "spec.configuration.evictionStrategy of the KubeVirt CR, which HyperConverged writes"
    assert alone.value == ""
    assert alone.origin == "HyperConverged chooses the evictionStrategy by the number of worker nodes"


@pytest.mark.parametrize(("on", "phase", "nodes"), [("n1", "Succeeded", ("n2", "n3")), ("n2", "Running", ("n3",))])
def test_only_the_launcher_in_which_the_vmi_runs_is_its_source(on: str, phase: str, nodes: tuple[str, ...]) -> None:
    """
    An ended launcher, or the target of a migration, can require other CPU features. The target keeps others off its node.
    """
    machine = vmi("vm", "n1")
    other = launcher(machine, nodeName=on, nodeSelector={"cpu-feature.node.kubevirt.io/mpx": "true"})
    other["metadata"]["name"] += "-other"
    other["status"]["phase"] = phase

    assert explained(*THREE, other, *owned(machine)).destinations.nodes == nodes


def test_one_explainer_explains_all_vms() -> None:
    """
    An explainer with the rehearsal of each node gives the same explanations as a separate call for each VM, in any order.
    """
    explainer = Explainer(FLEET, link="1250M", rehearsed=REHEARSED)

    for _ in range(2):
        for one in FLEET.given(RunningVMI):
            expected = explain(FLEET, one.name, one.namespace, link="1250M")
            assert explainer.explain(one.name, one.namespace) == expected


def test_the_assumptions_are_those_about_the_vm() -> None:
    """
    The drain of the node also depends on assumptions about the other VMs of the node. These are not in the explanation.
    """
    volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    with_disk = vmi("beside", "n1", volumes=[volume])
    fleet = as_fleet((*THREE, *owned(vmi("vm", "n1")), *owned(with_disk)))

    assumed = "The volumes were not provided, so the rehearsal assumes that every node can use them."
    assert assumed in rehearse(fleet, Request(("n1",))).assumptions
    assert assumed in explain(fleet, "beside").assumptions
    assert assumed not in explain(fleet, "vm").assumptions
