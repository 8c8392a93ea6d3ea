"""Gets the pages for operators from the process that renders them (``webhook.console``)."""

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from subprocess import Popen
from time import monotonic
from typing import Final, Protocol, TypeVar

import msgspec

from webhook.errors import Misconfigured, Unavailable
from webhook.surfaces.api.child_process import INHERITED, ChildProcess, Queue
from webhook.surfaces.api.console.messages import (
    MOST_BYTES,
    Failed,
    NamespacesReply,
    NamespacesRequest,
    PageReply,
    PageRequest,
    Refused,
    Reply,
    Request,
    Start,
    Started,
    VersionReply,
    VersionRequest,
    decode_reply,
    encode,
)

T = TypeVar("T", bound=Reply)

log = logging.getLogger("migratable.console")

MODULE: Final = "webhook.console"
OF_A_POD: Final = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
"""The environment variables with the address of the API server in a pod."""
MAX_WAITING: Final = 64
"""Maximum number of waiting requests."""
PAGE_SECONDS: Final = 30.0
"""Time limit for one page in seconds. The process is stopped after this time."""
START_SECONDS: Final = 600.0
"""Time limit for reading the files at the start, in seconds."""
SHORTEST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
"""A process that ran for longer is started again without a pause."""


class Console(Protocol):
    """The pages for operators. The methods raise Unavailable if there is no answer."""

    async def page(self, request: PageRequest) -> PageReply:
        """A page."""
        ...

    async def namespaces(self) -> NamespacesReply:
        """The namespaces that have VMs."""
        ...

    async def version(self) -> str:
        """The version of the state."""
        ...


class Restarts:
    """The pauses between the starts of a process. Each start reads all objects, which must not happen again and again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._pause = 0.0

    def begin(self) -> None:
        """Begins a start. Raises Unavailable if the process has ended too soon after its last start."""
        now = self._clock()
        if self._began is not None:
            lived = now - self._began
            if lived < self._pause:
                raise Unavailable(
                    "the process that renders the fleet pages has ended several times",
                    remedy="Try again in some minutes. Check the log and the memory limit of the server.",
                )
            self._pause = 0.0 if lived > LONGEST_PAUSE else min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._began = now


class ConsoleProcess:
    """
    The process that renders the pages. If it has ended, the next request starts it again.

    One thread of the server sends one request at a time to the process.
    """

    def __init__(
        self, start: Start, *, page_seconds: float = PAGE_SECONDS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._child = ChildProcess(MODULE, encode(start), page_seconds, _environment(start))
        self._thread = ThreadPoolExecutor(1, "console")
        self._queue = Queue(1, MAX_WAITING, "pages are waiting", self._thread)
        self._page_seconds = page_seconds
        self._restarts = Restarts(clock)
        self._started: Popen[bytes] | None = None
        """The process that has answered ``Start``."""

    async def start(self) -> None:
        """Starts the process. Raises Misconfigured if files cannot be read, or if the process ends."""
        try:
            await self._queue.do(lambda: self._connect(START_SECONDS))
        except (EOFError, OSError, msgspec.DecodeError) as error:
            raise Misconfigured(
                "the process that renders the fleet pages ended at its start",
                remedy="Check the lines above and the memory limit. The process needs about 1 GiB for 10,000 VMs.",
            ) from error

    async def page(self, request: PageRequest) -> PageReply:
        """As ``Console``."""
        return await self._queue.do(lambda: self._ask(request, PageReply))

    async def namespaces(self) -> NamespacesReply:
        """As ``Console``."""
        return await self._queue.do(lambda: self._ask(NamespacesRequest(), NamespacesReply))

    async def version(self) -> str:
        """As ``Console``."""
        return (await self._queue.do(lambda: self._ask(VersionRequest(), VersionReply))).version

    def stop(self) -> None:
        """Ends the process, and the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._child.stop()

    def _connect(self, within_seconds: float) -> None:
        """Starts the process unless it runs, and waits for its answer."""
        if not self._child.is_running:
            self._restarts.begin()
        connection = self._child.connection()
        if self._started is self._child.process:
            return
        if not connection.poll(within_seconds):
            raise Unavailable("the objects are being read", remedy="Try again in a minute.")
        reply = decode_reply(connection.recv_bytes(MOST_BYTES))
        if isinstance(reply, Refused):
            raise Misconfigured(reply.message, remedy=reply.remedy)
        _as(Started, reply)
        self._started = self._child.process

    def _ask(self, request: Request, kind: type[T]) -> T:
        try:
            self._connect(self._page_seconds)
            connection = self._child.connection()
            connection.send_bytes(encode(request))
            if not connection.poll(self._page_seconds):
                raise TimeoutError
            return _as(kind, decode_reply(connection.recv_bytes(MOST_BYTES)))
        except (EOFError, OSError, msgspec.DecodeError) as error:
            log.warning("the process of the fleet pages ended", extra={"error": type(error).__name__})
            self._child.stop()
            raise Unavailable(
                "the process that renders the fleet pages ended before it answered",
                remedy="Try again in a few seconds: it is started again.",
            ) from error


def _as(kind: type[T], reply: Reply) -> T:
    if isinstance(reply, Failed):
        raise RuntimeError(f"{reply.error} in the process of the fleet pages")  # noqa: TRY004 - the reply has the right type
    if not isinstance(reply, kind):
        raise TypeError(type(reply).__name__)
    return reply


def _environment(start: Start) -> Iterable[str]:
    """The environment variables of the process. A kubeconfig can name a credential plugin, which can need any variable."""
    return tuple(os.environ) if start.kubeconfig else (*INHERITED, *OF_A_POD)
