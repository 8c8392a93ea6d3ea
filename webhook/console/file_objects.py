"""Reads the objects in files: as manifests, which are judged, and as a fleet, from which drains are rehearsed."""

from collections.abc import Iterator, Sequence

import msgspec

from webhook.audit.listing import JUDGED_KINDS
from webhook.check.check import fill, working_directory
from webhook.errors import BadInput, Misconfigured
from webhook.facts.fleet import Fleet
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.subject import with_labels_only
from webhook.manifests.fleet_files import MOST_BYTES, Stream, is_snapshot
from webhook.manifests.fleet_paths import contents, read_paths
from webhook.manifests.fleet_snapshot import plain_objects
from webhook.manifests.live_objects import NOWHERE
from webhook.manifests.objects import ManifestObject, Manifests, read_manifests
from webhook.objects.fleet_kinds import FLEET_BY_CLASS
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes
from webhook.objects.running import RunningVMI
from webhook.objects.vmi import VirtualMachineInstance


class FileObjects(msgspec.Struct, frozen=True):
    """The objects in files."""

    fleet: Fleet
    world: ObjectsWorld
    """All objects that rules look up."""
    judged: Sequence[ManifestObject]
    """The objects of the kinds that an audit judges."""


def read_files(paths: Sequence[str]) -> FileObjects:
    """The objects in files, folders and snapshots. Raises Misconfigured if one of them cannot be read."""
    read = read_paths(paths)
    _refuse(read.problems)
    fleet = read.fleet()
    if not fleet.provided:
        raise Misconfigured(
            f"{', '.join(paths)}: the files have no object of a cluster",
            remedy="Name a folder, a file or a snapshot with VMs, VMIs, nodes and pods.",
        )
    inputs = list(_manifests(paths))
    _refuse([problem for one in inputs for problem in one.problems])
    complete = fleet.complete & BY_CLASS.keys()
    if RunningVMI in fleet.complete:
        complete |= {VirtualMachineInstance}
    world = ObjectsWorld(map(with_labels_only, _looked_up(fleet)), complete, working_directory())
    fill(world, inputs, ())
    judged = [one for file in inputs for one in file.objects if one.known in JUDGED_KINDS and not one.within]
    return FileObjects(fleet, world, (*judged, *_of_snapshots(fleet, judged)))


def _manifests(paths: Sequence[str]) -> Iterator[Manifests]:
    """The manifests in all files except snapshots."""
    problems: list[BadInput] = []
    for name, content in contents(paths, problems):
        if isinstance(content, Stream):
            yield read_manifests(content.begin + content.rest.read(-1), name, most_bytes=MOST_BYTES)
        elif not is_snapshot(content):
            yield read_manifests(content, name, most_bytes=MOST_BYTES)


def _looked_up(fleet: Fleet) -> Iterator[Kubernetes]:
    for kind in BY_CLASS:
        yield from fleet.given(RunningVMI if kind is VirtualMachineInstance else kind)


def _of_snapshots(fleet: Fleet, judged: Sequence[ManifestObject]) -> Iterator[ManifestObject]:
    """The objects to judge that are in no manifest."""
    known = {(one.kind, one.object.namespace, one.object.name) for one in judged if one.object is not None}
    for kind in JUDGED_KINDS:
        fleet_kind = FLEET_BY_CLASS[RunningVMI if kind.reads is VirtualMachineInstance else kind.reads]
        for given, raw in plain_objects(fleet, fleet_kind):
            if (kind.kind, given.namespace, given.name) not in known:
                api_version = str(raw["apiVersion"])
                yield ManifestObject(api_version, kind.kind, kind, given, raw, NOWHERE, ())


def _refuse(problems: Sequence[BadInput]) -> None:
    """Raises Misconfigured for the first problem."""
    for problem in problems[:1]:
        where = f"{problem.source}:{problem.line}" if problem.line else problem.source
        path = f": {problem.path}" if problem.path else ""
        more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
        message = f"{where}{path}: {problem.message}" if where else problem.message
        raise Misconfigured(f"{message}{more}", remedy=problem.remedy or "Correct the file.")
