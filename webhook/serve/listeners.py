"""
Three listeners in one process, and their shutdown.

On SIGTERM the server becomes unready, keeps listening with ``Connection: close`` in every response, so that API servers close
their pooled connections, finishes the current requests, and exits. Closing the listeners first would lose requests.
"""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn

from webhook.errors import Misconfigured
from webhook.serve.limits import ConnectionLimiter

KEEP_ALIVE = 120
"""Seconds. API servers keep idle connections for about 90 s, and do not retry a POST on a closed one."""
GRACE = 5
BACKLOG = 2048


class _Server(uvicorn.Server):
    """A server that does not handle signals; ``serve_all`` does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass(frozen=True, slots=True)
class Listener:
    """One port and the application behind it."""

    name: str
    app: Any
    host: str
    port: int
    limiter: ConnectionLimiter
    tls: ssl.SSLContext | None = None

    def bind(self) -> socket.socket:
        """Bind the port. Raises Misconfigured if that fails; uvicorn would end the process."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            reason = (error.strerror or "").partition(" (while ")[0]  # without the address that Python appends
            raise Misconfigured(
                f"cannot listen on {self.host} port {self.port} for {self.name}: {reason}",
                remedy=f"Choose another with --{self.name}-port or --host.",
            ) from None

    def server(self) -> uvicorn.Server:
        """A uvicorn server for this listener, without access log."""
        return _Server(
            uvicorn.Config(
                self.app,
                host=self.host,
                port=self.port,
                loop="none",
                http=self.limiter.protocol,  # type: ignore[arg-type] # uvicorn only calls it
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
            )
        )


class Draining:
    """Whether the process is shutting down."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    def __call__(self) -> bool:
        """True after the first SIGTERM or SIGINT."""
        return self.began.is_set()


def bind_all(listeners: Sequence[Listener]) -> list[socket.socket]:
    """Bind all ports, or none. Raises Misconfigured."""
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(listener.bind()) for listener in listeners]
        stack.pop_all()
        return bound


async def serve_all(
    listeners: Sequence[Listener], bound: Sequence[socket.socket], draining: Draining, drain_seconds: float
) -> None:
    """Serve on bound ports until a signal, then shut down."""
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
    sweeping = [asyncio.create_task(listener.limiter.run(stopped)) for listener in listeners]
    waiting = asyncio.create_task(draining.began.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    if draining.began.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), drain_seconds)
    for server in servers:
        server.should_exit = True
    waiting.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    stopped.set()
    await asyncio.gather(*sweeping)
    for task in tasks:
        task.result()
