"""
The ControllerRevisions that VMs name.

KubeVirt copies an instancetype and a preference into a ControllerRevision at the first start of a VM. The fleet has none of them,
because a list of all ControllerRevisions contains the pod templates of DaemonSets.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from webhook.drain.evictions import Key
from webhook.facts.fleet import Fleet
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine


def named_revisions(fleet: Fleet, vm: str = "") -> list[Key]:
    """The namespaces and names of the revisions that the VMs of this name need, or all VMs. Sorted, each once."""
    vms = (one for one in fleet.given(VirtualMachine) if vm in ("", one.name))
    return sorted({(one.namespace, revision) for one in vms for revision in _revisions_of(one)})


def with_revisions(fleet: Fleet, found: tuple[ControllerRevision, ...]) -> Fleet:
    """The fleet with these revisions."""
    if not found:
        return fleet
    objects: dict[type[Kubernetes], tuple[Kubernetes, ...]] = {**fleet.objects, ControllerRevision: found}
    return replace(fleet, objects=objects, provided=fleet.provided | {ControllerRevision})


def _revisions_of(vm: VirtualMachine) -> Iterator[str]:
    """The names in the spec and in the status (``status.instancetypeRef``, from KubeVirt 1.5 on)."""
    for matcher in (vm.spec.instancetype, vm.spec.preference):
        if matcher is not None and matcher.revision_name:
            yield matcher.revision_name
    for reference in (vm.status.instancetype_ref, vm.status.preference_ref) if vm.status is not None else ():
        revision = reference.controller_revision_ref if reference is not None else None
        if revision is not None and revision.name:
            yield revision.name
