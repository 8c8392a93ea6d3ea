"""Reads the objects in files: as a fleet, from which drains are rehearsed, and as objects to judge."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import msgspec

from webhook.audit.listing import JUDGED_KINDS
from webhook.check.check import fill, working_directory
from webhook.errors import BadInput, Misconfigured
from webhook.facts.fleet import Fleet
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.subject import with_labels_only
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import plain_objects
from webhook.manifests.live_objects import NOWHERE, name_of_live, read_live
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.objects.fleet_kinds import FLEET_BY_CLASS
from webhook.objects.kinds import BY_CLASS, BY_GROUP_KIND, Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.running import RunningVMI
from webhook.objects.vmi import VirtualMachineInstance

Key: TypeAlias = tuple[str, str]
"""Namespace and name."""


class _Text(msgspec.Struct, frozen=True):
    """An object as JSON. It is read when it is judged, because a parsed object takes five times the memory."""

    kind: Kind
    version: str
    text: bytes

    def read(self) -> ManifestObject:
        return read_live(self.text, self.kind, self.version)


class FileObjects:
    """The objects in files."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Reads files, folders and snapshots. Raises Misconfigured if one of them cannot be read."""
        self.problems: list[BadInput] = []
        """The objects that could not be judged."""
        self._manifests: list[ManifestObject] = []
        self._texts: list[_Text] = []
        read = read_paths(paths, self._keep)
        _refuse(read.problems)
        self.fleet: Fleet = read.fleet()
        if not self.fleet.provided:
            raise Misconfigured(
                f"{', '.join(paths)}: the files have no object of a cluster",
                remedy="Name a folder, a file or a snapshot with VMs, VMIs, nodes and pods.",
            )

    def world(self) -> ObjectsWorld:
        """All objects that rules look up."""
        complete = self.fleet.complete & BY_CLASS.keys()
        if RunningVMI in self.fleet.complete:
            complete |= {VirtualMachineInstance}
        world = ObjectsWorld(map(with_labels_only, _looked_up(self.fleet)), complete, working_directory())
        fill(world, [Manifests(tuple(self._manifests), ())], ())
        return world

    def judged(self, *, vmis: bool) -> Iterator[ManifestObject]:
        """The VMIs, or the other objects of kinds that an audit judges. Adds those that cannot be read to ``problems``."""
        known: dict[Kind, set[Key]] = {}
        given: list[ManifestObject | _Text] = [*self._manifests, *self._texts]
        for one in given:
            kind = one.known if isinstance(one, ManifestObject) else one.kind
            if kind is not None and kind.judged and is_vmi(kind) is vmis and (manifest := self._read(one)) is not None:
                known.setdefault(kind, set()).add(_key(manifest))
                yield manifest
        for kind in JUDGED_KINDS:
            if is_vmi(kind) is vmis:
                yield from self._of_snapshots(kind, known.get(kind, set()))

    @contextmanager
    def noting_problems(self, one: ManifestObject) -> Generator[None]:
        """Adds an error in a rule to the problems: it must not prevent the judgement of other objects."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            message = f"not judged because of an internal error ({type(error).__name__})"
            source = name_of_live(one.kind, one.raw.get("metadata"))
            self.problems.append(BadInput(message, remedy="Report this error to the project.", source=source))

    def _read(self, one: ManifestObject | _Text) -> ManifestObject | None:
        if isinstance(one, ManifestObject):
            return one
        try:
            return one.read()
        except BadInput as problem:
            self.problems.append(problem)
            return None

    def _keep(self, kind: Kind, api_version: str, content: bytes | ManifestObject) -> None:
        if isinstance(content, ManifestObject):
            self._manifests.append(content)
        elif (known := BY_GROUP_KIND.get((kind.group, kind.kind))) is not None and known.judged:
            self._texts.append(_Text(known, api_version.rpartition("/")[2], content))

    def _of_snapshots(self, kind: Kind, known: set[Key]) -> Iterator[ManifestObject]:
        """The objects of snapshots, which have no manifest."""
        fleet_kind = FLEET_BY_CLASS[RunningVMI if is_vmi(kind) else kind.reads]
        for given, raw in plain_objects(self.fleet, fleet_kind, known):
            yield ManifestObject(str(raw["apiVersion"]), kind.kind, kind, given, raw, NOWHERE, ())


def is_vmi(kind: Kind) -> bool:
    """Whether the objects of a kind are VMIs."""
    return kind.reads is VirtualMachineInstance


def _key(manifest: ManifestObject) -> Key:
    return (manifest.object.namespace, manifest.object.name) if manifest.object is not None else ("", "")


def _looked_up(fleet: Fleet) -> Iterator[Kubernetes]:
    for kind in BY_CLASS:
        yield from fleet.given(RunningVMI if kind is VirtualMachineInstance else kind)


def _refuse(problems: Sequence[BadInput]) -> None:
    """Raises Misconfigured for the first problem."""
    for problem in problems[:1]:
        where = f"{problem.source}:{problem.line}" if problem.line else problem.source
        path = f": {problem.path}" if problem.path else ""
        more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
        message = f"{where}{path}: {problem.message}" if where else problem.message
        raise Misconfigured(f"{message}{more}", remedy=problem.remedy or "Correct the file.")
