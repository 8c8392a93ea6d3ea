"""The processes of a check: how they start, fail and end."""

import json
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.check import environments
from tests.check.in_processes import FORKED, OTHERS, in_processes, named, no_child, small_blocks
from tests.check.test_migration_requests import CLAIM, vm, vmim
from webhook.check import parallel
from webhook.check.check import Settings, check
from webhook.check.parallel import ParallelCheck
from webhook.check.processes import Processes
from webhook.check.sharing import SharingJudge
from webhook.errors import BadInput, Unavailable
from webhook.manifests.files import Inputs
from webhook.manifests.objects import Manifests
from webhook.manifests.sources import Sources

pytestmark = FORKED
__all__ = ["no_child", "small_blocks"]  # fixtures


OF_WORKER, OF_PARENT = 3, 5
"""Two files of a check in two processes. The worker gets the first two blocks, and the parent the third one."""


class Ending(SharingJudge):
    """Ends the worker at one file."""

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == OF_WORKER:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().judge(number, manifests)


class Failing(SharingJudge):
    """Fails at two files, the later one sooner."""

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number in (3, 7):
            raise BadInput(f"error {number}", remedy="Correct it.")
        return super().judge(number, manifests)


class Broken(SharingJudge):
    """Has a bug."""

    at = OF_WORKER

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == self.at:
            raise ZeroDivisionError("the content of an object")
        return super().judge(number, manifests)


class BrokenInParent(Broken):
    """Has a bug that the parent finds."""

    at = OF_PARENT


class Unwritable(SharingJudge):
    """Cannot store what it looks up."""

    parent = os.getpid()

    def state_lookups(self) -> Any:
        if os.getpid() != self.parent:
            raise Unavailable("the temporary file: No space left on device", remedy="Free space.")
        return super().state_lookups()


class Interrupted(SharingJudge):
    """Interrupts all processes while they work."""

    parent = os.getpid()
    at = OF_WORKER

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == self.at:
            os.kill(os.getpid(), signal.SIGINT)  # a worker ignores Ctrl-C
            os.kill(self.parent, signal.SIGINT)
            signal.pause()
        return super().judge(number, manifests)


class InterruptedInParent(Interrupted):
    """Interrupts the parent while it judges a file."""

    at = OF_PARENT


def test_an_error_of_a_worker_between_files_is_the_error_of_the_check() -> None:
    """
    Such as a full disk, when no file is judged.
    """
    Unwritable.parent = os.getpid()

    with pytest.raises(Unavailable) as raised:
        in_processes(named(*OTHERS), 2, Settings(), judge=Unwritable)

    assert (str(raised.value), raised.value.remedy) == ("the temporary file: No space left on device", "Free space.")


@pytest.mark.parametrize(
    ("judge", "number", "reason"),
    [
        (Ending, OF_WORKER, "was ended by SIGKILL"),
        (Broken, OF_WORKER, "failed with ZeroDivisionError"),
        (BrokenInParent, OF_PARENT, "failed with ZeroDivisionError"),
    ],
)
def test_a_process_that_ends_is_an_error_with_the_name_of_its_file(
    judge: type[SharingJudge], number: int, reason: str
) -> None:
    """
    The error says how the process ended, and how to check without it. It contains nothing of an object.
    """
    with pytest.raises(Unavailable) as raised:
        in_processes(named(*OTHERS), 2, Settings(), judge=judge)

    assert raised.value.message == f"{number}.yaml: a process of the check {reason} while it checked this file"
    assert raised.value.remedy == "Check in one process: --jobs 1."


def test_a_program_that_ignores_the_end_of_children_can_start_a_check() -> None:
    """
    The setting is inherited. Then the system keeps no status of a worker that has ended.
    """
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_processes(named(*OTHERS), 2, Settings()) == check(named(*OTHERS), Settings())
        with pytest.raises(Unavailable, match=r"3\.yaml: a process of the check ended while"):
            in_processes(named(*OTHERS), 2, Settings(), judge=Ending)
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_error_of_the_first_file_ends_a_check(count: int) -> None:
    """
    It is the same error as that of one process.
    """
    with pytest.raises(BadInput, match="error 3"):
        in_processes(named(*OTHERS), count, Settings(), judge=Failing)


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_that_is_found_earlier_does_not_hide_that_of_an_earlier_file(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The parent judges file 7 before it starts the workers.
    """
    monkeypatch.setattr(parallel, "FIRST", 2)

    with pytest.raises(BadInput, match="error 3"):
        in_processes(named(*OTHERS, *OTHERS[:6]), count, Settings(), judge=Failing)


def test_a_file_that_disappears_before_it_is_judged_is_a_problem(tmp_path: Path) -> None:
    """
    Migration requests are judged after all files, and their files are read again. They are not left out silently.
    """
    for name, objects in {"a": [vm()], "b": [CLAIM], "c": [vmim()], "d": []}.items():
        (tmp_path / f"{name}.yaml").write_text("\n---\n".join(map(json.dumps, objects)))

    def disappear(done: int, total: int) -> None:
        if done == total:
            (tmp_path / "c.yaml").unlink()

    sources = Sources()
    inputs = Inputs([str(tmp_path)], recursive=True, sources=sources)
    report = ParallelCheck(SharingJudge(Settings()), inputs, sources, count=2, progress=disappear).report()

    assert [problem.message for problem in report.problems] == ["no such file or folder"]


@pytest.mark.parametrize("judge", [Interrupted, InterruptedInParent])
def test_ctrl_c_ends_all_processes(judge: type[SharingJudge]) -> None:
    """
    Only the parent sees it.
    """
    Interrupted.parent = os.getpid()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs inherit that it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            in_processes(named(*OTHERS), 2, Settings(), judge=judge)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("most", [0, 1])
def test_a_system_that_starts_no_more_processes_is_no_error(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The check uses the processes that it gets.
    """
    fork, started = os.fork, []

    def limited() -> int:
        if len(started) == most:
            raise BlockingIOError
        started.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    files = named([vm()], [CLAIM], *OTHERS, [environments.a_cr("v1.4.0")])

    assert in_processes(files, 3, Settings()) == check(files, Settings())
    assert len(started) == most


def test_processes_leave_descriptors_for_files() -> None:
    """
    A limit on open files does not make files unreadable: there are fewer processes.
    """

    def opened() -> int:
        files = []
        with suppress(OSError):
            files += (os.open(os.devnull, os.O_RDONLY) for _ in range(4))
        for file in files:
            os.close(file)
        return len(files)

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 21, limits[1]))

    def answering(_begin: Any) -> Any:
        return lambda _request: [opened()]

    processes = Processes(64, answering, answering)
    try:
        count, here = len(processes), opened()
        for index in range(count):
            processes.send(index, None)
        replies = dict(processes.receive() for _ in range(count))
    finally:
        processes.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert 0 < count < 64
    assert here == 4
    assert replies == dict.fromkeys(range(count), 4)
    assert opened() == 4
