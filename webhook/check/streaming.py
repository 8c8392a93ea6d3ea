"""
Judges inputs as they are read, and keeps of each only what is said of it: memory for ten thousand files is that for one.

What an object is judged by may stand in a file that comes later. So it is noted what each file asked for, and who asked for
something that came later is read and judged again at the end: the answer is that of ``checking.check``, which a test holds.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

import msgspec

from webhook.check.check import Chosen, Settings, choose_release, examine
from webhook.errors import BadInput
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.snapshot import NO_SNAPSHOT, Snapshot
from webhook.facts.unknown import Fact, Found
from webhook.kubevirt.carriers import labels_alone
from webhook.manifests.objects import ManifestObject, Manifests, objects_in
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.report.model import ObjectReport, Report, object_report, report_of

K = TypeVar("K", bound=Kubernetes)

Question: TypeAlias = tuple[type[Kubernetes], str | None]
"""A kind, and a name in any namespace; no name stands for all objects of the kind."""
_THE_RELEASE: Question = (KubeVirt, None)


class GrowingWorld(ObjectsWorld):
    """Objects that come one by one, and the questions that were asked since ``asked`` was emptied."""

    def __init__(self, snapshot: Snapshot, background: Iterable[Kubernetes]) -> None:
        super().__init__((*snapshot.objects, *background), snapshot.complete)
        self.asked: set[Question] = set()

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """As ``ObjectsWorld``; the question is noted."""
        self.asked.add((kind, name))
        return super().find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """As ``ObjectsWorld``; the question is noted."""
        self.asked.add((kind, None))
        return super().every(kind)


class Said(msgspec.Struct):
    """What there is to say of one input."""

    objects: list[ObjectReport]
    problems: tuple[BadInput, ...]

    @property
    def has_findings(self) -> bool:
        """Whether anything was found in it."""
        return any(each.findings for each in self.objects)


def _nothing(*_: int) -> None:
    """Tells nobody how far it is."""


class OneByOne:
    """
    One check of many inputs; ``again`` reads the input of a number a second time.

    ``judged`` is called behind each object.
    """

    def __init__(
        self,
        settings: Settings,
        again: Callable[[int], Manifests],
        background: Iterable[ManifestObject] = (),
        snapshot: Snapshot = NO_SNAPSHOT,
        judged: Callable[[], None] = _nothing,
    ) -> None:
        """Raises BadInput for a release that cannot be judged."""
        self._settings = settings
        self._again = again
        self._judged = judged
        self._world = GrowingWorld(snapshot, objects_in(background))
        self._said: list[Said] = []
        self._askers: dict[Question, list[int]] = {}
        self._late: set[int] = set()
        self._chosen: Chosen = choose_release(settings.release, self._world)

    def add(self, manifests: Manifests) -> Said:
        """Judges one input by all that was read up to it."""
        number = len(self._said)
        for each in manifests.objects:
            if each.object is not None:
                self._take(each.object)
        said = self._say(manifests)
        for question in self._world.asked:
            self._askers.setdefault(question, []).append(number)
        self._said.append(said)
        return said

    def report(self, progress: Callable[[int, int], None] = _nothing) -> Report:
        """The answer, once all inputs were added; ``progress`` is told how many were judged again of how many."""
        if self._late:
            progress(0, len(self._late))
        for done, number in enumerate(sorted(self._late), 1):
            self._said[number] = self._say(self._again(number))
            progress(done, len(self._late))
        return report_of(
            [each for said in self._said for each in said.objects],
            [each for said in self._said for each in said.problems],
            profile=self._settings.policy.profile,
            release=self._chosen.label,
            notes=self._chosen.notes,
        )

    def _take(self, found: Kubernetes) -> None:
        """What was said by those who asked for it before is out of date."""
        kind = type(found)
        self._world.add(labels_alone(found))
        for question in ((kind, found.name), (kind, None)):
            self._late.update(self._askers.pop(question, ()))
        if kind is KubeVirt:
            self._chosen = choose_release(self._settings.release, self._world)

    def _say(self, manifests: Manifests) -> Said:
        self._world.asked = {_THE_RELEASE}
        objects: list[ObjectReport] = []
        for given in manifests.objects:
            found = examine(given, self._world, self._settings, self._chosen.releases)
            objects += [object_report(each) for each in found]
            self._judged()
        return Said(objects, manifests.problems)
