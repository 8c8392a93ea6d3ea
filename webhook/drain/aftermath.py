"""
The effect on a VM whose launcher is evicted: the guest shuts down, and the owner of the VMI may start it again.

Source: ``pkg/virt-controller/watch/vm/vm.go`` syncRunStrategy, ``pkg/virt-controller/watch/replicaset/replicaset.go`` and
``pkg/virt-controller/watch/pool/pool.go`` (scale: a pool counts VMs, not VMIs), v1.9.0.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias, TypeVar

import msgspec

from webhook.drain.evictions import Key
from webhook.drain.plan import Detail
from webhook.facts.unknown import Fact, NotGiven, Unknown
from webhook.kubevirt.run_strategy import run_strategy
from webhook.objects.meta import Kubernetes, OwnerReference
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet

Owned = TypeVar("Owned", VirtualMachine, VirtualMachineInstanceReplicaSet)
Owner: TypeAlias = VirtualMachine | VirtualMachineInstanceReplicaSet | None
"""The controller of a VMI. None if the VMI has no controller."""

_VM: Final = "VirtualMachine"
_REPLICA_SET: Final = "VirtualMachineInstanceReplicaSet"
_HALTED: Final = "Halted"
_STARTABLE: Final = frozenset((_HALTED, "Manual"))
"""Run strategies that virtctl start supports (``StartVMRequestHandler`` of ``pkg/virt-api/rest/lifecycle.go``, v1.9.0)."""
_ONCE: Final = "Once"
_ALWAYS: Final = "Always"
_RERUN: Final = "RerunOnFailure"


class Aftermath(msgspec.Struct, frozen=True):
    """The effect of the eviction of a launcher on its VM."""

    detail: Detail
    """One of restarts, waitsForNode, staysDown, gone and missingFact."""
    message: str
    """A sentence that gives the reason."""
    remedy: str = ""
    """A sentence in the imperative. Empty if no action is needed."""


def owner_of(
    vmi: RunningVMI,
    vms: Fact[Mapping[Key, VirtualMachine]],
    replica_sets: Fact[Mapping[Key, VirtualMachineInstanceReplicaSet]],
) -> Fact[Owner]:
    """The controller of a VMI, if it is a VirtualMachine or a VirtualMachineInstanceReplicaSet."""
    reference = next((owner for owner in vmi.meta.owner_references or () if owner.controller), None)
    if reference is None:
        return None
    if reference.kind == _VM:
        return _found(vmi, reference, vms)
    if reference.kind == _REPLICA_SET:
        return _found(vmi, reference, replica_sets)
    return Unknown(
        f"the owner of the VMI is a {reference.kind}, which KubeVirt does not know",
        f"find out whether the {reference.kind} creates the VMI again",
    )


def _found(vmi: RunningVMI, reference: OwnerReference, owners: Fact[Mapping[Key, Owned]]) -> Fact[Owned]:
    if isinstance(owners, Unknown):
        return owners
    owner = owners.get((vmi.namespace, reference.name))
    if owner is None:
        name = f"{reference.kind} {vmi.namespace}/{reference.name}"
        return NotGiven(f"{name} is not in the input", f"add {name} to the input")
    return owner


def aftermath(owner: Fact[Owner], fits: Fact[bool]) -> Aftermath:
    """The effect on a VM whose VMI is shut down. ``fits`` is True if another node can run the VMI."""
    if isinstance(owner, Unknown):
        return _missing(owner)
    if owner is None:
        return Aftermath(
            Detail.GONE,
            "The VMI has no owner that starts it again.",
            "Create the VMI again after the drain, or use a VirtualMachine with runStrategy Always.",
        )
    if isinstance(owner, VirtualMachineInstanceReplicaSet):
        return _after_replica_set(owner, fits)
    return _after_vm(owner, fits)


def _after_replica_set(owner: VirtualMachineInstanceReplicaSet, fits: Fact[bool]) -> Aftermath:
    name = f"VirtualMachineInstanceReplicaSet {owner.name}"
    if _is_deleted(owner) or owner.spec.paused:
        state = "is being deleted" if _is_deleted(owner) else "is paused"
        return Aftermath(Detail.GONE, f"{name} {state}, so it does not replace the VMI.")
    return _elsewhere(f"{name} creates another VMI", fits)


def _after_vm(owner: VirtualMachine, fits: Fact[bool]) -> Aftermath:
    if _is_deleted(owner):
        return Aftermath(Detail.GONE, "The VM is being deleted.")
    strategy = run_strategy(owner.spec) or _HALTED
    if strategy == _ALWAYS:
        return _elsewhere("KubeVirt starts the VM again", fits)
    start = f"After the drain, run virtctl start {owner.name} -n {owner.namespace}."
    if strategy == _ONCE:
        message = "runStrategy is Once, so KubeVirt does not start the VM again."
        return Aftermath(
            Detail.STAYS_DOWN, message, "After the drain, delete the finished VMI. KubeVirt then starts the VM."
        )
    if strategy == _RERUN:
        message = "runStrategy is RerunOnFailure, so the VM stays down if the guest shuts down cleanly."
        return Aftermath(Detail.STAYS_DOWN, message, start)
    if strategy not in _STARTABLE:
        start = "After the drain, write runStrategy: Always in the VM."
    return Aftermath(Detail.STAYS_DOWN, f"runStrategy is {strategy}, so KubeVirt does not start the VM again.", start)


def _elsewhere(effect: str, fits: Fact[bool]) -> Aftermath:
    if isinstance(fits, Unknown):
        return _missing(fits)
    if fits:
        return Aftermath(Detail.RESTARTS, f"{effect} on another node.")
    return Aftermath(
        Detail.WAITS_FOR_NODE,
        f"{effect}, but no other node fits, so the new pod stays pending until this node is schedulable again.",
        "Provide another node that fits, or plan for the downtime.",
    )


def _missing(fact: Unknown) -> Aftermath:
    return Aftermath(Detail.MISSING_FACT, f"The effect on the VM is unknown: {fact.why}.", remedy_of(fact))


def remedy_of(fact: Unknown) -> str:
    """The remedy for an unknown fact as a sentence, or an empty text."""
    return f"{fact.settle[:1].upper()}{fact.settle[1:]}." if fact.settle else ""


def _is_deleted(owner: Kubernetes) -> bool:
    return owner.meta.deletion_timestamp is not None
