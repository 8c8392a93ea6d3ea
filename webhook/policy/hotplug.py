"""
Volumes that are plugged into a running VM. There are four ways to plug in a volume, and the policy key ``hotplug`` applies
to all of them.

For ``addvolume`` of a VM, virt-api writes the volume into ``status.volumeRequests`` of the VM (gate HotplugVolumes), or into
its template. For ``addvolume`` of a VMI, virt-api writes the volume into the VMI. A user can also write ``hotpluggable: true``
into the template (``pkg/virt-api/rest/volumes.go``, ``pkg/storage/hotplug/hotplug.go``, v1.9.0). If the claim of the volume
lacks ReadWriteMany, virt-handler sets LiveMigratable to False while the VM runs (``pkg/virt-handler/vm.go``, all releases).
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
    """The VM after KubeVirt has plugged in its requested volumes."""
    template = vm.spec.template
    if template is None or template.spec is None:
        return vm
    added = [volume for _, volume in _requested(vm)]
    if not added:
        return vm
    spec = msgspec.structs.replace(template.spec, volumes=[*(template.spec.volumes or ()), *added])
    changed = msgspec.structs.replace(vm.spec, template=msgspec.structs.replace(template, spec=spec))
    return msgspec.structs.replace(vm, spec=changed)


def plugged_into(new: Subject, old: Subject) -> Iterator[tuple[int, Volume]]:
    """
    The volumes that a change plugs in, with their index: all new volumes of a VMI, or the new hotpluggable volumes of a VM.

    A permanent volume of a VM uses a changed claim only after the next start, so such a volume is not plugged in.
    """
    before = {volume.name: volume for volume in old.spec.volumes or ()}
    is_running = new.kind == "VirtualMachineInstance"
    for index, volume in enumerate(new.spec.volumes or ()):
        known = before.get(volume.name)
        is_marked = _is_hotpluggable(volume) and (known is None or _is_hotpluggable(known))
        if volume != known and (is_running or is_marked):
            yield index, volume


def _is_hotpluggable(volume: Volume) -> bool:
    source = volume.persistent_volume_claim or volume.data_volume
    return source is not None and source.hotpluggable is True


def is_about_plugged(finding: Finding, new: Kubernetes, old: Kubernetes) -> bool:
    """Whether a finding is about a volume that this change plugs in, or about the disk of such a volume."""
    after, before = subject_of(new), subject_of(old)
    if after is None or before is None:
        return False
    return _is_about_any(finding, after, dict(plugged_into(after, before)))


def is_about_made_permanent(finding: Finding, new: Kubernetes, old: Kubernetes) -> bool:
    """Whether a finding of the old object is about a hotpluggable volume that the new object makes permanent."""
    after, before = subject_of(new), subject_of(old)
    if after is None or before is None:
        return False
    hotpluggable, permanent = _names(after)
    made_permanent = permanent - hotpluggable - _names(before)[1]
    volumes = enumerate(before.spec.volumes or ())
    changed = {index: volume for index, volume in volumes if volume.name in made_permanent}
    return _is_about_any(finding, before, changed)


def _names(subject: Subject) -> tuple[set[str], set[str]]:
    """The names of hotpluggable volumes, and the names of all other volumes."""
    volumes = subject.spec.volumes or ()
    hotpluggable = {volume.name for volume in volumes if _is_hotpluggable(volume)}
    return hotpluggable, {volume.name for volume in volumes if not _is_hotpluggable(volume)}


def _is_about_any(finding: Finding, subject: Subject, volumes: Mapping[int, Volume]) -> bool:
    """Whether a finding is about one of these volumes (given by index) or about the disk of such a volume."""
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
    return rest[3] < len(disks) and disks[rest[3]].name in {volume.name for volume in volumes.values()}


def at_request(finding: Finding, vm: VirtualMachine) -> Finding:
    """The finding. If it is about a requested volume, its path is changed to the path of the request."""
    subject = subject_of(vm)
    if subject is None:
        return finding
    base: FieldPath = (*subject.base, "volumes")
    if finding.path[: len(base)] != base or len(finding.path) <= len(base):
        return finding
    index, first = finding.path[len(base)], len(subject.spec.volumes or ())
    requests = list(_requested(vm))
    if not isinstance(index, int) or not first <= index < first + len(requests):
        return finding
    path = ("status", "volumeRequests", requests[index - first][0], "addVolumeOptions", "volumeSource")
    return replace(finding, path=path)


def _requested(vm: VirtualMachine) -> Iterator[tuple[int, Volume]]:
    """The requested volumes, with the index of each request."""
    requests = (vm.status.volume_requests if vm.status is not None else None) or []
    for index, request in enumerate(requests):
        options = request.add_volume_options
        if options is not None and options.volume_source is not None:
            source = options.volume_source
            yield index, Volume(options.name, source.persistent_volume_claim, source.data_volume)
