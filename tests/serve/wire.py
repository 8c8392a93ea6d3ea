"""A listener in a thread, a clock that tests set, and client connections that send single bytes."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.clocks import Clock
from tests.waiting import wait_until
from webhook.serve.limits import ConnectionLimiter, Limits, Loop
from webhook.serve.listeners import Listener, maintain_all
from webhook.surfaces.asgi import Reply

SECONDS = 20
"""The limit of each wait; much longer than any step takes on a busy machine."""


@dataclass
class Counting:
    """
    An application that answers with the length of the body.

    ``/known`` marks the client as an API server, ``/early`` is answered before its body arrives, ``/held`` when ``held`` is set.
    """

    handled: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """``/held`` waits for this event."""
    answer: bytes = b""
    """The response body of ``/answer``."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.handled.append(scope["path"])
        if scope["path"] == "/early":
            await _give(send, b"early")
            return
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            more = message["more_body"]
        if scope["path"] == "/known":
            scope["state"]["known"] = True
        if scope["path"] == "/held":
            await self.held.wait()
        body = self.answer if scope["path"] == "/answer" else b"%d" % size
        await _give(send, body)


@dataclass
class DirectlyCounting(Counting):
    """
    The same application, which answers whole small requests without ASGI.

    ``/broken`` and ``/late`` fail at once and after a wait.
    """

    direct: list[str] = field(default_factory=list)
    """The paths of requests that did not go through ASGI."""

    def takes_directly(self, path: str) -> bool:
        return path != "/early"

    def answer_directly(
        self, path: str, _query: bytes, body: bytes, _began: float
    ) -> Reply | Coroutine[Any, Any, Reply]:
        self.handled.append(path)
        self.direct.append(path)
        if path == "/broken":
            raise ValueError(path)
        if path in ("/held", "/late"):
            return self._later(path, body)
        return self._reply(path, body)

    def _reply(self, path: str, body: bytes) -> Reply:
        text = self.answer if path == "/answer" else b"%d" % len(body)
        return Reply(200, text, review={} if path == "/known" else None)

    async def _later(self, path: str, body: bytes) -> Reply:
        await self.held.wait()
        if path == "/late":
            raise ValueError(path)
        return self._reply(path, body)


async def _give(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Listening:
    """A running listener."""

    limiter: ConnectionLimiter
    clock: Clock
    refusals: list[str]
    port: int = 0
    loop: asyncio.AbstractEventLoop | None = None

    def on_loop(self, call: Callable[[], object]) -> None:
        """Call it on the listener's event loop, and wait for the result."""

        async def run() -> None:
            call()

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(run(), self.loop).result(SECONDS)

    def settle(self) -> None:
        """Wait until all bytes that have arrived are handled."""
        for _ in range(2):
            self.on_loop(lambda: None)

    def sweep(self) -> None:
        """Sweep all connections now."""
        self.on_loop(self.limiter.sweep)

    def is_open(self, wire: "Wire") -> bool:
        """Whether the listener keeps the connection, after all that has arrived by now."""
        client, kept = wire.socket.getsockname(), list[bool]()

        def look() -> None:
            kept.extend(
                not connection.transport.is_closing() for connection in self.limiter.open if connection.client == client
            )

        self.on_loop(look)
        return any(kept)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds."""
        wait_until(lambda: bool(condition()), SECONDS, what)

    def wait_open(self, count: int) -> None:
        """Wait until ``count`` connections are accepted."""
        self.wait(lambda: len(self.limiter.open) == count, f"{count} connections")

    def wait_busy(self, count: int = 1) -> None:
        """Wait until ``count`` requests are in progress."""
        self.wait(
            lambda: sum(not connection.is_idle for connection in list(self.limiter.open)) == count, f"{count} requests"
        )


@contextlib.contextmanager
def listening(
    app: Any,
    limits: Limits | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    names: tuple[str, ...] = (),
    clock: Callable[[], float] | None = None,
    sweeping: bool = False,
) -> Iterator[Listening]:
    """Run ``app`` behind the server's limiter; with ``sweeping`` it is maintained periodically."""
    limits, fake, refusals = limits or Limits(), Clock(), list[str]()
    limiter = ConnectionLimiter(limits, clock or fake, names, refusals.append)
    running = Listening(limiter, fake, refusals)
    server = Listener("test", app, "127.0.0.1", 0, limiter, tls).server()

    async def serve() -> None:
        running.loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        maintaining = asyncio.create_task(maintain_all([server], stopped)) if sweeping else None
        await server.serve()
        stopped.set()
        if maintaining is not None:
            await maintaining

    def run() -> None:
        with asyncio.Runner(loop_factory=type("ShortLoop", (Loop,), {"limits": limits})) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="listening", daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, SECONDS, "the listener")
        running.port = server.servers[0].sockets[0].getsockname()[1]
        yield running
    finally:
        server.force_exit = True
        if running.loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                running.loop.call_soon_threadsafe(server.stop)
        thread.join(SECONDS)


@dataclass(frozen=True)
class Answer:
    """A status line, headers by lower-case name, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A client connection, TCP or TLS; closed at the end of its block."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, *, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS, source_address=(source, 0))
        self._read = b""
        if tls is not None:
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
            except BaseException:
                self.socket.close()
                raise

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> "Wire":
        """Send all parts. An error is ignored: the listener may have closed the connection."""
        with contextlib.suppress(OSError):
            self.socket.sendall(b"".join(parts))
        return self

    def answer(self) -> Answer:
        """The next response. Raises EOFError if the connection ends before it."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, rest = self._read.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        self._read = rest
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(line.split()[1]), headers, body)

    def _more(self) -> None:
        part = self.socket.recv(65536)
        if not part:
            raise EOFError(f"the connection ended after {self._read[:200]!r}")
        self._read += part

    def rest(self) -> bytes:
        """All bytes until the listener closes the connection. Raises TimeoutError if it does not."""
        parts = [self._read]
        try:
            while part := self.socket.recv(65536):
                parts.append(part)
        except (ConnectionError, ssl.SSLEOFError):
            pass
        return b"".join(parts)


def post(path: str = "/", body: bytes = b"", *headers: bytes) -> bytes:
    """A complete request."""
    lines = (b"POST %s HTTP/1.1" % path.encode(), b"host: localhost", b"content-length: %d" % len(body), *headers)
    return b"\r\n".join((*lines, b"", body))
