"""
Judges the files of a check in several processes. The report is the same as the report of one process.

The parent judges a few files and all streams, so that the workers start with all imports and caches. Then it hands out the
other files in blocks, collects the results, and passes on the objects that other processes looked up (see ``sharing``). While it
waits for results, it judges blocks itself.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from webhook.check.lookups import Keys, Stated
from webhook.check.processes import Crashed, Processes
from webhook.check.results import FileResult, Results
from webhook.check.sharing import (
    Begin,
    FilesJudged,
    GiveObjects,
    JudgeAgain,
    JudgeFiles,
    LookupsStated,
    NamesStated,
    Part,
    SharingJudge,
    StateNames,
    judge_files,
    take_wanted,
)
from webhook.check.streaming import ignore, report_on_files
from webhook.errors import Unavailable, WebhookError
from webhook.manifests.files import Inputs
from webhook.manifests.objects import Manifests
from webhook.manifests.sources import Sources
from webhook.report.model import Report

FIRST = 16
"""
Number of files that the parent judges before it starts the workers. They are spread over all files, so that they need most of the
modules that any file needs. A module that is imported later is imported in each process.
"""
BLOCK = 64
"""Maximum number of files in a block. A block has neighbours, because files of one folder often refer to each other."""
_SHARES = 4
"""Each process gets the remaining files in at least so many blocks, so that all processes end at about the same time."""
_SMALLEST = 8
"""Number of files below which blocks do not become smaller, because each block takes two messages."""
_AHEAD = 2
"""Number of blocks that a worker has at the same time, so that it does not wait for the parent."""


class ParallelCheck:
    """
    A check of ``inputs`` in ``count`` processes, and of ``extra`` manifests without objects after the inputs.

    ``begun`` is called after each file of the parent. ``progress`` gets the number of judged files and the number of all files,
    ``objects`` the number of objects in each part, and ``again`` the number of files that are judged again, and their total.
    """

    def __init__(
        self,
        judge: SharingJudge,
        inputs: Inputs,
        sources: Sources,
        extra: Sequence[Manifests] = (),
        *,
        count: int,
        is_large: bool = False,
        begun: Callable[[], None] = ignore,
        progress: Callable[[int, int], None] = ignore,
        objects: Callable[[int], None] = ignore,
        again: Callable[[int, int], None] = ignore,
    ) -> None:
        self._judge = judge
        self._inputs = inputs
        self._sources = sources
        self._extra = extra
        self._count = count
        self._begun = begun
        self._progress = progress
        self._objects = objects
        self._again = again
        self._results = Results(is_large=is_large)
        self._read: dict[int, tuple[int, Sources]] = {}
        """The number of files, and their texts and names, of each part after a file that is not judged yet, by its first file."""
        self._following = 0
        """The first file whose text and name are not in ``sources``, because it is not judged yet."""
        self._failures: list[tuple[int, WebhookError]] = []
        """The files with an error that ends the check."""
        self._later: set[int] = set()
        """The files with objects that are judged after all files."""
        self._pending: list[list[bytes]] = []
        """Objects of other processes, for each process."""

    def report(self) -> Report:
        """
        The report on all files.

        Raises Unavailable if a process fails, and the error of the first file with an error that ends the check.
        """
        remaining = self._judge_first()
        for number, manifests in enumerate(self._extra, len(self._inputs)):
            self._results[number] = FileResult([], manifests.problems, frozenset(), manifests.notes)
        processes = Processes(self._count, self._part_of_worker, self._part)
        try:
            self._judge_in(processes, remaining)
        except Crashed as crash:
            what, file = f"a process of the check {crash.reason}", self._inputs.name(crash.number)
            raise Unavailable(
                f"{file}: {what} while it checked this file" if file else what,
                remedy="Check in one process: --jobs 1.",
            ) from None
        finally:
            processes.close()
        for number in self._later:
            manifests, result = self._read_once_more(number), self._results[number]
            result.later = self._judge.follow_ups(manifests)
            result.problems = manifests.problems  # the file may have disappeared
            self._results[number] = result
        return report_on_files(self._results, self._judge, self._read_once_more)

    def _part_of_worker(self, begin: Begin) -> Callable[[Any], Iterator[Any]]:
        """In a worker: answers requests."""
        self._judge.leave_files()
        # a worker needs no results, and the writes of the parent would copy the memory that both share
        self._results = Results(is_large=self._results.is_large)
        return self._part(begin)

    def _part(self, begin: Begin) -> Callable[[Any], Iterator[Any]]:
        """In any process: answers requests. All processes have the objects that were read before."""
        self._judge.leave_objects()
        return Part(self._judge, self._inputs, self._sources, begin, is_large=self._results.is_large).answer

    def _read_once_more(self, number: int) -> Manifests:
        """Reads a file for the objects that are judged later. The results do not change."""
        is_stream = self._inputs.is_stream(number)  # it can be read only once, so its text is kept
        return self._inputs.read_into(number, self._sources if is_stream else self._sources.apart())

    def _judge_first(self) -> "array[int]":
        """
        Judges the files that are judged before the workers start. Returns the others, or those before a file with an error that
        ends the check.
        """
        end = len(self._inputs)
        streams = [number for number in range(end) if self._inputs.is_stream(number)]
        files = array("I", (number for number in range(end) if not self._inputs.is_stream(number)))
        judged = set[int]()
        for number in (*streams, *files[:: max(1, len(files) // FIRST)]):
            judged.add(number)
            self._keep(judge_files(self._inputs, self._sources, [number], self._judge.add, ignore))
            self._begun()
            if self._failures:
                end = number
                break
        return array("I", (number for number in files if number < end and number not in judged))

    def _keep(self, judged: FilesJudged) -> None:
        """Keeps results of files that were judged for the first time."""
        numbers = self._add_results(judged)
        self._later.update(judged.later)
        if judged.failure is not None:
            self._failures.append(judged.failure)
        if numbers:
            self._read[min(numbers)] = len(numbers), judged.sources
        while self._following in self._read:
            count, sources = self._read.pop(self._following)
            self._sources.add(sources)
            self._following += count
        self._objects(judged.objects)
        self._progress(len(self._results), len(self._inputs))

    def _judge_in(self, processes: Processes, files: "array[int]") -> None:
        """Judges files in all processes."""
        everyone = range(len(processes))
        self._pending = [[] for _ in everyone]
        self._hand_out(processes, _blocks(files, len(processes)))
        stated: Mapping[int, NamesStated] = _ask(processes, {index: StateNames() for index in everyone})
        names = [stated[index].names for index in everyone]
        lookups = [stated[index].lookups for index in everyone]
        is_first = True
        while self._exchange(processes, names, lookups) or is_first:
            is_first = False
            lookups = self._judge_again(processes)
        if self._later:
            *workers, _ = everyone
            given = _ask(processes, {index: GiveObjects(names[index]) for index in workers})
            self._judge.take(each.objects for each in given.values())

    def _hand_out(self, processes: Processes, blocks: "Iterator[array[int]]") -> None:
        """Hands out all blocks. Raises the error of the first file with an error that ends the check."""
        *workers, own = range(len(processes))
        waiting = 0
        for index, block in zip([*workers * _AHEAD, own], blocks, strict=False):
            processes.send(index, JudgeFiles(list(block)))
            waiting += 1
        while waiting:
            index, judged = processes.receive()
            self._keep(judged)
            self._pass_on(index, judged.announced)
            if judged.failure is not None:
                blocks = iter(())  # blocks are handed out in order, so the first error is in a block that a process has
            following = next(blocks, None)
            if following is not None:
                processes.send(index, JudgeFiles(list(following), self._take_pending(index)))
            else:
                waiting -= 1
        if self._failures:
            raise min(self._failures, key=lambda failure: failure[0])[1]

    def _pass_on(self, origin: int, objects: bytes) -> None:
        """Passes objects of a process on to all other processes."""
        if objects:
            for index, pending in enumerate(self._pending):
                if index != origin:
                    pending.append(objects)

    def _take_pending(self, index: int) -> tuple[bytes, ...]:
        pending = tuple(self._pending[index])
        self._pending[index].clear()
        return pending

    def _exchange(self, processes: Processes, names: Sequence[Keys], lookups: Sequence[Stated]) -> bool:
        """Passes on the objects that another process looked up. Returns whether there were any."""
        requests = {}
        for index, own in enumerate(names):
            found = take_wanted(own, [stated for origin, stated in enumerate(lookups) if origin != index])
            if found:
                requests[index] = GiveObjects(found)
        for index, given in _ask(processes, requests).items():
            self._pass_on(index, given.objects)
        return bool(requests)

    def _judge_again(self, processes: Processes) -> list[Stated]:
        """Judges outdated files again, and returns the new lookups of each process."""
        for index in range(len(processes)):
            processes.send(index, JudgeAgain(self._take_pending(index)))
        lookups = [Stated(set(), {}) for _ in range(len(processes))]
        remaining = dict.fromkeys(range(len(processes)), 0)
        waiting, done = len(processes), 0
        while waiting:
            index, reply = processes.receive()
            if isinstance(reply, LookupsStated):
                lookups[index] = reply.lookups
                waiting -= 1
                continue
            self._keep_again(reply)
            done += reply.count
            remaining[index] = reply.outdated
            self._again(done, done + sum(remaining.values()))
        return lookups

    def _add_results(self, judged: FilesJudged) -> list[int]:
        """Adds results. Returns the numbers of their files."""
        for number, result in judged.results.items():
            self._results[number] = result
        if judged.packed is None:
            return list(judged.results)
        self._results.add(judged.packed)
        return [*judged.results, *judged.packed.numbers]

    def _keep_again(self, judged: FilesJudged) -> None:
        """Replaces results. Raises an error that ends the check, such as a temporary file that cannot be read."""
        if judged.failure is not None:
            raise judged.failure[1]
        self._add_results(judged)
        self._sources.add(judged.sources)


def _blocks(files: "array[int]", processes: int) -> "Iterator[array[int]]":
    """The files in blocks, which become smaller towards the end. A block has no gap, so that texts stay in the order of files."""
    start = 0
    while start < len(files):
        share = (len(files) - start) // (processes * _SHARES)
        end = min(start + min(BLOCK, max(_SMALLEST, share)), len(files))
        while files[end - 1] - files[start] != end - 1 - start:
            end -= 1
        yield files[start:end]
        start = end


def _ask(processes: Processes, requests: Mapping[int, Any]) -> dict[int, Any]:
    """Sends a request to each of some processes, and returns the replies by process."""
    for index, request in requests.items():
        processes.send(index, request)
    return dict(sorted(processes.receive() for _ in requests))
