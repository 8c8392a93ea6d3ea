"""The process that renders the pages for operators: its start, its answers, and its end at any time."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import Clock
from tests.waiting import wait_until
from webhook.check.check import Settings
from webhook.console.followed_files import FollowedFiles
from webhook.console.process import answer, encoded
from webhook.errors import Misconfigured, Unavailable
from webhook.surfaces.api.console import client
from webhook.surfaces.api.console.client import LONGEST_PAUSE, ConsoleProcess, Restarts
from webhook.surfaces.api.console.messages import (
    MOST_BYTES,
    Failed,
    NamespacesReply,
    NamespacesRequest,
    PageReply,
    PageRequest,
    Refused,
    Sight,
    Start,
    Started,
    VersionReply,
    VersionRequest,
    decode_reply,
    decode_request,
    encode,
)

FLEET = str(Path(__file__).parents[2] / "examples" / "fleet")
OVERVIEW = PageRequest("", (), Sight())


def asked(work: Callable[[], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        return await work()

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def console() -> Iterator[ConsoleProcess]:
    """The process for examples/fleet, as far as no test ends it."""
    process = ConsoleProcess(Start((FLEET,)))
    asked(process.start)
    wait_until(lambda: asked(process.namespaces).is_complete, 60, "the judgements")
    yield process
    process.stop()


def test_the_process_answers_with_pages_namespaces_and_the_version(console: ConsoleProcess) -> None:
    """
    The version of a page is that of the state.
    """
    reply = asked(lambda: console.page(OVERVIEW))

    assert reply.status == 200
    assert reply.body.startswith(b"<!doctype html>")
    wait_until(
        lambda: asked(console.version) == asked(lambda: console.page(OVERVIEW)).version, 60, "the rehearsal to end"
    )
    assert asked(console.namespaces).namespaces == ("erp", "lab", "media", "shop")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "{folder}/vm.yaml:1: invalid YAML"),
        (None, "{folder}/vm.yaml: no such file or folder"),
        (
            "kind: Other\napiVersion: v1\nmetadata: {name: a}\n",
            "{folder}/vm.yaml: the files have no object of a cluster",
        ),
    ],
)
def test_files_that_cannot_be_read_end_the_start(tmp_path: Path, content: str | None, message: str) -> None:
    """
    The error has the place and a remedy.
    """
    file = tmp_path / "vm.yaml"
    if content is not None:
        file.write_text(content)
    process = ConsoleProcess(Start((str(file),)))

    try:
        with pytest.raises(Misconfigured) as caught:
            asked(process.start)
    finally:
        process.stop()

    assert caught.value.message.startswith(message.format(folder=tmp_path))
    assert caught.value.remedy


def test_a_process_that_ends_at_its_start_prevents_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error names the memory limit, which is the usual reason.
    """
    monkeypatch.setattr(client, "MODULE", "webhook.no_such_module")
    process = ConsoleProcess(Start((FLEET,)))

    try:
        with pytest.raises(Misconfigured, match="ended at its start"):
            asked(process.start)
    finally:
        process.stop()


def pid(console: ConsoleProcess) -> int:
    process = console._child.process
    assert process is not None
    return process.pid


def test_a_process_that_has_ended_is_started_again(console: ConsoleProcess) -> None:
    """
    The next request waits for its start.
    """
    os.kill(pid(console), signal.SIGKILL)
    assert console._child.process is not None
    console._child.process.wait()

    assert asked(lambda: console.page(OVERVIEW)).status == 200


def test_a_process_that_ends_again_and_again_is_started_more_and_more_rarely() -> None:
    """
    Each start reads all objects of the cluster. The first end causes no pause, and a long life ends the pauses.
    """
    clock = Clock()
    restarts = Restarts(clock)
    starts = []

    for _ in range(900):
        with suppress(Unavailable):
            restarts.begin()
            starts.append(clock.now)
        clock.now += 1

    assert [later - earlier for earlier, later in pairwise(starts)] == [1, 5, 10, 20, 40, 80, 160, 300]
    clock.now += LONGEST_PAUSE
    restarts.begin()
    clock.now += 1
    restarts.begin()


def test_a_process_that_hangs_is_ended() -> None:
    """
    The caller gets 503. The next request gets a new process.
    """
    process = ConsoleProcess(Start((FLEET,)), page_seconds=1)
    try:
        asked(process.start)
        hanging = pid(process)
        os.kill(hanging, signal.SIGSTOP)

        with pytest.raises(Unavailable, match="ended before it answered"):
            asked(lambda: process.page(OVERVIEW))

        assert not Path(f"/proc/{hanging}").exists()
        asked(process.start)
        assert pid(process) != hanging
    finally:
        process.stop()


def test_the_process_ends_with_the_server_while_it_reads_files(tmp_path: Path) -> None:
    """
    The server can be stopped during the start. A read of files can hang.
    """
    os.mkfifo(tmp_path / "pipe.yaml")  # an open pipe waits for a writer
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook.console", str(theirs.fileno())], pass_fds=(theirs.fileno(),)
        )
    with Connection(ours.detach()) as server:
        server.send_bytes(encode(Start((str(tmp_path / "pipe.yaml"),))))
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()


def test_the_process_gets_few_environment_variables(console: ConsoleProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A kubeconfig can name a credential plugin, which can need any variable.
    """
    from webhook.surfaces.api.console.client import _environment

    monkeypatch.setenv("AWS_PROFILE", "x")
    variables = Path(f"/proc/{pid(console)}/environ").read_bytes().split(b"\0")

    assert {variable.partition(b"=")[0] for variable in variables} <= {
        *(b"PATH", b"PYTHONPATH", b"LD_LIBRARY_PATH", b"LANG", b"LC_ALL", b"LC_CTYPE", b"")
    }
    assert "AWS_PROFILE" not in _environment(Start())
    assert "AWS_PROFILE" in _environment(Start(kubeconfig="k"))


def test_messages_arrive_unchanged() -> None:
    """
    A frame of another form is an error, and is never unpickled.
    """
    requests = [Start(("a",), context="c"), PageRequest("/vms", (("a", "b"),), Sight(("n",))), VersionRequest()]
    replies = [Started(), Refused("a", "b"), Failed("KeyError"), PageReply(200, b"x", "1"), VersionReply("1")]

    assert [decode_request(encode(one)) for one in [*requests, NamespacesRequest()]] == [*requests, NamespacesRequest()]
    assert [decode_reply(encode(one)) for one in [*replies, NamespacesReply(("n",))]] == [
        *replies,
        NamespacesReply(("n",)),
    ]
    for junk in (b"", b"\x80", msgspec.msgpack.encode({"type": "other"})):
        with pytest.raises(msgspec.DecodeError):
            decode_reply(junk)


def test_a_reply_that_is_too_large_is_an_error() -> None:
    """
    The server would end the process, and no other page would be there until it is started again.
    """
    fitting, large = (PageReply(200, b"a" * size, "1") for size in (1000, MOST_BYTES))

    assert decode_reply(encoded(fitting)) == fitting
    assert decode_reply(encoded(large)) == Failed("MessageTooLarge")


def test_internal_errors_have_only_their_type() -> None:
    """
    Their text could name objects that the caller may not see.
    """

    def failing() -> None:
        raise KeyError("s3cr3t-canary")

    source = cast("Any", SimpleNamespace(state=failing))

    assert answer(source, OVERVIEW) == Failed("KeyError")


def test_a_page_before_the_judgements_says_that_objects_are_read() -> None:
    """
    Nothing waits for them.
    """
    unjudged = FollowedFiles([FLEET], Settings)

    reply = answer(unjudged, OVERVIEW)

    assert isinstance(reply, PageReply)
    assert (reply.status, b"The objects are being read." in reply.body) == (200, True)
    assert answer(unjudged, NamespacesRequest()) == NamespacesReply((), is_complete=False)


@pytest.fixture(scope="module")
def judged() -> FollowedFiles:
    files = FollowedFiles([FLEET], Settings)
    files._source.run()
    return files


STEPS = st.sampled_from(["vms", "nodes", "policies", "shop", "db-1", "node-1", "", "..", "%2e", "-"]) | st.text(
    max_size=8
)
NAMES = st.sampled_from(
    ["q", "verdict", "reason", "rule", "namespace", "node", "drain", "sort", "page", "policy", "running"]
)
VALUES = st.sampled_from(["1", "0", "-1", "999999", "name", "-name", "shop", "yes", "blocks"]) | st.text(max_size=8)
SIGHTS = st.builds(
    Sight,
    namespaces=st.none() | st.lists(st.sampled_from(["erp", "shop", "x"]), max_size=2).map(tuple),
    nodes=st.booleans(),
    policies=st.booleans(),
    settings=st.booleans(),
    user=st.text(max_size=5),
)
REQUESTS = st.builds(
    PageRequest,
    path=st.lists(STEPS, max_size=4).map(lambda steps: "".join(f"/{step}" for step in steps)),
    query=st.lists(st.tuples(NAMES | st.text(max_size=3), VALUES), max_size=3).map(tuple),
    sight=SIGHTS,
)


@given(asked_for=REQUESTS)
def test_each_address_has_a_page(judged: FollowedFiles, asked_for: PageRequest) -> None:
    """
    A page, an error that names the parameter, or a page for a wrong address. Never an internal error.
    """
    reply = answer(judged, asked_for)

    assert isinstance(reply, PageReply)
    assert reply.status in (200, 400, 404)
    assert reply.body.startswith(b"<!doctype html>")
