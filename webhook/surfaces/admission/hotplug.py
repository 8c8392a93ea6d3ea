"""
Volumes that are plugged into a running VM: they arrive as ``status.volumeRequests``, written by virt-api for the user.

A claim that one node alone can use turns LiveMigratable to False while the VM runs (``pkg/virt-handler/vm.go``, all
releases), and this is the only request in which that can be seen before it happens.
"""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from webhook.finding import Finding
from webhook.kubevirt.subject import subject_of
from webhook.objects.path import FieldPath
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import Volume


def with_requests(vm: VirtualMachine) -> VirtualMachine:
    """The VM as it will be once its volume requests are carried out."""
    template = vm.spec.template
    if template is None or template.spec is None:
        return vm
    added = [volume for _, volume in _asked(vm)]
    if not added:
        return vm
    spec = msgspec.structs.replace(template.spec, volumes=[*(template.spec.volumes or ()), *added])
    changed = msgspec.structs.replace(vm.spec, template=msgspec.structs.replace(template, spec=spec))
    return msgspec.structs.replace(vm, spec=changed)


def at_request(finding: Finding, vm: VirtualMachine) -> Finding:
    """The finding at the place where the user's request stands, if it is about a volume that was asked for."""
    subject = subject_of(vm)
    base: FieldPath = (*subject.base, "volumes") if subject is not None else ()
    if finding.path[: len(base)] != base or len(finding.path) <= len(base):
        return finding
    index = finding.path[len(base)]
    own = len(subject.spec.volumes or ()) if subject is not None else 0
    asked = list(_asked(vm))
    if not isinstance(index, int) or not own <= index < own + len(asked):
        return finding
    place = ("status", "volumeRequests", asked[index - own][0], "addVolumeOptions", "volumeSource")
    return replace(finding, path=place)


def _asked(vm: VirtualMachine) -> Iterator[tuple[int, Volume]]:
    """The volumes that are asked for, each with the place of its request."""
    requests = (vm.status.volume_requests if vm.status is not None else None) or []
    for index, each in enumerate(requests):
        add = each.add_volume_options
        if add is not None and add.volume_source is not None:
            source = add.volume_source
            yield index, Volume(add.name, source.persistent_volume_claim, source.data_volume)
