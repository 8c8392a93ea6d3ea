"""
Judges the bodies of requests in a separate process (``SeparateProcess``), or in threads (``InProcess``).

Python runs one thread at a time, so reading a large untrusted body would delay admission (docs/decisions/0024). So a server
uses a separate process. ``InProcess`` is for programs without admission, such as tests.
"""

import asyncio
import os
import pickle
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import ceil
from multiprocessing.connection import Connection
from time import monotonic
from typing import Protocol, TypeVar

import msgspec

from webhook.check.check import Settings
from webhook.errors import Unavailable
from webhook.facts.world import World, for_advice
from webhook.manifests.objects import ManifestObject, placed_in
from webhook.objects.meta import Kubernetes
from webhook.surfaces.api.judge.judge import namespaces_in, report_on
from webhook.surfaces.api.judge.messages import (
    KINDS,
    Check,
    Extras,
    Failed,
    Lookup,
    Namespaces,
    NamespacesFound,
    Reply,
    Reported,
    decode_reply,
)

T = TypeVar("T")

MAX_WAITING = 8
"""Maximum number of waiting requests. Each request holds its body in memory."""
MOST_SECONDS = 60.0
"""Time limit for one request in seconds. The judging process is stopped after this time."""
INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
"""Environment variables that the judging process gets."""
MOST_BYTES = 256 * 2**20
"""Maximum size of a report, in bytes."""
NO_EXTRAS = Extras()


class Judge(Protocol):
    """Reads and judges the bodies of requests. The methods with a body can raise BadInput and Unavailable."""

    async def prepare(self) -> None:
        """Makes the next request faster, if that is possible. A page that leads to requests calls this method."""
        ...

    async def namespaces(self, content: bytes) -> Sequence[str]:
        """The namespaces of the objects to judge in a body."""
        ...

    async def report(
        self,
        content: bytes,
        settings: Settings,
        behind: World | None = None,
        notes: Sequence[str] = (),
        extras: Extras = NO_EXTRAS,
    ) -> bytes:
        """The report as JSON. References are looked up in ``behind`` last."""
        ...


class Queue:
    """Runs work in a few threads, with a short queue."""

    def __init__(self, at_once: int) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """Runs ``work`` in a thread. Raises Unavailable if the queue is full."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("too many manifests are being judged", remedy="Try again in a second.")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            return await asyncio.to_thread(work)
        finally:
            self._turn.release()


class InProcess:
    """Judges in threads of this process."""

    def __init__(self, background: Sequence[ManifestObject]) -> None:
        self._background = background
        self._queue = Queue(2)

    async def prepare(self) -> None:
        """As ``Judge``. Nothing is to be prepared."""

    async def namespaces(self, content: bytes) -> Sequence[str]:
        """As ``Judge``."""
        return await self._queue.do(lambda: namespaces_in(content))

    async def report(
        self,
        content: bytes,
        settings: Settings,
        behind: World | None = None,
        notes: Sequence[str] = (),
        extras: Extras = NO_EXTRAS,
    ) -> bytes:
        """As ``Judge``."""
        return await self._queue.do(
            lambda: report_on(content, settings, placed_in(self._background), behind, notes, extras)
        )


class SeparateProcess:
    """
    Judges in a separate process. The first request starts the process. If the process has ended, the next request starts it
    again.

    A thread of the server sends one request at a time to the process, and answers its lookups.
    """

    def __init__(self, background: Iterable[tuple[Kubernetes, str]], *, most_seconds: float = MOST_SECONDS) -> None:
        self._background = pickle.dumps(tuple(background))
        self._most_seconds = most_seconds
        self._queue = Queue(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    async def prepare(self) -> None:
        """As ``Judge``: starts the process, unless it has been started."""
        if self._process is None:
            with suppress(Unavailable):
                await self._queue.do(self._connected)

    async def namespaces(self, content: bytes) -> Sequence[str]:
        """As ``Judge``."""
        reply = await self._queue.do(lambda: self._ask(Namespaces(content), None))
        if not isinstance(reply, NamespacesFound):
            raise TypeError(type(reply).__name__)
        return reply.namespaces

    async def report(
        self,
        content: bytes,
        settings: Settings,
        behind: World | None = None,
        notes: Sequence[str] = (),
        extras: Extras = NO_EXTRAS,
    ) -> bytes:
        """As ``Judge``."""
        request = Check(content, settings, behind is not None, tuple(notes), extras)
        reply = await self._queue.do(lambda: self._ask(request, behind))
        if not isinstance(reply, Reported):
            raise TypeError(type(reply).__name__)
        return reply.report

    def stop(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if process is not None:
            process.kill()  # before the connection is closed, so that a waiting thread reads the end of the stream
            process.wait()
        if connection is not None:
            connection.close()

    def _ask(self, request: Namespaces | Check, world: World | None) -> Reply:
        try:
            reply = self._reply(self._connected(), pickle.dumps(request), world)
        except (EOFError, OSError, msgspec.DecodeError) as error:
            self.stop()
            raise Unavailable(
                "the judging process ended before it answered", remedy="Try again, with fewer manifests at once."
            ) from error
        except BaseException:
            self.stop()
            raise
        if isinstance(reply, Failed):
            raise reply.error()
        return reply

    def _connected(self) -> Connection:
        """The connection to a running process."""
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self.stop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for limit in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # the process can hang in the middle of a frame
                ours.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", ceil(self._most_seconds), 0))
            self._process = subprocess.Popen(  # noqa: S603 - no input of a caller
                [sys.executable, "-m", "webhook.surfaces.api.judge.process", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                pass_fds=(theirs.fileno(),),
                process_group=0,  # Ctrl-C in a terminal must stop only the server
            )
            self._connection = Connection(ours.detach())
        self._connection.send_bytes(self._background)
        return self._connection

    def _reply(self, connection: Connection, request: bytes, world: World | None) -> Reply:
        deadline = monotonic() + self._most_seconds
        connection.send_bytes(request)
        while True:
            if not connection.poll(max(0.0, deadline - monotonic())):
                raise Unavailable(
                    f"judging the manifests took longer than {self._most_seconds:g} seconds",
                    remedy="Send fewer manifests at once.",
                )
            reply = decode_reply(connection.recv_bytes(MOST_BYTES))
            if not isinstance(reply, Lookup):
                return reply
            connection.send_bytes(pickle.dumps(_answer(reply, world)))


def _answer(lookup: Lookup, world: World | None) -> object:
    kind = KINDS.get(lookup.kind)
    if kind is None or world is None:
        raise EOFError("unexpected lookup from the judging process")
    if lookup.for_advice:
        world = for_advice(world)
    return world.every(kind) if lookup.name is None else world.find(kind, lookup.namespace, lookup.name)
