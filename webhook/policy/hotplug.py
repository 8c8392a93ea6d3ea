"""
Volumes that are plugged into a running VM. There are four ways, and the policy key ``hotplug`` holds for all of them.

virt-api writes what ``addvolume`` asks for into ``status.volumeRequests`` of the VM (gate HotplugVolumes), else into the VM's
template; or into the VMI, for ``addvolume`` of a VMI. A user may also write ``hotpluggable: true`` into the template
(``pkg/virt-api/rest/volumes.go``, ``pkg/storage/hotplug/hotplug.go``, v1.9.0). A claim that is not shared turns LiveMigratable
to False while the VM runs (``pkg/virt-handler/vm.go``, all releases).
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from webhook.judging.finding import Finding
from webhook.kubevirt.subject import Subject, subject_of
from webhook.objects.meta import Kubernetes
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


def plugged_into(new: Subject, old: Subject) -> Iterator[tuple[int, Volume]]:
    """
    The volumes that a change plugs in, with their index: of a VMI all that are added, of a VM those marked as hotpluggable.

    Another claim behind the name of a VM's permanent volume takes effect at the next start, so that it is not plugged in.
    """
    before = {each.name: each for each in old.spec.volumes or ()}
    runs = new.kind == "VirtualMachineInstance"
    for index, volume in enumerate(new.spec.volumes or ()):
        known = before.get(volume.name)
        marked = _is_hotpluggable(volume) and (known is None or _is_hotpluggable(known))
        if volume != known and (runs or marked):
            yield index, volume


def _is_hotpluggable(volume: Volume) -> bool:
    source = volume.persistent_volume_claim or volume.data_volume
    return source is not None and source.hotpluggable is True


def is_about_plugged(finding: Finding, new: Kubernetes, old: Kubernetes) -> bool:
    """Whether a finding is at a volume that is plugged in by this change, or at the disk of such a volume."""
    after, before = subject_of(new), subject_of(old)
    if after is None or before is None:
        return False
    return _is_about_any(finding, after, dict(plugged_into(after, before)))


def is_about_made_permanent(finding: Finding, new: Kubernetes, old: Kubernetes) -> bool:
    """Whether a finding about the old object is at a volume that is hotpluggable there and permanent in the new object."""
    after, before = subject_of(new), subject_of(old)
    if after is None or before is None:
        return False
    still, made = _names(after)
    changed = made - still - _names(before)[1]
    volumes = enumerate(before.spec.volumes or ())
    return _is_about_any(finding, before, {index: each for index, each in volumes if each.name in changed})


def _names(subject: Subject) -> tuple[set[str], set[str]]:
    """The names of hotpluggable volumes, and those of all others."""
    volumes = subject.spec.volumes or ()
    hotpluggable = {each.name for each in volumes if _is_hotpluggable(each)}
    return hotpluggable, {each.name for each in volumes if not _is_hotpluggable(each)}


def _is_about_any(finding: Finding, subject: Subject, volumes: Mapping[int, Volume]) -> bool:
    """Whether a finding is at one of these volumes of the object, given by index, or at the disk of one."""
    if finding.path[: len(subject.base)] != subject.base:
        return False
    rest = finding.path[len(subject.base) :]
    if rest[:1] == ("volumes",):
        return len(rest) > 1 and rest[1] in volumes
    domain = subject.spec.domain
    devices = domain.devices if domain is not None else None
    disks = (devices.disks if devices is not None else None) or ()
    if rest[:3] != ("domain", "devices", "disks") or len(rest) < 4 or not isinstance(rest[3], int):
        return False
    return rest[3] < len(disks) and disks[rest[3]].name in {each.name for each in volumes.values()}


def at_request(finding: Finding, vm: VirtualMachine) -> Finding:
    """The finding at the field that the user set, if it is about a volume of the request."""
    subject = subject_of(vm)
    if subject is None:
        return finding
    base: FieldPath = (*subject.base, "volumes")
    if finding.path[: len(base)] != base or len(finding.path) <= len(base):
        return finding
    index, own = finding.path[len(base)], len(subject.spec.volumes or ())
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
