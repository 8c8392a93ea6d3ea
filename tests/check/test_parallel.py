"""A check in several processes gives the same report as a check in one process."""

import copy
import pickle
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.check import environments, test_streaming
from tests.check.in_processes import FORKED, OTHERS, in_processes, named, no_child, of_namespaces, small_blocks
from tests.check.test_migration_requests import CLAIM, vm, vmim
from tests.check.test_patched_copies import BRIDGE, clone
from tests.generating import Manifest
from webhook.check import parallel
from webhook.check.check import Settings, check
from webhook.check.parallel import ParallelCheck
from webhook.check.sharing import SharingJudge
from webhook.manifests.files import Inputs
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.manifests.sources import Sources
from webhook.objects.json_depth import MAX_DEPTH
from webhook.policy.policy import Policy

pytestmark = FORKED
__all__ = ["no_child", "small_blocks"]  # fixtures


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
    """All processes in one. Each has its own copy of the judge, and messages cross as pickles."""

    def __init__(self, count: int, answering: Any, answering_here: Any) -> None:
        self._answers = []
        self._replies: deque[tuple[int, bytes]] = deque()
        for _ in range(count - 1):
            check = copy.copy(answering.__self__)
            check._judge = copy.deepcopy(check._judge)
            self._answers.append(check._part_of_worker(lambda _number: None))
        self._answers.append(answering_here(lambda _number: None))

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

    with patch.object(parallel, "Processes", Here), test_streaming.few_in_memory():
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


def test_files_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Some files in the middle are judged first. Notes name files in the order of all files.
    """
    monkeypatch.setattr(parallel, "FIRST", 2)
    for number in range(8):
        (tmp_path / f"{number}.yaml").write_text("a: 1\n")
    sources = Sources()
    inputs = Inputs([str(tmp_path)], recursive=True, sources=sources)

    ParallelCheck(SharingJudge(Settings()), inputs, sources, count=2).report()

    assert [Path(name).stem for name in sources.others] == list("01234567")
