"""
Judges a part of the files of a check, and exchanges objects with the processes that judge the other parts.

An object crosses only if another process looked it up:

1. Some objects are announced with the next result, because other files probably look them up: objects of a kind of which every
   object is looked up, such as the KubeVirt CR, and those of files in which no object is judged, such as a folder of PVCs.
2. When all files are judged, each process states its lookups and the names of its own objects.
3. The objects that another process looked up are given to all processes. Each process judges its outdated files again, and
   states its new lookups. This step is repeated until no object is missing.

Objects and results cross as pickles. A pickle restores exactly what was read, and keeps what objects share.
"""

import _pickle as pickle  # as in ``processes``
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.check.lookups import Keys, Stated, Unstated, key_of
from webhook.check.processes import pickled
from webhook.check.results import FileResult, Packed, pack
from webhook.check.streaming import RELEASE, FileJudge, ignore
from webhook.errors import WebhookError
from webhook.manifests.files import Inputs
from webhook.manifests.objects import Manifests, is_relevant
from webhook.manifests.sources import Sources
from webhook.objects.meta import Kubernetes

_Placed: TypeAlias = list[tuple[Kubernetes, str]]
"""Objects with their files."""
Begin: TypeAlias = Callable[[int], None]
"""Records the number of the file that a process reads."""
_PART = 64
"""Number of files whose results cross together."""
_PART_OF_KEYS = 8_000
"""Number of looked-up names that are compared together, up to ``_MOST_PARTS`` parts. With more names, the parts grow."""
_MOST_PARTS = 16
"""Largest number of parts. Each part is a pass over all names, so the time would grow with the square of their number."""


class JudgeFiles(msgspec.Struct):
    """Requests the judgement of files. Answered by ``FilesJudged``."""

    numbers: list[int]
    objects: tuple[bytes, ...] = ()
    """Objects of other processes."""


class StateNames(msgspec.Struct):
    """Requests the names of the own objects. Answered by ``NamesStated``."""


class GiveObjects(msgspec.Struct):
    """Requests own objects. Answered by ``ObjectsGiven``."""

    names: Keys


class JudgeAgain(msgspec.Struct):
    """Requests the judgement of all outdated files. Answered by ``FilesJudged`` for each part, and ``LookupsStated``."""

    objects: tuple[bytes, ...] = ()


Request: TypeAlias = JudgeFiles | StateNames | GiveObjects | JudgeAgain


class FilesJudged(msgspec.Struct):
    """Results by the numbers of the files."""

    results: dict[int, FileResult]
    sources: Sources
    """The texts and names of these files."""
    packed: Packed | None = None
    """The results for a temporary file, if the check is large. ``results`` has the others."""
    later: list[int] = []
    """The files with objects that are judged after all files."""
    objects: int = 0
    """The number of objects in these files."""
    announced: bytes = b""
    """Own objects that all processes need."""
    outdated: int = 0
    """The number of files that are still to be judged again."""
    failure: tuple[int, WebhookError] | None = None
    """The number of a file, and its error, which ends the check."""

    @property
    def count(self) -> int:
        """The number of files."""
        return len(self.results) + (len(self.packed.numbers) if self.packed is not None else 0)


class NamesStated(msgspec.Struct):
    """The names of the own objects that are not yet given, and all lookups."""

    names: Keys
    lookups: Stated


class ObjectsGiven(msgspec.Struct):
    """Own objects."""

    objects: bytes


class LookupsStated(msgspec.Struct):
    """The lookups since the last statement."""

    lookups: Stated


Reply: TypeAlias = FilesJudged | NamesStated | ObjectsGiven | LookupsStated


class SharingJudge(FileJudge):
    """A judge that records its own objects, which no other process has, and its lookups."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the arguments of FileJudge
        super().__init__(*args, **kwargs)
        self._own: dict[type[Kubernetes], dict[str, _Placed]] = {}
        self._every = {kind for kind, _ in RELEASE}
        """The kinds of which every object was looked up."""
        self._is_for_others = False
        """Whether no object of the current file is judged."""
        self._announced: _Placed = []
        self._unstated = Unstated()

    def leave_files(self) -> None:
        """Leaves the files that were judged before to the process that judged them."""
        self._judged = ignore
        self._users.clear()
        self.outdated.clear()
        self._unstated.clear()

    def leave_objects(self) -> None:
        """Makes the objects that were read before objects of all processes."""
        self._own.clear()
        self._announced.clear()

    def add(self, number: int, manifests: Manifests) -> FileResult:
        """Judges an own file."""
        self._is_for_others = not any(map(is_relevant, manifests.objects))
        return super().add(number, manifests)

    def add_object(self, added: Kubernetes, source: str) -> None:
        """Adds an own object."""
        super().add_object(added, source)
        if self._is_for_others or type(added) in self._every:
            self._announced.append((added, source))
        else:
            self._own.setdefault(type(added), {}).setdefault(added.name, []).append((added, source))

    def judge(self, number: int, manifests: Manifests) -> FileResult:
        """Judges a file, and records its lookups."""
        result = super().judge(number, manifests)
        self._every.update(kind for kind, name in self._unstated.add(self.world.lookups) if name is None)
        return result

    def take(self, pickles: Iterable[bytes]) -> None:
        """Adds objects of other processes."""
        for objects in pickles:
            for added, source in pickle.loads(objects):  # from a process of this check
                super().add_object(added, source)
        self.world.store(self.give_to_file)

    def give_to_file(self, kind: type[Kubernetes], name: str) -> bool:
        """Leaves an object to the file. Returns whether the object was an own object."""
        of_kind = self._own.get(kind, {})
        unnamed = [placed for placed in of_kind.get(name, ()) if not placed[0].meta.name]  # only a name for a lookup
        is_own = len(unnamed) < len(of_kind.pop(name, ()))
        if unnamed:
            of_kind[name] = unnamed
        return is_own

    def announce(self) -> bytes:
        """Own objects that all processes need, and that were not announced before."""
        announced, self._announced = self._announced, []
        return pickled(announced) if announced else b""

    def names(self) -> Keys:
        """The names of own objects that are not yet given to the other processes."""
        names = {kind: array("I", (key_of(hash(name)) for name in objects)) for kind, objects in self._own.items()}
        for kind, stored in self.world.stored.items():
            names.setdefault(kind, array("I")).extend(stored.own_keys())
        return names

    def give(self, names: Keys) -> bytes:
        """The own objects of these names, which are then objects of all processes."""
        given: _Placed = []
        for kind, keys in names.items():
            asked = set(keys)
            of_kind = self._own.get(kind, {})
            for name in [name for name in of_kind if key_of(hash(name)) in asked]:
                given += of_kind.pop(name)
            if (stored := self.world.stored.get(kind)) is not None:
                given += ((candidate.object, candidate.source) for candidate in stored.own(asked))
        return pickled(sorted(given, key=lambda placed: placed[0].name))

    def state_lookups(self) -> Stated:
        """The lookups since the last call."""
        return self._unstated.state()


def take_wanted(names: Keys, lookups: Sequence[Stated]) -> Keys:
    """Removes the names that lookups cover, and returns them."""
    found: Keys = {}
    for kind, keys in names.items():
        if any(kind in stated.every for stated in lookups):
            covered, others = keys, array("I")
        else:
            covered, others = _split_by_lookup(keys, [stated.names[kind] for stated in lookups if kind in stated.names])
        if covered:
            found[kind], names[kind] = covered, others
    return found


def _split_by_lookup(keys: "array[int]", looked_up: "Sequence[array[int]]") -> "tuple[array[int], array[int]]":
    """
    Splits keys into those in ``looked_up`` and the others. Compares them in parts, because a set of all keys of a large check
    takes megabytes.
    """
    if not looked_up:
        return array("I"), keys
    wanted, others = array("I"), array("I")
    parts = min(sum(map(len, looked_up)) // _PART_OF_KEYS + 1, _MOST_PARTS)
    for part in range(parts):
        asked = {key for names in looked_up for key in names if key % parts == part}
        for key in keys:
            if key % parts == part:
                (wanted if key in asked else others).append(key)
    return wanted, others


def judge_files(
    inputs: Inputs,
    sources: Sources,
    numbers: Iterable[int],
    judge: Callable[[int, Manifests], FileResult],
    begin: Begin,
    *,
    is_large: bool = False,
) -> FilesJudged:
    """
    Judges files. ``begin`` is called with the number of each file before the file is read.

    The texts are not added to ``sources``, except those of streams, which can be read only once.
    """
    apart = sources.apart()
    judged = FilesJudged({}, apart)
    for number in numbers:
        begin(number)
        manifests = inputs.read_into(number, sources if inputs.is_stream(number) else apart)
        try:
            result = judge(number, manifests)
        except WebhookError as error:
            judged.failure = number, error
            break
        if result.later:
            judged.later.append(number)
            result.later = ()
        elif not result.needs_text:
            inputs.forget(number, apart)
        elif is_large:
            inputs.release(number, apart)
        judged.results[number] = result
        judged.objects += len(manifests.objects)
    return judged


class Part:
    """Answers the requests to the process that judges a part of the files."""

    def __init__(
        self, judge: SharingJudge, inputs: Inputs, sources: Sources, begin: Begin, *, is_large: bool = False
    ) -> None:
        if is_large:
            judge.world.keep_in_file()  # not before the fork, because processes cannot share a file
        self._judge = judge
        self._inputs = inputs
        self._sources = sources
        self._begin = begin
        self._is_large = is_large

    def answer(self, request: Request) -> Iterator[Reply]:
        """The replies to one request."""
        if isinstance(request, JudgeFiles):
            self._judge.take(request.objects)
            yield self._judged(request.numbers, self._judge.add)
        elif isinstance(request, StateNames):
            yield NamesStated(self._judge.names(), self._judge.state_lookups())
        elif isinstance(request, GiveObjects):
            yield ObjectsGiven(self._judge.give(request.names))
        else:
            self._judge.take(request.objects)
            outdated = sorted(self._judge.outdated)
            for start in range(0, len(outdated), _PART):
                yield self._judged(outdated[start : start + _PART], self._judge.judge)
            yield LookupsStated(self._judge.state_lookups())

    def _judged(self, numbers: Iterable[int], judge: Callable[[int, Manifests], FileResult]) -> FilesJudged:
        judged = judge_files(self._inputs, self._sources, numbers, judge, self._begin, is_large=self._is_large)
        judged.announced = self._judge.announce()
        judged.outdated = len(self._judge.outdated)
        if self._is_large:
            judged.packed = pack(judged.results)
        return judged
