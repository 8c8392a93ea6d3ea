"""The judging process of the dry-run API: same results, nothing shared, and a process that can end at any time."""

import asyncio
import os
import pickle
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import pytest

from tests.surfaces.admission.reviews import claim, read
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from webhook.check.check import Settings
from webhook.errors import BadInput, Unavailable, WebhookError
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import ABSENT, Late, Unknown
from webhook.facts.world import World
from webhook.manifests.objects import placed_in, read_manifests
from webhook.objects.storage import PersistentVolumeClaim
from webhook.policy.policy import Policy, Profile
from webhook.surfaces.api.judge import process
from webhook.surfaces.api.judge.messages import (
    Failed,
    Lookup,
    Namespaces,
    NamespacesFound,
    Reported,
    decode_reply,
    encode_reply,
)
from webhook.surfaces.api.judge.process import GROWN, LOWEST_PRIORITY
from webhook.surfaces.api.judge_client import InProcess, Judge, SeparateProcess
from webhook.yaml.brackets import read_brackets

BACKGROUND = read_manifests(CLAIM.encode(), "facts").objects
BODIES = {
    "good": GOOD,
    "bad": BAD,
    "unproven": UNPROVEN,
    "one of two is broken": f"{BAD}---\nkind: 5\n",
    "broken": "a: [",
    "empty": "",
    "no object": "hello",
    "duplicate key": "a: 1\na: 2\n",
}


@pytest.fixture(scope="module")
def apart() -> Iterator[SeparateProcess]:
    """One process for all tests that do not end it."""
    judge = SeparateProcess(placed_in(BACKGROUND))
    yield judge
    judge.stop()


def outcome_of(work: Callable[[], Awaitable[Any]]) -> Any:
    """The result, or the whole text of the error."""

    async def run() -> Any:
        return await work()

    try:
        return asyncio.run(run())
    except WebhookError as error:
        return type(error), vars(error)


def report(judge: Judge, body: str, behind: World | None = None, **settings: Any) -> Any:
    return outcome_of(lambda: judge.report(body.encode(), Settings(**settings), behind, ["a note"]))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_its_reports_equal_those_of_a_thread(apart: SeparateProcess, body: str) -> None:
    """
    The same bytes of a report, and the same errors with their places.
    """
    here = InProcess(BACKGROUND)
    settings = {"policy": Policy(profile=Profile.EXACT), "release": "1.5", "today": "2026-01-01"}

    assert report(apart, body, **settings) == report(here, body, **settings)
    assert outcome_of(lambda: apart.namespaces(body.encode())) == outcome_of(lambda: here.namespaces(body.encode()))


def test_an_unsupported_release_is_an_error_of_the_caller(apart: SeparateProcess) -> None:
    """
    The error has the same text.
    """
    assert report(apart, GOOD, release="0.58")[0] is BadInput


def test_values_of_a_request_do_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    They can be secrets of the caller.
    """
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(process, "resident_memory", lambda: 0)
    near, far = socket.socketpair()
    text = "{password: s3cret}"

    with near, Connection(os.dup(near.fileno())) as server:
        server.send_bytes(pickle.dumps(()))
        server.send_bytes(pickle.dumps(Namespaces(f"{GOOD}---\n{CLAIM}\nstatus: {text}\n".encode())))
        near.shutdown(socket.SHUT_WR)
        kept = read_brackets(text)
        process.main([str(far.detach())])
        reply = decode_reply(server.recv_bytes())

    assert isinstance(reply, NamespacesFound)
    assert read_brackets(text) is not kept


class RecordingWorld(ObjectsWorld):
    """A world that records lookups."""

    def __init__(self, *known: dict[str, Any]) -> None:
        super().__init__([read(item) for item in known])
        self.lookups: list[tuple[str, str]] = []

    def find(self, kind: type[Any], namespace: str, name: str) -> Any:
        self.lookups.append((kind.__name__, name))
        return super().find(kind, namespace, name)


@pytest.mark.parametrize(("mode", "migratable"), [("ReadWriteMany", True), ("ReadWriteOnce", False)])
def test_lookups_go_to_the_server(mode: str, migratable: bool) -> None:
    """
    The server reads what the caller is allowed to see. The process has no access to the cluster.
    """
    judge, world = SeparateProcess(()), RecordingWorld(claim("os", mode))

    try:
        answer = msgspec.json.decode(report(judge, UNPROVEN, world))
    finally:
        judge.stop()

    assert answer["objects"][0]["verdict"]["liveMigratable"] is migratable
    assert ("PersistentVolumeClaim", "os") in world.lookups


class Stored(RecordingWorld):
    """A world whose lookups count as reads. The stored objects can be looked up without a read."""

    def __init__(self, *known: dict[str, Any]) -> None:
        super().__init__(*known)
        self.listed: list[str] = []
        self.stored = RecordingWorld(*known)

    def for_advice(self) -> World:
        return self.stored

    def every(self, kind: type[Any]) -> Any:
        self.listed.append(kind.__name__)
        return super().every(kind)


ONLY_FOR_ADVICE = {"PodDisruptionBudget", "PersistentVolume", "ResourceQuota", "StorageClass", "StorageProfile"}


@pytest.mark.parametrize("separate", [True, False], ids=["a process", "a thread"])
def test_lookups_for_advice_cause_no_read(separate: bool) -> None:
    """
    As at admission: the verdict needs the claim itself, and advice needs the storage behind it.
    """
    made = claim("os", "ReadWriteMany")
    made["spec"]["storageClassName"] = "fast"
    world = Stored(made)
    judge: Judge = SeparateProcess(()) if separate else InProcess(())

    try:
        report(judge, UNPROVEN, world)
    finally:
        if isinstance(judge, SeparateProcess):
            judge.stop()

    read = {kind for kind, _ in world.lookups} | set(world.listed)
    assert "PersistentVolumeClaim" in read
    assert not read & ONLY_FOR_ADVICE
    assert "StorageClass" in {kind for kind, _ in world.stored.lookups}


def test_it_runs_at_the_lowest_priority(apart: SeparateProcess) -> None:
    """
    The server comes first on a shared core.
    """
    report(apart, GOOD)

    assert os.getpriority(os.PRIO_PROCESS, pid(apart)) == LOWEST_PRIORITY


def pid(judge: SeparateProcess) -> int:
    assert judge._child.process is not None
    return judge._child.process.pid


def test_it_answers_also_for_a_server_that_is_larger_than_its_own_limit() -> None:
    """
    The memory of the server that starts the process does not count as the memory of the process.
    """
    judge, held = SeparateProcess(()), bytearray(b"x") * (GROWN + 2**20)
    try:
        assert not isinstance(report(judge, GOOD), tuple)
        assert len(held) > GROWN
    finally:
        judge.stop()


def test_it_can_be_started_before_the_first_request() -> None:
    """
    Once. A started process is kept.
    """
    judge = SeparateProcess(())
    try:
        outcome_of(judge.prepare)
        started = judge._child.process
        outcome_of(judge.prepare)

        assert started is not None
        assert judge._child.process is started
        assert outcome_of(lambda: judge.namespaces(BAD.encode())) == ["tenant"]
        assert judge._child.process is started
    finally:
        judge.stop()


def test_a_process_that_has_ended_is_started_again() -> None:
    """
    The next request succeeds.
    """
    judge = SeparateProcess(())
    try:
        before = report(judge, GOOD)
        os.kill(pid(judge), signal.SIGKILL)
        assert judge._child.process is not None
        judge._child.process.wait()

        assert report(judge, GOOD) == before
    finally:
        judge.stop()


class Killing(ObjectsWorld):
    """A world that ends the process in the middle of its request."""

    def __init__(self, judge: SeparateProcess) -> None:
        super().__init__([])
        self._judge = judge

    def find(self, kind: type[Any], namespace: str, name: str) -> Any:
        os.kill(pid(self._judge), signal.SIGKILL)
        return super().find(kind, namespace, name)


class Hanging(ObjectsWorld):
    """A world that makes a request last until the process is ended."""

    def __init__(self, judge: SeparateProcess) -> None:
        super().__init__([])
        self._judge = judge

    def find(self, kind: type[Any], namespace: str, name: str) -> Any:
        os.kill(pid(self._judge), signal.SIGSTOP)
        return super().find(kind, namespace, name)


@pytest.mark.parametrize(("world", "says"), [(Killing, "ended before it answered"), (Hanging, "took longer than")])
def test_a_request_that_ends_or_blocks_the_process_gets_503(
    world: Callable[[SeparateProcess], World], says: str
) -> None:
    """
    The next request gets a new process.
    """
    judge = SeparateProcess((), most_seconds=20 if world is Killing else 2)
    try:
        assert not isinstance(report(judge, GOOD), tuple)

        kind, words = report(judge, UNPROVEN, world(judge))

        assert kind is Unavailable
        assert says in words["message"]
        assert words["remedy"]
        judge._child.most_seconds = 20
        assert not isinstance(report(judge, GOOD), tuple)
    finally:
        judge.stop()


def test_a_process_that_does_not_read_does_not_hold_the_next_request() -> None:
    """
    Also a request that is larger than what the system buffers ends in time.
    """
    judge = SeparateProcess((), most_seconds=2)
    try:
        assert not isinstance(report(judge, GOOD), tuple)
        os.kill(pid(judge), signal.SIGSTOP)

        kind, _ = report(judge, "#" * 2**21)

        assert kind is Unavailable
        assert not isinstance(report(judge, GOOD), tuple)
    finally:
        judge.stop()


def test_replies_are_never_unpickled() -> None:
    """
    A compromised process can only send the known structs.
    """
    replies = [Lookup("Node"), NamespacesFound(["a"]), Reported(b"{}"), Failed("internal", "KeyError")]

    assert [decode_reply(encode_reply(reply)) for reply in replies] == replies
    for junk in (pickle.dumps(replies[0]), b"", b"\x80", msgspec.msgpack.encode({"type": "other"})):
        with pytest.raises(msgspec.DecodeError):
            decode_reply(junk)


def test_facts_arrive_unchanged() -> None:
    """
    Absent, unknown and late are distinct on both sides.
    """
    for item in (ABSENT, Unknown("why", "settle"), Late("why"), read(claim("os", "ReadWriteMany"))):
        copy = pickle.loads(pickle.dumps(item))
        assert copy == item
        assert type(copy) is type(item)
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT
    assert isinstance(read(claim("os", "ReadWriteMany")), PersistentVolumeClaim)


def test_internal_errors_have_only_their_type() -> None:
    """
    They contain no text of the body.
    """
    failed = Failed.of(KeyError("s3cr3t-canary"))

    assert "canary" not in str(failed)
    assert str(failed.error()) == "KeyError in the judging process"
