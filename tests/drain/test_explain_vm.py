"""The explanation of one VM: verdict, strategy, policy, nodes, time and drain."""

from typing import Any

import pytest

from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, running, vm, vmi
from webhook.drain.explain_vm import explain
from webhook.drain.plan import Detail, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.vm_explanation import Excluded, VMExplanation
from webhook.errors import BadInput

THREE = (node("n1"), node("n2"), node("n3"), kubevirt())
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


def stopped(machine: Object, **spec: Any) -> Object:
    return vm(machine, runStrategy="Halted", **spec)


def test_a_stopped_vm_has_a_verdict_from_its_manifest() -> None:
    """
    And the nodes that could start it, by its future launcher. All nodes count, because it is on none.
    """
    machine = vmi("vm", "n1", nodeSelector={"disk": "fast"})
    one = explained(*THREE, *OTHER, node("n4", labels={"disk": "fast"}), stopped(machine))

    assert (one.judged, one.phase, one.node) == ("VirtualMachine", "", "")
    assert (one.verdict.live_migratable, one.verdict.source) == (True, "rules")
    assert (one.destinations.pod, one.destinations.others) == ("launcher", 4)
    assert one.destinations.nodes == ("n4",)
    assert one.destinations.excluded[0].node_count == 3
    assert one.drain is None


def test_a_vm_whose_vmi_has_ended_counts_as_stopped() -> None:
    """
    The final VMI is only a remainder.
    """
    machine = vmi("vm", "n1", status={"phase": "Succeeded"})

    assert explained(*THREE, stopped(machine), machine).judged == "VirtualMachine"
    assert explained(*THREE, machine).judged == "VirtualMachineInstance"


def test_the_launcher_of_a_stopped_vm_has_the_size_of_its_instancetype() -> None:
    """
    Without the instancetype, the pod is unknown.
    """
    instancetype = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineInstancetype",
        "metadata": {"name": "big", "namespace": "lab"},
        "spec": {"cpu": {"guest": 2}, "memory": {"guest": "64Gi"}},
    }
    machine = vmi("vm", "n1", domain={"memory": {}, "cpu": {}})
    halted = stopped(machine, instancetype={"name": "big", "kind": "VirtualMachineInstancetype"})
    nodes = [node("n1"), node("n2", allocatable={"memory": "32Gi"}), kubevirt(), *OTHER]

    known = explained(*nodes, instancetype, halted).destinations
    unknown = explained(*nodes, halted).destinations

    assert (known.nodes, known.excluded) == (("n1",), (Excluded("Insufficient memory", 1, ("n2",)),))
    assert (unknown.nodes, unknown.node_count) == ((), 0)
    assert "VirtualMachineInstancetype 'big' is not in the input" in unknown.message


def test_a_claim_that_a_template_creates_is_assumed_to_fit() -> None:
    """
    It does not exist before the first start.
    """
    volumes = [{"name": "root", "dataVolume": {"name": "root"}}]
    template = {"metadata": {"name": "root"}, "spec": {"storage": {}, "source": {"blank": {}}}}
    claims = {"apiVersion": "v1", "kind": "PersistentVolumeClaimList", "items": []}
    halted = stopped(vmi("vm", "n1", volumes=volumes), dataVolumeTemplates=[template])

    one = explained(*THREE, *OTHER, claims, halted)

    assert one.destinations.nodes == ("n1", "n2", "n3")
    assert "Every node can use PVC root, which KubeVirt creates with the VM." in one.assumptions


def test_without_pods_the_room_on_nodes_is_unknown() -> None:
    """
    The missing input is named.
    """
    one = explained(*THREE, stopped(vmi("vm", "n1"))).destinations

    assert (one.nodes, one.excluded) == ((), ())
    assert one.unknown == (Excluded("the pods of the cluster were not provided", 3, ("n1", "n2", "n3")),)


def test_without_nodes_the_nodes_are_unknown() -> None:
    """
    Zero of zero nodes would be a wrong answer.
    """
    one = explained(kubevirt(), stopped(vmi("vm", "n1"))).destinations

    assert one.message == "The nodes are unknown: no Node was provided."
    assert one.remedy == "Provide all objects of kind Node."
