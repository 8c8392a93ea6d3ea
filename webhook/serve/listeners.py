"""
Runs three listeners in one process, and shuts them down.

On SIGTERM the server becomes unready and keeps listening. Every response then has ``Connection: close``, so that API servers
close their pooled connections. The server finishes the current requests and exits. If the listeners closed first, requests
would be lost.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from webhook.errors import Misconfigured
from webhook.serve.direct import Batch, DirectProtocol
from webhook.serve.limits import SWEEP_SECONDS, ConnectionLimiter, LimitedProtocol

log = logging.getLogger("migratable.serve")

KEEP_ALIVE = 120
"""
Keep-alive timeout in seconds. API servers keep idle connections for about 90 s, and do not retry a POST on a closed connection.
"""
GRACE = 5
BACKLOG = 2048
_TRIED = 50
"""The maximum number of ports that the search for a free port tries."""


class Server(uvicorn.Server):
    """
    A server that does not handle signals, because ``serve_all`` handles them, and that sleeps until ``stop``. uvicorn's server
    wakes up ten times a second.
    """

    def __init__(self, config: uvicorn.Config, limiter: ConnectionLimiter) -> None:
        super().__init__(config)
        self._limiter = limiter
        self._stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing."""
        yield

    async def main_loop(self) -> None:
        """Set the first Date header, and wait for ``stop``."""
        await self.on_tick(0)
        await self._stopping.wait()

    async def maintain(self) -> None:
        """Close connections that exceed a time limit, and update the Date header."""
        self._limiter.sweep()
        if await self.on_tick(0):
            self.stop()

    def stop(self) -> None:
        """Begin to shut down."""
        self.should_exit = True
        self._stopping.set()


@dataclass(frozen=True, slots=True)
class Listener:
    """One port and the application behind it."""

    name: str
    app: Any
    host: str
    port: int
    limiter: ConnectionLimiter
    tls: ssl.SSLContext | None = None
    option: str = ""
    """The option that chooses the port. By default, ``--NAME-port``."""

    def bind(self, port: int | None = None) -> socket.socket:
        """
        Bind ``port``, or the listener's port if ``port`` is None. Raises OSError if the port cannot be bound. uvicorn would end
        the process instead.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        return socket.create_server((self.host, port or self.port), family=family, backlog=BACKLOG)

    def _protocol(self) -> Callable[..., LimitedProtocol]:
        if hasattr(self.app, "answer_directly"):
            return partial(DirectProtocol, self.app, Batch(), self.limiter)
        return partial(LimitedProtocol, self.limiter)

    def server(self) -> Server:
        """Returns a server for this listener, without access log."""
        return Server(
            uvicorn.Config(
                self.app,
                host=self.host,
                port=self.port,
                loop="none",
                http=self._protocol(),  # type: ignore[arg-type] # uvicorn only calls it
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                ssl_context_factory=(lambda _config, _default: self.tls) if self.tls is not None else None,  # type: ignore[arg-type,return-value]
            ),
            self.limiter,
        )


class Draining:
    """Whether the process is shutting down."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    def __call__(self) -> bool:
        """Whether the process has received SIGTERM or SIGINT."""
        return self.began.is_set()


def bind_all(listeners: Sequence[Listener]) -> list[socket.socket]:
    """Bind all ports. If any port cannot be bound, binds none, and raises Misconfigured with all such ports."""
    failed: list[tuple[Listener, OSError]] = []
    with contextlib.ExitStack() as stack:
        bound = []
        for listener in listeners:
            try:
                bound.append(stack.enter_context(listener.bind()))
            except OSError as error:
                failed.append((listener, error))
        if failed:
            raise _unbound(failed, taken={listener.port for listener in listeners})
        stack.pop_all()
        return bound


def _unbound(failed: Sequence[tuple[Listener, OSError]], taken: set[int]) -> Misconfigured:
    """Returns the error for all ports that cannot be bound, with flags that choose free ports."""
    host = failed[0][0].host
    problems, flags = [], []
    for listener, error in failed:
        reason = (error.strerror or str(error)).partition(" (while ")[0]  # without the address that Python appends
        problems.append(f"port {listener.port} for {listener.name}: {reason}")
        if free := _free_port(listener, taken):
            flags.append(f"{listener.option or f'--{listener.name}-port'} {free}")
            taken.add(free)
    own = " ".join(flags) if any(listener.option for listener, _ in failed) else _with_make(" ".join(flags))
    remedy = f"Choose other ports, for example `{own}`." if flags else "Choose another --host."
    return Misconfigured(f"cannot listen on {host}: {'; '.join(problems)}", remedy=remedy)


def _with_make(flags: str) -> str:
    """Returns the flags of `serve` as the user must write them. make sets MAKELEVEL for the commands that it runs."""
    return f"make run PORTS='{flags}'" if "MAKELEVEL" in os.environ else flags


def _free_port(listener: Listener, taken: set[int]) -> int | None:
    """Returns a free port near the listener's port, or None."""
    unprivileged = max(listener.port, 1024)
    for port in range(unprivileged + 1, min(unprivileged + _TRIED, 65535) + 1):
        if port not in taken:
            with contextlib.suppress(OSError), listener.bind(port):
                return port
    return None


async def serve_all(
    listeners: Sequence[Listener], bound: Sequence[socket.socket], draining: Draining, drain_seconds: float
) -> None:
    """Serve on the bound ports until a signal arrives, then shut down."""
    servers = [listener.server() for listener in listeners]
    loop = asyncio.get_running_loop()
    hurry = asyncio.Event()

    def stop() -> None:
        if draining.began.is_set():
            hurry.set()
        draining.began.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [
        asyncio.create_task(server.serve(sockets=[port]), name=listener.name)
        for server, port, listener in zip(servers, bound, listeners, strict=True)
    ]
    stopped = asyncio.Event()
    maintaining = asyncio.create_task(maintain_all(servers, stopped))
    waiting = asyncio.create_task(draining.began.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    if draining.began.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), drain_seconds)
    for server in servers:
        server.stop()
    waiting.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    stopped.set()
    await maintaining
    for task in tasks:
        task.result()


async def maintain_all(servers: Sequence[Server], stopped: asyncio.Event) -> None:
    """Maintain all servers periodically until ``stopped`` is set. One timer serves all, because each wake-up needs CPU time."""
    while not stopped.is_set():
        try:
            await asyncio.wait_for(stopped.wait(), SWEEP_SECONDS)
        except TimeoutError:
            for server in servers:
                try:
                    await server.maintain()
                except Exception:
                    log.exception("a listener was not maintained", extra={"port": server.config.port})
