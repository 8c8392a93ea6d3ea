"""A check in several processes gives the same report as a check in one process."""

import copy
import json
import os
import pickle
import resource
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.check import environments, test_streaming
from tests.check.test_migration_requests import CLAIM, vm, vmim
from tests.check.test_patched_copies import BRIDGE, clone
from tests.generating import Manifest
from webhook.check import parallel
from webhook.check.check import Settings, check
from webhook.check.parallel import ParallelCheck
from webhook.check.processes import Workers
from webhook.check.sharing import SharingJudge
from webhook.errors import BadInput, Unavailable
from webhook.manifests.files import Inputs, Sources
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.objects.json_depth import MAX_DEPTH
from webhook.policy.policy import Policy
from webhook.report.model import Report

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are enough for several workers."""
    monkeypatch.setattr(parallel, "FIRST", 1)
    monkeypatch.setattr(parallel, "BLOCK", 2)


def children() -> set[str]:
    """The processes that this process has started, such as servers of other tests."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def no_child() -> Iterator[None]:
    """No worker is left after a check, not even as a zombie."""
    before = children()
    yield
    assert children() <= before


def in_processes(
    files: Sequence[Manifests],
    count: int,
    chosen: Settings,
    references: Sequence[ManifestObject] = (),
    judge: type[SharingJudge] = SharingJudge,
    *,
    is_large: bool = False,
) -> Report:
    sources = Sources()
    inputs = Inputs([], recursive=True, sources=sources, rendered=files)
    report = ParallelCheck(judge(chosen, references), inputs, sources, count=count, is_large=is_large).report()
    return replace(report, objects=list(report.objects))


def objects_of(files: Sequence[Manifests]) -> list[ManifestObject]:
    return [manifest for file in files for manifest in file.objects]


@given(test_streaming.repositories(), st.integers(1, 3), st.sampled_from(["", "any", "1.6"]), st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_report_equals_that_of_one_process(
    files: list[Manifests], count: int, release: str, is_large: bool
) -> None:
    """
    References can go to any file, and several files can contain an object of the same name. What is kept can be in temporary
    files.
    """
    chosen = Settings(Policy(namespaces=[test_streaming.STRICTER]), release, "2026-01-01")

    with test_streaming.few_in_memory():
        report = in_processes(files, count, chosen, is_large=is_large)

    assert msgspec.json.encode(report) == msgspec.json.encode(check(files, chosen))


class Here:
    """Workers in this process. Each has its own copy of the judge, and messages cross as pickles."""

    def __init__(self, count: int, answering: Any) -> None:
        self._answers = []
        self._replies: deque[tuple[int, bytes]] = deque()
        for _ in range(count):
            check = copy.copy(answering.__self__)
            check._judge = copy.deepcopy(check._judge)
            self._answers.append(check._part(lambda _number: None))

    def __len__(self) -> int:
        return len(self._answers)

    def send(self, index: int, request: Any) -> None:
        for reply in self._answers[index](pickle.loads(pickle.dumps(request))):
            self._replies.append((index, pickle.dumps(reply)))

    def receive(self) -> tuple[int, Any]:
        index, reply = self._replies.popleft()
        return index, pickle.loads(reply)

    def close(self) -> None: ...


@given(environments.repositories(), st.integers(1, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_exchange_needs_no_processes(
    repository: tuple[Sequence[Manifests], Sequence[Manifests]], count: int, is_large: bool
) -> None:
    """
    The result depends only on the messages.
    """
    files, references = repository

    with patch.object(parallel, "Workers", Here), test_streaming.few_in_memory():
        report = in_processes(files, count, Settings(), objects_of(references), is_large=is_large)

    assert msgspec.json.encode(report) == msgspec.json.encode(check(files, Settings(), objects_of(references)))


@given(environments.repositories(), st.integers(2, 3))
@settings(max_examples=50, deadline=None)
def test_environments_with_the_same_names_keep_apart(
    repository: tuple[Sequence[Manifests], Sequence[Manifests]], count: int
) -> None:
    """
    A reference is resolved to the nearest file, whichever process read it.
    """
    files, references = repository

    report = in_processes(files, count, Settings(), objects_of(references))

    assert msgspec.json.encode(report) == msgspec.json.encode(check(files, Settings(), objects_of(references)))


def named(*files: Sequence[Manifest]) -> list[Manifests]:
    return [environments.file(f"{number}.yaml", *objects) for number, objects in enumerate(files)]


def of_namespaces(number: int) -> Manifest:
    return environments.an_object("Namespace", "v1", f"tenant-{number}", None)


OTHERS = [[environments.a_vmi(name=f"vmi-{number}")] for number in range(8)]
LAST = {
    "a claim": [environments.a_claim("ReadWriteOnce")],
    "a KubeVirt CR": [environments.a_cr("v1.4.0")],
    "a migration request": [vmim()],
    "a clone with patches": [clone(BRIDGE)],
}


@pytest.mark.parametrize("last", LAST.values(), ids=LAST)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("order", [1, -1], ids=["last", "first"])
def test_all_files_see_an_object(last: list[Manifest], count: int, order: int) -> None:
    """
    It does not matter which process reads the object, and when.
    """
    files = named(*[[vm()], [CLAIM], *OTHERS, last][::order])

    report = in_processes(files, count, Settings())

    assert report == check(files, Settings())
    assert any(judged.findings or judged.release != "any" for judged in report.objects)


def test_objects_that_lead_to_other_objects_are_found() -> None:
    """
    A VM that gets its instancetype looks up further objects.
    """
    files = named(
        [environments.a_vm()], *OTHERS, [environments.an_instancetype(gpu=True)], [environments.a_preference("bridge")]
    )

    assert in_processes(files, 3, Settings()) == check(files, Settings())


@pytest.mark.parametrize("order", [1, -1], ids=["after", "before"])
def test_objects_next_to_a_vm_are_exchanged(order: int) -> None:
    """
    They are not announced, because usually only their own file looks them up.
    """

    def with_vmi(looked_up: Manifest, name: str) -> list[Manifest]:
        return [environments.a_vmi(name=name), looked_up]

    claim = environments.a_claim("ReadWriteOnce", "lab")
    claim["metadata"]["name"] = "data"
    last = [
        with_vmi(claim, "a"),
        with_vmi(environments.an_instancetype(gpu=True), "b"),
        with_vmi(environments.a_preference("bridge"), "c"),
    ]
    files = named(*[[vm()], [environments.a_vm()], *OTHERS, *last][::order])

    report = in_processes(files, 3, Settings())

    assert report == check(files, Settings())
    assert {"LM201", "LM302"} <= {finding.rule for judged in report.objects for finding in judged.findings}


def test_objects_that_are_judged_later_find_objects_of_all_processes() -> None:
    """
    The patches of a clone can name a PVC that no other object names.
    """
    disk = "/spec/template/spec/volumes/0/persistentVolumeClaim/claimName"
    patched = clone({"op": "replace", "path": disk, "value": "os"})
    shared = {**CLAIM, "spec": {"accessModes": ["ReadWriteMany"]}}
    claim = environments.a_claim("ReadWriteOnce", "lab")
    files = named([patched], [vm(), shared], *[[other] for other in map(of_namespaces, range(6))], [claim])

    report = in_processes(files, 2, Settings())

    assert report == check(files, Settings())
    assert [judged.kind for judged in report.objects if judged.findings] == ["VirtualMachineClone"]


class Ending(SharingJudge):
    """Ends the worker at one file."""

    parent = os.getpid()

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == 5 and os.getpid() != self.parent:
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

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == 5:
            raise ZeroDivisionError("the content of an object")
        return super().judge(number, manifests)


class Interrupted(SharingJudge):
    """Interrupts the parent while a worker works."""

    parent = os.getpid()

    def judge(self, number: int, manifests: Manifests) -> Any:
        if number == 5:
            os.kill(os.getpid(), signal.SIGINT)  # a worker ignores Ctrl-C
            os.kill(self.parent, signal.SIGINT)
            signal.pause()
        return super().judge(number, manifests)


@pytest.mark.parametrize(
    ("judge", "reason"), [(Ending, "was ended by SIGKILL"), (Broken, "failed with ZeroDivisionError")]
)
def test_a_worker_that_ends_is_an_error_with_the_name_of_its_file(judge: type[SharingJudge], reason: str) -> None:
    """
    The error says how the process ended, and how to check without it. It contains nothing of an object.
    """
    Ending.parent = os.getpid()

    with pytest.raises(Unavailable) as raised:
        in_processes(named(*OTHERS), 2, Settings(), judge=judge)

    assert raised.value.message == f"5.yaml: a process of the check {reason} while it checked this file"
    assert raised.value.remedy == "Check in one process: --jobs 1."


def test_a_program_that_ignores_the_end_of_children_can_start_a_check() -> None:
    """
    The setting is inherited. Then the system keeps no status of a worker that has ended.
    """
    Ending.parent = os.getpid()
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_processes(named(*OTHERS), 2, Settings()) == check(named(*OTHERS), Settings())
        with pytest.raises(Unavailable, match=r"5\.yaml: a process of the check ended while"):
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


def test_ctrl_c_ends_all_processes() -> None:
    """
    Only the parent sees it.
    """
    Interrupted.parent = os.getpid()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs inherit that it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            in_processes(named(*OTHERS), 2, Settings(), judge=Interrupted)
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
    workers = Workers(64, lambda _begin: lambda _request: [opened()])
    try:
        count, here = len(workers), opened()
        for index in range(count):
            workers.send(index, None)
        replies = dict(workers.receive() for _ in range(count))
    finally:
        workers.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert 0 < count < 64
    assert here == 4
    assert replies == dict.fromkeys(range(count), 4)
    assert opened() == 4


def test_deep_objects_cross() -> None:
    """
    A revision contains any JSON, and nests nearly as deep as a file may.
    """
    spec: Any = {}
    for _ in range(MAX_DEPTH - 3):
        spec = {"a": spec}
    revision = environments.an_object("ControllerRevision", "apps/v1", "small-1", data={"spec": spec})
    user = environments.a_vm()
    user["spec"]["instancetype"]["revisionName"] = "small-1"
    files = named(*OTHERS, [user], *OTHERS, [revision])

    assert in_processes(files, 3, Settings()) == check(files, Settings())


def test_large_messages_do_not_block() -> None:
    """
    Requests and replies can be larger than the buffer of a pipe, in both directions at the same time.
    """

    def classes(prefix: str) -> list[Manifest]:
        names = [f"{prefix}-{number}" for number in range(2000)]
        return [
            environments.an_object("StorageClass", "storage.k8s.io/v1", name, None, provisioner="a") for name in names
        ]

    files = named([vm()], *OTHERS, classes("a"), *OTHERS, classes("b"), *OTHERS, [CLAIM])

    assert in_processes(files, 3, Settings()) == check(files, Settings())
