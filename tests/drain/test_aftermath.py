"""The effect of an eviction on a VM, by the owner of its VMI."""

from typing import Any

import msgspec
import pytest

from tests.drain.building import NAMESPACE, vmi
from webhook.drain.aftermath import Aftermath, Owner, aftermath, owner_of
from webhook.drain.plan import Detail
from webhook.facts.unknown import NotGiven, Unknown
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet

NO_LIST = Unknown("the account may not list virtualmachines", "allow the account to list virtualmachines")
START = "After the drain, run virtctl start vm1 -n tenant."
REPLICA_SET = "VirtualMachineInstanceReplicaSet vm1"


def vm(metadata: dict[str, Any] | None = None, **spec: Any) -> VirtualMachine:
    named = {"name": "vm1", "namespace": NAMESPACE, **(metadata or {})}
    return msgspec.convert({"metadata": named, "spec": spec}, VirtualMachine)


def replica_set(metadata: dict[str, Any] | None = None, **spec: Any) -> VirtualMachineInstanceReplicaSet:
    named = {"name": "vm1", "namespace": NAMESPACE, **(metadata or {})}
    return msgspec.convert({"metadata": named, "spec": spec}, VirtualMachineInstanceReplicaSet)


def owned(kind: str, controller: bool = True) -> RunningVMI:
    owner = {"kind": kind, "name": "vm1", "uid": "u", "controller": controller}
    value = {"metadata": {"name": "vm1", "namespace": NAMESPACE, "ownerReferences": [owner]}}
    return msgspec.convert(value, RunningVMI)


@pytest.mark.parametrize("owner", [vm(runStrategy="Always"), vm(running=True)])
def test_a_vm_that_always_runs_starts_again_on_another_node(owner: VirtualMachine) -> None:
    """
    ``running: true`` has the same effect as runStrategy Always.
    """
    assert aftermath(owner, fits=True) == Aftermath(Detail.RESTARTS, "KubeVirt starts the VM again on another node.")


@pytest.mark.parametrize(
    ("owner", "effect"),
    [
        (vm(runStrategy="Always"), "KubeVirt starts the VM again"),
        (replica_set(), f"{REPLICA_SET} creates another VMI"),
    ],
)
def test_a_vm_that_fits_no_other_node_waits_for_its_node(owner: Owner, effect: str) -> None:
    """
    The new launcher stays pending until the node is back.
    """
    assert aftermath(owner, fits=False) == Aftermath(
        Detail.WAITS_FOR_NODE,
        f"{effect}, but no other node fits, so the new pod stays pending until this node is schedulable again.",
        "Provide another node that fits, or plan for the downtime.",
    )


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (
            vm(runStrategy="RerunOnFailure"),
            Aftermath(
                Detail.STAYS_DOWN,
                "runStrategy is RerunOnFailure, so the VM stays down if the guest shuts down cleanly.",
                START,
            ),
        ),
        (
            vm(runStrategy="Manual"),
            Aftermath(Detail.STAYS_DOWN, "runStrategy is Manual, so KubeVirt does not start the VM again.", START),
        ),
        (
            vm(running=False),
            Aftermath(Detail.STAYS_DOWN, "runStrategy is Halted, so KubeVirt does not start the VM again.", START),
        ),
        (
            vm(),
            Aftermath(Detail.STAYS_DOWN, "runStrategy is Halted, so KubeVirt does not start the VM again.", START),
        ),
        (
            vm(runStrategy="WaitAsReceiver"),
            Aftermath(
                Detail.STAYS_DOWN,
                "runStrategy is WaitAsReceiver, so KubeVirt does not start the VM again.",
                "After the drain, write runStrategy: Always in the VM.",
            ),
        ),
        (
            vm(runStrategy="Once"),
            Aftermath(
                Detail.STAYS_DOWN,
                "runStrategy is Once, so KubeVirt does not start the VM again.",
                "After the drain, delete the finished VMI. KubeVirt then starts the VM.",
            ),
        ),
        (
            vm({"deletionTimestamp": "2026-01-01T00:00:00Z"}, runStrategy="Always"),
            Aftermath(Detail.GONE, "The VM is being deleted."),
        ),
        (replica_set(), Aftermath(Detail.RESTARTS, f"{REPLICA_SET} creates another VMI on another node.")),
        (
            replica_set(paused=True),
            Aftermath(Detail.GONE, f"{REPLICA_SET} is paused, so it does not replace the VMI."),
        ),
        (
            replica_set({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
            Aftermath(Detail.GONE, f"{REPLICA_SET} is being deleted, so it does not replace the VMI."),
        ),
        (
            None,
            Aftermath(
                Detail.GONE,
                "The VMI has no owner that starts it again.",
                "Create the VMI again after the drain, or use a VirtualMachine with runStrategy Always.",
            ),
        ),
    ],
)
def test_the_owner_and_its_run_strategy_decide_what_follows(owner: Owner, expected: Aftermath) -> None:
    """
    Only a VM that always runs and a replica set start again.
    """
    assert aftermath(owner, fits=True) == expected


def test_an_unknown_owner_or_node_makes_the_effect_unknown() -> None:
    """
    The message names the missing input. An unknown node does not matter for a VM that stays down.
    """
    unknown = Aftermath(
        Detail.MISSING_FACT,
        "The effect on the VM is unknown: the account may not list virtualmachines.",
        "Allow the account to list virtualmachines.",
    )

    assert aftermath(NO_LIST, fits=True) == unknown
    assert aftermath(vm(running=True), fits=NO_LIST) == unknown
    assert aftermath(vm(runStrategy="Manual"), fits=NO_LIST).detail == Detail.STAYS_DOWN


def test_the_owner_is_the_controller_of_the_vmi() -> None:
    """
    Other owner references do not count.
    """
    machine, replicas = vm(), replica_set()
    vms, sets = {(NAMESPACE, "vm1"): machine}, {(NAMESPACE, "vm1"): replicas}

    assert owner_of(owned("VirtualMachine"), vms, sets) is machine
    assert owner_of(owned("VirtualMachineInstanceReplicaSet"), vms, sets) is replicas
    assert owner_of(owned("VirtualMachine", controller=False), vms, sets) is None
    assert owner_of(vmi(), vms, sets) is None


def test_an_owner_that_is_not_given_is_unknown() -> None:
    """
    The reason names the owner.
    """
    assert owner_of(owned("VirtualMachine"), {}, {}) == NotGiven(
        "VirtualMachine tenant/vm1 is not in the input", "add VirtualMachine tenant/vm1 to the input"
    )
    assert owner_of(owned("VirtualMachine"), NO_LIST, {}) == NO_LIST


def test_the_effect_of_a_foreign_owner_is_unknown() -> None:
    """
    KubeVirt has only two controllers of VMIs.
    """
    owner = owner_of(owned("Sandbox"), {}, {})

    assert owner == Unknown(
        "the owner of the VMI is a Sandbox, which KubeVirt does not know",
        "find out whether the Sandbox creates the VMI again",
    )


def test_an_unknown_fact_without_a_remedy_has_no_remedy() -> None:
    """
    The remedy is then empty.
    """
    assert aftermath(Unknown("it is late"), fits=True).remedy == ""
