"""
The runStrategy of a VirtualMachine, and the result of an eviction for the VM.

Source: ``pkg/virt-controller/watch/vm/vm.go`` syncRunStrategy, v1.9.0.
"""

from typing import Final

from webhook.kubevirt.subject import Subject
from webhook.objects.vm import VirtualMachineSpec

_AFTER_STOP: Final = {
    "Always": "KubeVirt then starts it again on a node that fits",
    "RerunOnFailure": "KubeVirt starts it again only after a failure, not after a clean shutdown of the guest",
    "Manual": "The VM then stays stopped until a user starts it",
    "Once": "KubeVirt does not start the VM again",
}
_OF_OTHER_KINDS: Final = {
    "VirtualMachineInstance": "KubeVirt does not start a VirtualMachineInstance again",
    "VirtualMachineInstanceReplicaSet": "The replica set then creates a new VM",
    "VirtualMachinePool": "The pool then starts a VM again",
}


def run_strategy(vm: VirtualMachineSpec) -> str:
    """The run strategy in force, or an empty text if the VM sets neither ``runStrategy`` nor ``running``."""
    if vm.run_strategy:
        return vm.run_strategy
    if vm.running is None:
        return ""
    return "Always" if vm.running else "Halted"


def after_stop(subject: Subject) -> str:
    """The result for a VM that an eviction has stopped, as a sentence without its full stop. Empty if it is not known."""
    if subject.kind == "VirtualMachine":
        return _AFTER_STOP.get(run_strategy(subject.vm), "")
    if subject.outer.owner_references:
        return ""
    return _OF_OTHER_KINDS.get(subject.kind, "")
