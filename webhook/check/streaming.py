"""
Judges each file when it is read, and keeps only its part of the report. Memory does not grow with the size of the files.

A file can refer to an object in a later file. So the lookups of each file are recorded. If a later file contains an object that
an earlier file looked up, the earlier file is read and judged again at the end. The report is the same as the report of
``check.check``. A test compares the two reports.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from webhook.check.check import (
    FollowUp,
    ReleaseChoice,
    Settings,
    choose_release,
    examine,
    fill,
    is_judged_later,
    report_on,
    with_later,
    working_directory,
)
from webhook.check.lookups import Lookup, Users
from webhook.check.results import FileResult, Results, SpilledObjects, Used
from webhook.facts.candidates import Viewer
from webhook.facts.objects_world import NO_SNAPSHOT, Choice, ObjectsWorld, Snapshot
from webhook.facts.unknown import Fact, Found
from webhook.kubevirt.subject import with_labels_only
from webhook.manifests.objects import ManifestObject, Manifests, placed_in
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine
from webhook.report.building import object_report
from webhook.report.model import ObjectReport, Report

if TYPE_CHECKING:
    from webhook.check.stored_objects import StoredObjects

K = TypeVar("K", bound=Kubernetes)

RELEASE: frozenset[Lookup] = frozenset(((KubeVirt, None), (HyperConverged, None)))
"""The lookups that choose the release."""
MANY = 100
"""From so many objects of a kind, a list of them is not made for each file."""


class GrowingWorld(ObjectsWorld):
    """
    A growing set of objects. ``lookups`` records all lookups since it was last reset.

    While objects are still added (``is_growing``), a list of many objects is out of date after the next file. Then the world does
    not make the list, because making it for each file takes a time that grows with the square of the number of files. It
    returns an empty list and sets ``is_outdated``: the file must be judged again.
    """

    def __init__(self, snapshot: Snapshot, background: Iterable[tuple[Kubernetes, str]]) -> None:
        super().__init__(snapshot.objects, snapshot.complete, working_directory())
        self.lookups: set[Lookup] = set()
        self.is_growing = False
        self.is_outdated = False
        self.stored: dict[type[Kubernetes], StoredObjects] = {}
        """The objects of a large check, of the kinds that can be in a file."""
        fill(self, (), background)

    def keep_in_file(self) -> None:
        """Keeps most objects in a temporary file from now on."""
        from webhook.check.spill import SpillFile  # noqa: PLC0415 - only for large checks
        from webhook.check.stored_objects import STORED, StoredObjects  # noqa: PLC0415

        file = SpillFile()
        for kind in STORED:
            objects = StoredObjects(kind, file, dict(self._placed[kind].items()) if kind in self._placed else {})
            self._placed[kind] = self.stored[kind] = objects

    def store(self, is_own: Callable[[type[Kubernetes], str], bool]) -> None:
        """Writes objects to the file if there are many in memory. ``is_own`` is called for each name that is written."""
        for kind, objects in self.stored.items():
            if len(objects.recent) > objects.most_recent:
                objects.store(partial(is_own, kind))

    def find_from(self, viewer: Viewer, kind: type[K], namespace: str, name: str) -> tuple[Found[K], Choice | None]:
        """Looks up as ``ObjectsWorld`` does, and records the lookup."""
        self.lookups.add((kind, name))
        return super().find_from(viewer, kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Looks up as ``ObjectsWorld`` does, and records the lookup."""
        self.lookups.add((kind, None))
        known = self._lists.get(kind)
        if known is not None:
            return known  # type: ignore[return-value] # the class is the key
        return () if self._leaves_out(kind) else super().every(kind)

    def every_from(self, viewer: Viewer, kind: type[K]) -> tuple[Fact[tuple[K, ...]], Sequence[Choice]]:
        """Looks up as ``ObjectsWorld`` does, and records the lookup."""
        self.lookups.add((kind, None))
        return ((), ()) if self._leaves_out(kind) else super().every_from(viewer, kind)

    def _leaves_out(self, kind: type[Kubernetes]) -> bool:
        """Whether a list is left out. If no object was added since the last list, that list is used."""
        if not self.is_growing or kind in self._lists or len(self._placed.get(kind, ())) < MANY:
            return False
        self.is_outdated = True
        return True


def ignore(*_: object) -> None:
    """No progress display, and nothing else to do."""


class FileJudge:
    """
    Judges files by number, in a world that grows with each file.

    ``outdated`` has the numbers of the files that looked up an object that was added later, or a list that was left out.
    """

    def __init__(
        self,
        settings: Settings,
        background: Iterable[ManifestObject] = (),
        snapshot: Snapshot = NO_SNAPSHOT,
        judged: Callable[[], None] = ignore,
        settings_of: Callable[[str], Settings | None] | None = None,
    ) -> None:
        """Raises BadInput for a release that cannot be judged."""
        self.settings = settings
        self.world = GrowingWorld(snapshot, placed_in(background))
        self.release: ReleaseChoice = choose_release(settings.release, self.world)
        self.outdated: set[int] = set()
        self._judged = judged
        self._settings_of = settings_of
        self._users = Users()
        self._used: dict[Used, Used] = {}

    def add(self, number: int, manifests: Manifests) -> FileResult:
        """Judges one file. Its references are looked up in this file and in all objects that were added before."""
        for added, source in placed_in(manifests.objects):
            self.add_object(with_labels_only(added), source)
        if self.world.stored:
            self.world.store(self.give_to_file)
        self.world.is_growing, self.world.is_outdated = True, False
        result = self.judge(number, manifests)
        self.world.is_growing = False
        if self.world.is_outdated:
            self.outdated.add(number)
        return result

    def add_object(self, added: Kubernetes, source: str) -> None:
        """Adds an object. The files that looked up this object are outdated."""
        kind = type(added)
        self.world.add(added, source)
        self.outdated.update(self._users.of(kind, added.name))
        if kind is KubeVirt or kind is HyperConverged:
            self.release = choose_release(self.settings.release, self.world)

    def judge(self, number: int, manifests: Manifests) -> FileResult:
        """Judges a file whose objects are in the world, and records its lookups."""
        self.outdated.discard(number)
        self.world.lookups = set(RELEASE)
        objects: list[ObjectReport] = []
        used: set[tuple[str, tuple[str, ...]]] = set()
        for manifest in manifests.objects:
            settings, release = self._chosen(manifest.document.source)
            judged = examine(manifest, self.world, settings, release)
            if judged is not None:
                objects.append(object_report(judged))
                used.add((judged.release, judged.notes))
            self._judged()
        self._users.add(self.world.lookups, number)
        in_use = frozenset(used)
        in_use = self._used.setdefault(in_use, in_use)
        return FileResult(objects, manifests.problems, in_use, manifests.notes, self.follow_ups(manifests))

    def give_to_file(self, kind: type[Kubernetes], name: str) -> bool:
        """Called for an object that is written to a file. Returns whether only this process has the object."""
        return False

    def follow_ups(self, manifests: Manifests) -> list[FollowUp]:
        """The objects of a file that are judged after all files."""
        return [
            FollowUp(manifest, *self._chosen(manifest.document.source))
            for manifest in manifests.objects
            if is_judged_later(manifest)
        ]

    def _chosen(self, source: str) -> tuple[Settings, ReleaseChoice]:
        """The settings for a file, and the release to use unless a KubeVirt CR in a nearer folder sets one."""
        settings = self._settings_of(source) if self._settings_of is not None else None
        if settings is None:
            return self.settings, self.release
        return settings, choose_release(settings.release, self.world)


class StreamingCheck:
    """
    A check of many files, one after another. ``reread`` reads a file again, given its number.

    ``judged`` is called after each object.
    """

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[int], Manifests],
        background: Iterable[ManifestObject] = (),
        snapshot: Snapshot = NO_SNAPSHOT,
        judged: Callable[[], None] = ignore,
        settings_of: Callable[[str], Settings | None] | None = None,
        *,
        is_large: bool = False,
    ) -> None:
        """
        ``is_large`` means that results and objects are kept in temporary files. Raises BadInput for a release that cannot be
        judged.
        """
        self._judge = FileJudge(settings, background, snapshot, judged, settings_of)
        if is_large:
            self._judge.world.keep_in_file()
        self._reread = reread
        self._results = Results(is_large=is_large)

    def add(self, manifests: Manifests) -> FileResult:
        """Judges one file. Its references are looked up in this file and in all earlier files."""
        result = self._judge.add(len(self._results), manifests)
        self._results[len(self._results)] = result
        return result

    def report(
        self,
        progress: Callable[[int, int], None] = ignore,
        judged_again: Callable[[int, FileResult], None] = ignore,
    ) -> Report:
        """
        The report on all files. ``progress`` gets the number of files that are already judged again, and the total.
        ``judged_again`` gets each file that is judged again, and its result.
        """
        outdated = sorted(self._judge.outdated)
        if outdated:
            progress(0, len(outdated))
        for done, number in enumerate(outdated, 1):
            result = self._results[number] = self._judge.judge(number, self._reread(number))
            judged_again(number, result)
            progress(done, len(outdated))
        return report_on_files(self._results, self._judge, self._reread)


def report_on_files(results: Results, judge: FileJudge, reread: Callable[[int], Manifests]) -> Report:
    """The report on judged files, after the objects that are judged later. ``judge`` knows all objects that these look up."""
    later = [one for result in results.in_memory for one in result.later]
    problems = [problem for result in results.in_memory for problem in result.problems]
    notes = [note for result in results.in_memory for note in result.notes]
    files = _files_of_vms(results) if later else {}

    def manifests_with(vms: Collection[str]) -> Iterator[ManifestObject]:
        """Reads the files that contain VMs with these names again."""
        for number in sorted({number for vm in vms for number in files.get(vm, ())}):
            yield from reread(number).objects

    objects: Sequence[ObjectReport] = SpilledObjects(results)
    if later or not results.is_large:
        objects, more = with_later(list(objects), later, judge.world, manifests_with)
        notes += more
    return report_on(objects, problems, judge.settings, judge.release, results.used, notes)


def _files_of_vms(results: Results) -> dict[str, list[int]]:
    """The numbers of the files with a VM, by its name."""
    files: dict[str, list[int]] = {}
    for number, result in enumerate(results):
        for judged in result.objects:
            if judged.kind == VirtualMachine.__name__:
                files.setdefault(judged.name, []).append(number)
    return files
