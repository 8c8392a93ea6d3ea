"""A process of the server's own code. Its only input is a socket to the server."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from math import ceil
from multiprocessing.connection import Connection
from typing import TypeVar

from webhook.errors import Unavailable

T = TypeVar("T")

INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
"""Environment variables that each process gets."""


class Queue:
    """Runs work in a few threads, with a short queue. ``subject`` is the subject of the error for a full queue."""

    def __init__(self, at_once: int, most_waiting: int, subject: str, executor: Executor | None = None) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self._subject = subject
        self._executor = executor
        self._waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """Runs ``work`` in a thread. Raises Unavailable if the queue is full."""
        if self._waiting >= self._most_waiting:
            raise Unavailable(f"too many {self._subject}", remedy="Try again in a second.")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        doing = asyncio.get_running_loop().run_in_executor(self._executor, work)
        doing.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(doing)  # the thread continues if the request is cancelled, and keeps its turn


class ChildProcess:
    """
    A module that runs in a process of its own, with the number of its socket as the only argument.

    One thread at a time uses it. ``first`` is the first frame that a new process gets.
    """

    def __init__(self, module: str, first: bytes, most_seconds: float, inherited: Iterable[str] = INHERITED) -> None:
        self.most_seconds = most_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self._module = module
        self._first = first
        self._inherited = tuple(inherited)
        self._connection: Connection | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process was started, and has not ended."""
        return self._connection is not None and self.process is not None and self.process.poll() is None

    def connection(self) -> Connection:
        """The connection to a running process. Starts the process if it does not run."""
        if self._connection is not None and self.is_running:
            return self._connection
        self.stop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for limit in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # the process can hang in the middle of a frame
                ours.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", ceil(self.most_seconds), 0))
            self.process = subprocess.Popen(  # noqa: S603 - no input of a caller
                [sys.executable, "-m", self._module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in self._inherited if name in os.environ},
                pass_fds=(theirs.fileno(),),
                process_group=0,  # Ctrl-C in a terminal must stop only the server
            )
            self._connection = Connection(ours.detach())
        self._connection.send_bytes(self._first)
        return self._connection

    def stop(self) -> None:
        """Ends the process."""
        process, self.process = self.process, None
        connection, self._connection = self._connection, None
        if process is not None:
            process.kill()  # before the connection is closed, so that a waiting thread reads the end of the stream
            process.wait()
        if connection is not None:
            connection.close()
