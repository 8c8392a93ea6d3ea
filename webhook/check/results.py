"""The results of the files of a check, by number. Those of a large check are in a temporary file."""

from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias, overload

import msgspec

from webhook.check.check import FollowUp
from webhook.errors import BadInput
from webhook.report.model import UNKNOWN_FIELD, ObjectReport

if TYPE_CHECKING:
    from webhook.check.spill import SpillFile

Used: TypeAlias = frozenset[tuple[str, tuple[str, ...]]]
"""The labels and notes of releases."""
BLOCK = 64
"""Number of results that are written together."""
_MISSING, _IN_MEMORY = -2, -1
_MOST_DECODED = 32
"""
Number of decoded blocks in memory. Neighbours can be in several blocks: of the process that judged them, and of each time that
they were judged again.
"""


class FileResult(msgspec.Struct):
    """The part of the report that is about one file."""

    objects: list[ObjectReport]
    problems: tuple[BadInput, ...]
    used: Used
    """The releases in use. Most files share one value."""
    notes: tuple[str, ...] = ()
    """Notes about VMs that are not checked, because they are inside objects that are not read."""
    later: Sequence[FollowUp] = ()

    @property
    def needs_text(self) -> bool:
        """Whether the file has findings, or can have them after all files are judged. Reports show excerpts of its text."""
        return bool(self.later) or any(judged.findings for judged in self.objects)

    @property
    def can_be_written(self) -> bool:
        """
        Whether the result can be in a temporary file. The fix of a misspelt field contains the value of the field, which can
        be a secret, such as the value of a misspelt ``userData``.
        """
        return not (self.problems or self.notes or self.later) and not any(
            finding.rule == UNKNOWN_FIELD and finding.fixes for judged in self.objects for finding in judged.findings
        )


class Packed(msgspec.Struct):
    """Results of files without problems and notes, as bytes."""

    numbers: list[int]
    used: list[Used]
    counts: list[int]
    """The number of objects of each file."""
    objects: bytes
    """MessagePack of the objects of each file."""


def pack(results: dict[int, FileResult]) -> Packed:
    """Removes the results that can be in a temporary file from ``results``, and returns them."""
    numbers = [number for number, result in results.items() if result.can_be_written]
    taken = [results.pop(number) for number in numbers]
    objects = [result.objects for result in taken]
    return Packed(numbers, [result.used for result in taken], list(map(len, objects)), msgspec.msgpack.encode(objects))


class Results:
    """
    The results of a check, in the order of the files. A later result of a file replaces the earlier one.

    If the check ``is_large``, most results are in a temporary file, and each pass over the results reads the file.
    """

    def __init__(self, *, is_large: bool = False) -> None:
        self.is_large = is_large
        self._in_memory: dict[int, FileResult] = {}
        self._unpacked: list[int] = []
        """Numbers of results in memory that are written with the next block."""
        self._file: SpillFile | None = None
        self._blocks = array("i")
        """The block of each file, or a sign that the result is in memory or missing."""
        self._places = array("H")
        """The place of each file in its block."""
        self._used = array("I")
        """The place of the value of each file in ``_in_use``."""
        self._counts = array("I")
        """The number of objects of each file that is not in memory."""
        self._offsets = array("q")
        """The place of each block in the file."""
        self._in_use: list[Used] = []
        self._decoded: OrderedDict[int, list[list[ObjectReport]]] = OrderedDict()
        self._decoder: msgspec.msgpack.Decoder[list[list[ObjectReport]]] | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __setitem__(self, number: int, result: FileResult) -> None:
        self._place(number, _IN_MEMORY)
        self._in_memory[number] = result
        if self.is_large:
            self._unpacked.append(number)
            if len(self._unpacked) == BLOCK:
                block = {each: self._in_memory[each] for each in self._unpacked if each in self._in_memory}
                self._unpacked.clear()
                self.add(pack(block))

    def __getitem__(self, number: int) -> FileResult:
        block = self._blocks[number]
        if block == _IN_MEMORY:
            return self._in_memory[number]
        return FileResult(self._objects_of(block)[self._places[number]], (), self._in_use[self._used[number]])

    def __iter__(self) -> Iterator[FileResult]:
        return (self[number] for number, block in enumerate(self._blocks) if block != _MISSING)

    @property
    def in_memory(self) -> Iterator[FileResult]:
        """The results in memory. No other result has problems or notes, or objects that are judged later."""
        return (self._in_memory[number] for number in sorted(self._in_memory))

    @property
    def used(self) -> Used:
        """The releases in use."""
        places = {self._used[number] for number, block in enumerate(self._blocks) if block >= 0}
        found = [self._in_use[place] for place in places] + [result.used for result in self._in_memory.values()]
        return frozenset(chain.from_iterable(found))

    @property
    def object_count(self) -> int:
        """The number of objects in all results."""
        return sum(self._counts) + sum(len(result.objects) for result in self._in_memory.values())

    def objects(self) -> Iterator[ObjectReport]:
        """The objects of all results, in order."""
        for number, block in enumerate(self._blocks):
            if block >= 0:
                yield from self._objects_of(block)[self._places[number]]
            elif block == _IN_MEMORY:
                yield from self._in_memory[number].objects

    def add(self, packed: Packed) -> None:
        """Writes results to the file."""
        if not packed.numbers:
            return
        if self._file is None:
            from webhook.check.spill import SpillFile  # noqa: PLC0415 - only for large checks

            self._file = SpillFile()
        block = len(self._offsets)
        self._offsets.extend(self._file.append([packed.objects]))
        rows = zip(packed.numbers, packed.used, packed.counts, strict=True)
        for place, (number, used, count) in enumerate(rows):
            self._place(number, block)
            self._places[number] = place
            self._counts[number] = count
            if used not in self._in_use:  # a few values
                self._in_use.append(used)
            self._used[number] = self._in_use.index(used)

    def _place(self, number: int, block: int) -> None:
        while len(self._blocks) <= number:
            self._blocks.append(_MISSING)
            self._places.append(0)
            self._used.append(0)
            self._counts.append(0)
        self._count += self._blocks[number] == _MISSING
        self._in_memory.pop(number, None)
        self._counts[number] = 0
        self._blocks[number] = block

    def _objects_of(self, block: int) -> list[list[ObjectReport]]:
        if block in self._decoded:
            self._decoded.move_to_end(block)
            return self._decoded[block]
        assert self._file is not None  # noqa: S101 - narrows for the type checker
        if self._decoder is None:
            self._decoder = msgspec.msgpack.Decoder(list[list[ObjectReport]])
        decoded = self._decoded[block] = self._decoder.decode(self._file.read(self._offsets[block]))
        if len(self._decoded) > _MOST_DECODED:
            self._decoded.popitem(last=False)
        return decoded


class SpilledObjects(Sequence[ObjectReport]):
    """The objects of results in a temporary file. Each pass over them reads the file."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._count = results.object_count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ObjectReport]:
        return self._results.objects()

    @overload
    def __getitem__(self, index: int) -> ObjectReport: ...
    @overload
    def __getitem__(self, index: slice) -> list[ObjectReport]: ...
    def __getitem__(self, index: int | slice) -> ObjectReport | list[ObjectReport]:
        chosen = range(self._count)[index]
        if isinstance(chosen, int):
            return next(islice(self, chosen, None))
        objects = list(self)
        return [objects[each] for each in chosen]
