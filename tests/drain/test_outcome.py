"""The first outcome of a drain, by strategy, condition, mark, migration, budget and release."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.drain.building import NAMESPACE, NODE, launcher, vmi
from webhook.drain.outcome import Budgets, Cluster, First, Outcomes
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.releases import Version
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.kubevirt import Configuration
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine

NEWEST, BEFORE_1_5 = Version(1, 9, 0), Version(1, 4, 1)
UNKNOWN = Unknown("no KubeVirt was provided", "provide all objects of kind KubeVirt")
RESTARTS = "KubeVirt starts the VM again on another node."
MIGRATE = "Run virtctl migrate vm1 -n tenant before the drain, or write evictionStrategy: LiveMigrate in the VM."


def vm(strategy: str) -> VirtualMachine:
    value = {"metadata": {"name": "vm1", "namespace": NAMESPACE}, "spec": {"runStrategy": strategy}}
    return msgspec.convert(value, VirtualMachine)


ALWAYS = vm("Always")


class Listed(msgspec.Struct):
    """Budgets that select every pod."""

    budgets: Sequence[PodDisruptionBudget] = ()
    answer: Fact[str] = ""

    def selecting(self, pod: Pod) -> Sequence[PodDisruptionBudget]:
        return self.budgets

    def refusal(self, pod: Pod) -> Fact[str]:
        return self.answer


def budget(owner: str = "", name: str = "pdb") -> PodDisruptionBudget:
    owners = [{"kind": owner, "name": "vm1", "controller": True}] if owner else None
    metadata = {"name": name, "namespace": NAMESPACE, "ownerReferences": owners}
    return msgspec.convert({"metadata": metadata}, PodDisruptionBudget)


def owned(machine: RunningVMI) -> RunningVMI:
    owner = {"kind": "VirtualMachine", "name": machine.name, "uid": "u", "controller": True}
    value = msgspec.to_builtins(machine)
    value["metadata"]["ownerReferences"] = [owner]
    return msgspec.convert(value, RunningVMI)


def firsts(
    *vmis: RunningVMI,
    pods: Sequence[Pod] = (),
    version: Version = NEWEST,
    configuration: Fact[Configuration] = Configuration(),  # noqa: B008 - immutable
    budgets: Budgets = Listed(),  # noqa: B008 - never changed
    owner: VirtualMachine = ALWAYS,
) -> list[First]:
    keyed = {(one.namespace, one.name): one for one in vmis}
    cluster = Cluster(keyed, pods, configuration, {(NAMESPACE, "vm1"): owner}, {}, budgets)
    return Outcomes(cluster, version).of(NODE)


def outcome(machine: RunningVMI, pod: Pod | None = None, **more: Any) -> Machine:
    [first] = firsts(owned(machine), pods=[pod or launcher()], **more)
    return first.machine


def machine(result: Outcome, detail: Detail | None = None, message: str = "", remedy: str = "", **more: Any) -> Machine:
    return Machine(NAMESPACE, "vm1", result, detail, message, remedy, **{"strategy": "LiveMigrate", **more})


@pytest.mark.parametrize("strategy", ["LiveMigrate", "LiveMigrateIfPossible"])
@pytest.mark.parametrize("version", [NEWEST, BEFORE_1_5])
def test_a_migratable_vmi_moves(strategy: str, version: Version) -> None:
    """
    The webhook marks the VMI, and KubeVirt live-migrates it.
    """
    assert outcome(vmi(strategy=strategy), version=version) == machine(Outcome.MOVES, strategy=strategy)


def test_a_vmi_that_must_migrate_and_cannot_blocks_the_drain() -> None:
    """
    The reasons are those of the condition LiveMigratable.
    """
    conditions = [
        {"type": "LiveMigratable", "status": "False", "reason": "DisksNotLiveMigratable", "message": "no RWX"}
    ]

    assert outcome(vmi(conditions=conditions)) == machine(
        Outcome.BLOCKS,
        Detail.NOT_MIGRATABLE,
        "evictionStrategy is LiveMigrate, but the VMI cannot be live-migrated, so KubeVirt refuses the eviction.",
        "Correct what prevents the live migration, or cordon the node and run virtctl restart vm1 -n tenant.",
        reasons=("DisksNotLiveMigratable: no RWX",),
    )


@pytest.mark.parametrize(
    ("strategy", "command"),
    [
        ("Manual", "virtctl restart vm1 -n tenant"),
        ("RerunOnFailure", "virtctl restart vm1 -n tenant"),
        ("Once", "kubectl delete vmi vm1 -n tenant"),
        ("Halted", "kubectl delete vmi vm1 -n tenant"),
    ],
)
def test_the_remedy_has_a_command_that_the_run_strategy_supports(strategy: str, command: str) -> None:
    """
    KubeVirt refuses to restart a VM with runStrategy Once or Halted.
    """
    result = outcome(vmi(migratable="False"), owner=vm(strategy))

    assert result.remedy == f"Correct what prevents the live migration, or cordon the node and run {command}."


def test_a_vmi_without_an_owner_is_deleted_where_a_vm_is_restarted() -> None:
    """
    Only a VirtualMachine can be restarted.
    """
    [first] = firsts(vmi(migratable="Unknown"), pods=[launcher()])

    assert first.machine.remedy == (
        "Correct what prevents the live migration, or cordon the node and run kubectl delete vmi vm1 -n tenant."
    )
    assert first.machine.reasons == ("LiveMigratable is Unknown",)


@pytest.mark.parametrize("phase", ["", "Scheduling", "Scheduled"])
def test_a_vmi_that_starts_is_unknown_until_its_condition_is_set(phase: str) -> None:
    """
    virt-handler sets the condition when the VMI runs. A VMI that is not scheduled has no node.
    """
    message = (
        f"The VMI is in phase {phase or 'Pending'}, and virt-handler has not set its condition LiveMigratable yet."
    )

    assert outcome(vmi(migratable=None, phase=phase, nodeName="")) == machine(
        Outcome.UNKNOWN, Detail.MISSING_FACT, message, "Rehearse the drain again when the VMI runs."
    )


def test_a_vmi_whose_status_does_not_name_its_node_is_unknown() -> None:
    """
    The webhook refuses the eviction as for a target pod, but the evacuation controller does not find the VMI on the node.
    """
    assert outcome(vmi(nodeName="", phase="Scheduled")) == machine(
        Outcome.UNKNOWN,
        Detail.MISSING_FACT,
        "The VMI is in phase Scheduled, and its status does not name its node yet.",
        "Rehearse the drain again when the VMI runs.",
    )


def test_a_vmi_that_starts_with_a_condition_is_not_migratable() -> None:
    """
    virt-handler has set the condition already.
    """
    assert outcome(vmi(migratable="False", phase="Scheduled")).detail == Detail.NOT_MIGRATABLE


def test_other_conditions_of_the_vmi_do_not_matter() -> None:
    """
    Only the condition LiveMigratable decides.
    """
    conditions = [{"type": "Ready", "status": "True", "reason": "R"}, {"type": "LiveMigratable", "status": "False"}]

    assert outcome(vmi(conditions=conditions)).reasons == ("LiveMigratable is False",)


def test_a_running_vmi_without_the_condition_is_not_migratable() -> None:
    """
    KubeVirt treats an absent condition as False.
    """
    result = outcome(vmi(migratable=None))

    assert (result.outcome, result.detail) == (Outcome.BLOCKS, Detail.NOT_MIGRATABLE)
    assert result.reasons == ("The VMI has no condition LiveMigratable.",)


def test_a_vmi_that_may_stop_and_cannot_migrate_stops() -> None:
    """
    The owner decides the effect on the VM.
    """
    assert outcome(vmi(strategy="LiveMigrateIfPossible", migratable="False")) == machine(
        Outcome.STOPS,
        Detail.RESTARTS,
        "evictionStrategy is LiveMigrateIfPossible and the VMI cannot be live-migrated, so the drain shuts the VM down. "
        + RESTARTS,
        strategy="LiveMigrateIfPossible",
        reasons=("LiveMigratable is False",),
    )


@pytest.mark.parametrize(("strategy", "word"), [("None", "None"), (None, "None"), ("", "''")])
def test_a_migratable_vmi_without_a_strategy_stops(strategy: str | None, word: str) -> None:
    """
    The remedy is to migrate it before the drain.
    """
    assert outcome(vmi(strategy=strategy)) == machine(
        Outcome.STOPS,
        Detail.RESTARTS,
        f"evictionStrategy is {word}, so the drain shuts the VM down. {RESTARTS}",
        MIGRATE,
        strategy="None" if strategy is None else strategy,
    )


def test_the_effect_of_a_missing_owner_is_unknown() -> None:
    """
    The message still says that the VM is shut down.
    """
    [first] = firsts(owned(vmi("vm2", "None")), pods=[launcher("vm2")])

    assert (first.machine.outcome, first.machine.detail) == (Outcome.UNKNOWN, Detail.MISSING_FACT)
    assert first.machine.message == (
        "evictionStrategy is None, so the drain shuts the VM down. "
        "The effect on the VM is unknown: VirtualMachine tenant/vm2 is not in the input."
    )


def test_external_blocks_until_another_controller_acts() -> None:
    """
    The evacuation controller ignores these VMIs, marked or not.
    """
    expected = machine(
        Outcome.BLOCKS,
        Detail.EXTERNAL,
        "evictionStrategy is External, so KubeVirt refuses the eviction until another controller removes the VMI.",
        "Make sure that another controller acts on status.evacuationNodeName of the VMI.",
        strategy="External",
    )

    assert outcome(vmi(strategy="External")) == expected
    assert outcome(vmi(strategy="External", migratable="False", evacuationNodeName=NODE)) == expected
    assert outcome(vmi(strategy="External", nodeName="")) == expected


def test_cluster_api_is_named_for_its_vmis() -> None:
    """
    The labels of the VMI tell the controller.
    """
    value = msgspec.to_builtins(vmi(strategy="External"))
    value["metadata"]["labels"] = {"capk.cluster.x-k8s.io/kubevirt-machine-name": "m"}

    assert outcome(msgspec.convert(value, RunningVMI)).message.endswith("until Cluster API removes the VMI.")


@pytest.mark.parametrize("version", [NEWEST, BEFORE_1_5])
def test_a_marked_vmi_moves(version: Version) -> None:
    """
    Its migration has been requested by an earlier eviction.
    """
    expected = machine(Outcome.MOVES, message="The VMI is already marked for evacuation.")

    assert outcome(vmi(evacuationNodeName=NODE), version=version) == expected


@pytest.mark.parametrize(
    ("version", "cancel"),
    [(Version(1, 7, 0), ", or virtctl evacuate-cancel vmi vm1 -n tenant"), (Version(1, 6, 6), ""), (BEFORE_1_5, "")],
)
def test_a_mark_for_another_node_blocks(version: Version, cancel: str) -> None:
    """
    The webhook refuses the eviction, but the evacuation controller creates no migration.
    """
    assert outcome(vmi(evacuationNodeName="n2"), version=version) == machine(
        Outcome.BLOCKS,
        Detail.MARKED,
        "The VMI is marked for the evacuation of n2, which is not its node. KubeVirt refuses the eviction, and it does "
        "not migrate the VMI.",
        f"Run virtctl migrate vm1 -n tenant, which clears the mark{cancel}.",
    )


@pytest.mark.parametrize("mark", ["", "n2"])
@pytest.mark.parametrize("version", [NEWEST, BEFORE_1_5])
def test_the_target_pod_of_a_migration_blocks(mark: str, version: Version) -> None:
    """
    A VMI that leaves another drained node is marked for that node.
    """
    assert outcome(vmi(nodeName="n2", evacuationNodeName=mark), version=version) == machine(
        Outcome.BLOCKS,
        Detail.TARGET,
        "The VMI is being migrated from n2 to this node. The drain waits until the migration has ended.",
        "Wait until the migration has ended, or run virtctl migrate-cancel vm1 -n tenant.",
    )


def test_a_target_pod_whose_eviction_passes_ends_the_migration() -> None:
    """
    The VM itself continues to run on its node.
    """
    assert outcome(vmi(strategy="None", nodeName="n2")) == machine(
        Outcome.MOVES,
        Detail.TARGET,
        "The drain deletes the target pod of a migration, which then fails. The VM continues to run on n2.",
        strategy="None",
    )


MOVED_AWAY = {"sourceNode": NODE, "targetNode": "n2", "completed": True}


def test_a_vmi_that_has_just_moved_away_is_no_part_of_the_drain() -> None:
    """
    Its old launcher ends without an eviction.
    """
    assert firsts(vmi(nodeName="n2", migrationState=MOVED_AWAY), pods=[launcher()]) == []


@pytest.mark.parametrize(
    ("node", "state", "detail"),
    [
        ("n2", MOVED_AWAY | {"sourceNode": "n3"}, Detail.TARGET),
        ("n2", MOVED_AWAY | {"completed": False}, Detail.TARGET),
        (NODE, MOVED_AWAY, None),
        ("", MOVED_AWAY, Detail.MISSING_FACT),
    ],
)
def test_other_states_of_a_migration_keep_the_vmi_in_the_drain(
    node: str, state: dict[str, Any], detail: Detail | None
) -> None:
    """
    Only a completed migration from this node to the node of the VMI ends the launcher.
    """
    [first] = firsts(vmi(nodeName=node, migrationState=state), pods=[launcher()])

    assert (first.machine.detail, first.launcher) == (detail, launcher())


def test_a_vmi_without_a_status_has_no_node() -> None:
    """
    Its launcher shows that it starts on this node.
    """
    value = msgspec.to_builtins(vmi(strategy="None"))
    del value["status"]

    assert outcome(msgspec.convert(value, RunningVMI)).detail == Detail.RESTARTS


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_vmi_is_no_part_of_the_drain(phase: str) -> None:
    """
    Its launcher ends without an eviction.
    """
    assert firsts(vmi(phase=phase), pods=[launcher()]) == []
    assert firsts(vmi(phase=phase)) == []


def test_a_vmi_that_is_being_deleted_stops() -> None:
    """
    KubeVirt does not migrate it, whatever its strategy.
    """
    value = msgspec.to_builtins(vmi())
    value["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert outcome(msgspec.convert(value, RunningVMI)) == machine(
        Outcome.STOPS, Detail.RESTARTS, f"The VMI is already being deleted. {RESTARTS}", strategy=""
    )


def test_an_unknown_configuration_matters_only_without_a_strategy_in_the_vmi() -> None:
    """
    The strategy of the VMI has precedence.
    """
    assert outcome(vmi(), configuration=UNKNOWN) == machine(Outcome.MOVES)
    assert outcome(vmi(strategy=None), configuration=UNKNOWN) == machine(
        Outcome.UNKNOWN,
        Detail.MISSING_FACT,
        "The eviction strategy is unknown: no KubeVirt was provided.",
        "Provide all objects of kind KubeVirt.",
        strategy="",
    )


def test_the_strategy_of_the_cluster_applies_without_a_strategy_in_the_vmi() -> None:
    """
    The configuration of the KubeVirt CR has the default of all VMIs.
    """
    cluster = Configuration(eviction_strategy="LiveMigrate")

    assert outcome(vmi(strategy=None), configuration=cluster) == machine(Outcome.MOVES)


def test_only_the_vmis_of_the_node_are_part_of_the_drain() -> None:
    """
    VMIs and launchers of other nodes have no outcome.
    """
    assert firsts(vmi(nodeName="n2"), pods=[launcher(node="n2")]) == []
