"""
Reads the ControllerRevisions that one VM names, each by its name.

KubeVirt copies an instancetype and a preference into a ControllerRevision at the first start of a VM. A list of all
ControllerRevisions is not read, because those of DaemonSets contain whole pod templates.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from webhook.facts.fleet import Fleet
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine

if TYPE_CHECKING:
    from webhook.cluster.live_reads import LiveReads


def with_revisions(fleet: Fleet, live: "LiveReads", name: str, within_seconds: float) -> Fleet:
    """The fleet, with the ControllerRevisions of the VMs of this name that can be read."""
    wanted = {
        (vm.namespace, revision)
        for vm in fleet.given(VirtualMachine)
        if vm.name == name
        for revision in _revisions_of(vm)
    }
    read = [live.confirm(ControllerRevision, *key, within_seconds) for key in sorted(wanted)]
    found = tuple(one for one in read if isinstance(one, ControllerRevision))
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
