"""
Judges the patches of VirtualMachineClones, together with the source VM.

The VM can be in a later file than the clone, so this runs after all objects are judged.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from webhook.check.check import FollowUp, examine, judge_object
from webhook.facts.layered_world import seen_from
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.judging.patched_copies import problems_of_copy, source_of
from webhook.manifests.objects import ManifestObject
from webhook.manifests.wrappers import not_checked_note
from webhook.objects.vm import VirtualMachine
from webhook.report.building import object_report
from webhook.report.model import ObjectReport

_ByNamespace: TypeAlias = Mapping[str, Sequence[tuple[str, VirtualMachine]]]
"""VMs with the same name, and their files, by namespace."""
_NO_VMS: Final[_ByNamespace] = {}


def with_copies(
    objects: list[ObjectReport],
    clones: Sequence[FollowUp],
    world: World,
    manifests_with: Callable[[Collection[str]], Iterable[ManifestObject]],
) -> tuple[list[ObjectReport], list[str]]:
    """Returns the reports, with a report on each clone whose patches add a violation, and a note about each other clone."""
    reports, notes = list(objects), list[str]()
    vms = _vms_by_name(clones, manifests_with)
    for clone in clones:
        manifest = clone.manifest
        metadata, spec = manifest.raw.get("metadata"), manifest.raw.get("spec")
        name = _source_of(manifest)
        namespace, own = ("", "")
        if isinstance(metadata, dict):
            namespace, own = (str(metadata.get(key) or "") for key in ("namespace", "name"))
        near, _ = seen_from(clone.release.applied_to(world), manifest.document.source)
        vm = _source(vms.get(name, _NO_VMS), namespace, manifest.document.source)
        place = f"{manifest.document.source}:{manifest.line}"
        if vm is None:
            notes.append(f"{not_checked_note(place, manifest.kind, own)}. To check it, add VirtualMachine {name!a}")
            continue
        patches = spec.get("patches") if isinstance(spec, dict) else None
        releases = clone.release.releases
        problems = problems_of_copy(
            vm,
            patches if isinstance(patches, list) else [],
            lambda judged, near=near, releases=releases: judge_object(judged, near, releases),  # type: ignore[misc]
        )
        if isinstance(problems, Unknown):
            notes.append(f"{not_checked_note(place, manifest.kind, own)}: {problems.why}")
        elif problems:
            examined = examine(manifest, world, clone.settings, clone.release, patched=problems)
            reports += [object_report(examined)] if examined is not None else []
    return reports, notes


def _source_of(clone: ManifestObject) -> str:
    return source_of(clone.api_version, clone.kind, clone.raw.get("spec"))


def _vms_by_name(
    clones: Iterable[FollowUp], manifests_with: Callable[[Collection[str]], Iterable[ManifestObject]]
) -> Mapping[str, _ByNamespace]:
    """The VMs that the clones copy, by name. Each file is read once for all clones."""
    names = {name for clone in clones if (name := _source_of(clone.manifest))}
    vms: dict[str, dict[str, list[tuple[str, VirtualMachine]]]] = {name: {} for name in names}
    for manifest in manifests_with(names) if names else ():
        vm = manifest.object
        if isinstance(vm, VirtualMachine) and vm.name in names:
            vms[vm.name].setdefault(vm.namespace, []).append((manifest.document.source, vm))
    return vms


def _source(vms: _ByNamespace, namespace: str, file: str) -> VirtualMachine | None:
    """The VM of this namespace: in the file of the clone, or else the only one."""
    spaces = (namespace, "") if namespace else vms
    found = [entry for space in spaces for entry in vms.get(space, ())]
    near = [vm for source, vm in found if source == file] or [vm for _, vm in found]
    return near[0] if len(near) == 1 else None
