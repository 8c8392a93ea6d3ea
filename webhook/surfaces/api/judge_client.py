"""
Judges the bodies of requests in a separate process (``SeparateProcess``), or in threads (``InProcess``).

Python runs one thread at a time, so reading a large untrusted body would delay admission (docs/decisions/0024). So a server
uses a separate process. ``InProcess`` is for programs without admission, such as tests.
"""

import pickle
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic
from typing import Protocol

import msgspec

from webhook.check.check import Settings
from webhook.errors import Unavailable
from webhook.facts.world import World, for_advice
from webhook.manifests.objects import ManifestObject, placed_in
from webhook.objects.meta import Kubernetes
from webhook.surfaces.api.child_process import ChildProcess, Queue
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

MAX_WAITING = 8
"""Maximum number of waiting requests. Each request holds its body in memory."""
MOST_SECONDS = 60.0
"""Time limit for one request in seconds. The judging process is stopped after this time."""
WAITING = "manifests are being judged"
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


class InProcess:
    """Judges in threads of this process."""

    def __init__(self, background: Sequence[ManifestObject]) -> None:
        self._background = background
        self._queue = Queue(2, MAX_WAITING, WAITING)

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
        background_frame = pickle.dumps(tuple(background))
        self._child = ChildProcess("webhook.surfaces.api.judge.process", background_frame, most_seconds)
        self._queue = Queue(1, MAX_WAITING, WAITING)

    async def prepare(self) -> None:
        """As ``Judge``: starts the process, unless it has been started."""
        if self._child.process is None:
            with suppress(Unavailable):
                await self._queue.do(self._child.connection)

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
        self._child.stop()

    def _ask(self, request: Namespaces | Check, world: World | None) -> Reply:
        try:
            reply = self._reply(self._child.connection(), pickle.dumps(request), world)
        except (EOFError, OSError, msgspec.DecodeError) as error:
            self._child.stop()
            raise Unavailable(
                "the judging process ended before it answered", remedy="Try again, with fewer manifests at once."
            ) from error
        except BaseException:
            self._child.stop()
            raise
        if isinstance(reply, Failed):
            raise reply.error()
        return reply

    def _reply(self, connection: Connection, request: bytes, world: World | None) -> Reply:
        deadline = monotonic() + self._child.most_seconds
        connection.send_bytes(request)
        while True:
            if not connection.poll(max(0.0, deadline - monotonic())):
                raise Unavailable(
                    f"judging the manifests took longer than {self._child.most_seconds:g} seconds",
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
