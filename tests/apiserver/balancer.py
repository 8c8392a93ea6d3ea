"""Balances like kube-proxy: it sends new TCP connections to the replicas in turn, and skips a replica that is down."""

import asyncio
import itertools
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.apiserver.processes import free_ports


class Balancer:
    """Listens on a port of 127.0.0.1 while the block lasts, and counts the connections that it took."""

    def __init__(self, replicas: Sequence[int]) -> None:
        self._replicas = tuple(replicas)
        self._turns = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        (self.port,) = free_ports(1)
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024), self._loop
        ).result(10)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def leave(self, port: int) -> None:
        """New connections go to the others; those that are open stay, as those of a pod that terminates do."""
        self._replicas = tuple(_replica for _replica in self._replicas if _replica != port)

    def join(self, port: int) -> None:
        """New connections go to this replica, too."""
        self._replicas = (*self._replicas, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        turn = next(self._turns)
        replicas = self._replicas
        for attempt in range(len(replicas)):
            port = replicas[(turn + attempt) % len(replicas)]
            with suppress(OSError, asyncio.CancelledError):  # the latter only at the end, where no caller waits for it
                there, back = await asyncio.open_connection("127.0.0.1", port)
                try:
                    await asyncio.gather(_copy(reader, back), _copy(there, writer))
                finally:
                    back.close()
                    writer.close()
                return
        writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source ends; then the sink ends too, as TCP does it."""
    with suppress(OSError):
        while octets := await source.read(65536):
            sink.write(octets)
            await sink.drain()
    with suppress(OSError):
        sink.close()
