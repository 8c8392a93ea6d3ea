"""
The processes of a check: the parent, and workers made with ``fork``. A worker has all that the parent has read, and answers
requests over pipes. The parent answers its own requests while it waits for the workers.

The parent reads and writes without waiting for one worker, so no pair of processes can wait for each other. A worker ends when
its pipe to the parent is closed, also if the parent was killed. ``close`` ends all workers.
"""

import _pickle as pickle  # `pickle` also imports an implementation in Python: 1 ms
import gc
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from mmap import mmap
from select import POLLIN, POLLOUT, poll
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from webhook.errors import WebhookError

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # `signal` makes enumerations of these constants

Begin: TypeAlias = Callable[[int], None]
"""Records the number of the file that a worker reads."""
Answer: TypeAlias = Callable[[Any], Iterable[Any]]
"""The replies to a request."""
_LENGTH = 8
"""Bytes for the length of a message."""
_CHUNK = 1 << 18
_NO_FILE = -1
_MOST_RECURSION = 10_000
"""pickle recurses several times for each level of an object, and objects of 512 levels are valid (``json_depth.MAX_DEPTH``)."""
_SPARE = 8
"""Number of descriptors that are kept for the files that a process reads."""


class Crashed(Exception):
    """A worker ended, or a process failed with an exception that is not a WebhookError."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number
        """The number of the file that the process judged, or -1."""


class _Failure(str):
    """The reply of a worker that failed with an exception."""

    __slots__ = ()


class _Worker:
    """The parent's ends of the pipes to a worker."""

    def __init__(self, process: int, requests: int, replies: int) -> None:
        self.process = process
        self.requests = requests
        self.replies = replies
        self.ends = (requests, replies)
        self.has_ended = False
        self.unsent = bytearray()
        self.received = bytearray()
        for descriptor in self.ends:
            os.set_blocking(descriptor, False)

    def messages(self) -> Iterable[Any]:
        """The complete messages that were received."""
        while len(self.received) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self.received[:_LENGTH], "little")
            if len(self.received) < end:
                return
            message = bytes(memoryview(self.received)[_LENGTH:end])
            del self.received[:end]
            yield pickle.loads(message)  # from a process of this check

    def wait(self) -> str:
        """Waits for the end of the worker, and returns how it ended."""
        self.has_ended = True
        try:
            _, status = os.waitpid(self.process, 0)
        except ChildProcessError:  # SIGCHLD is ignored, as the program that started this one did, so there is no status
            return "ended"
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return f"ended with status {code}"
        from signal import Signals  # noqa: PLC0415 - only for a crash

        try:
            return f"was ended by {Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"


class Processes:
    """
    At most ``count`` processes, of which the last one is this process. There are fewer if the system refuses to start more, or to
    open more pipes.

    ``answering`` is called in each worker. ``answering_here`` is called in this process, after all workers have started.
    """

    def __init__(
        self, count: int, answering: Callable[[Begin], Answer], answering_here: Callable[[Begin], Answer]
    ) -> None:
        self._workers: list[_Worker] = []
        self._replies: deque[tuple[int, Any]] = deque()
        self._own: deque[Any] = deque()
        """The requests to this process."""
        self._files = memoryview(mmap(-1, _LENGTH * count)).cast("q")  # shared with the workers
        self._poll = poll()
        self._spare: list[int] = []
        gc.freeze()  # a collection would copy the memory that the processes share
        # SIGINT stays blocked in workers, because the parent ends them
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            with suppress(OSError):
                self._spare += (os.open(os.devnull, os.O_RDONLY) for _ in range(_SPARE))
                for index in range(count - 1):
                    self._fork(index, answering)
        finally:
            self._close_spare()
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self._answer = answering_here(self._begin)

    def __len__(self) -> int:
        return len(self._workers) + 1

    def send(self, index: int, request: Any) -> None:  # noqa: ANN401 - a request
        """Sends a request to a process."""
        if index == len(self._workers):
            self._own.append(request)
            return
        worker = self._workers[index]
        worker.unsent += _framed(request)
        self._write(worker)

    def receive(self) -> tuple[int, Any]:
        """
        Returns the next reply, with the index of its process. If no worker has replied yet, this process answers a request.

        Raises the error with which a process ended, such as a full disk, and Crashed if it ended in another way.
        """
        self._transfer(0)
        while not self._replies:
            if self._own:
                self._answer_here(self._own.popleft())
            else:
                self._transfer(None)
        return self._replies.popleft()

    def _answer_here(self, request: Any) -> None:  # noqa: ANN401 - a request
        """Answers a request to this process, and raises the same errors as for a worker."""
        own = len(self._workers)
        try:
            self._replies.extend((own, reply) for reply in self._answer(request))
        except (Crashed, WebhookError):  # Crashed if a worker ends meanwhile (``_begin``)
            raise
        except Exception as error:
            raise Crashed(f"failed with {type(error).__name__}", self._files[own]) from error

    def _begin(self, number: int) -> None:
        """Notes the file that this process judges next, and transfers messages, so that no worker waits for this process."""
        self._files[len(self._workers)] = number
        self._transfer(0)

    def _transfer(self, timeout: int | None) -> None:
        """Reads and writes what is possible. Waits at most ``timeout`` until something is."""
        for descriptor, _ in self._poll.poll(timeout):
            for index, worker in enumerate(self._workers):
                if descriptor == worker.requests:
                    self._write(worker)
                elif descriptor == worker.replies:
                    self._read(index, worker)

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._workers:
            if not worker.has_ended:
                with suppress(ProcessLookupError):
                    os.kill(worker.process, signal.SIGKILL)
        while self._workers:
            worker = self._workers.pop()
            for descriptor in worker.ends:
                os.close(descriptor)
            if not worker.has_ended:
                with suppress(ChildProcessError):
                    os.waitpid(worker.process, 0)

    def _fork(self, index: int, answering: Callable[[Begin], Answer]) -> None:
        descriptors: list[int] = []
        try:
            descriptors += os.pipe()
            descriptors += os.pipe()
            process = os.fork()
        except OSError:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        requests, replies = descriptors[:2], descriptors[2:]
        if not process:
            try:
                self._close_spare()
                for descriptor in (requests[1], replies[0], *(end for each in self._workers for end in each.ends)):
                    os.close(descriptor)
                _serve(
                    requests[0], replies[1], lambda: answering(lambda number: self._files.__setitem__(index, number))
                )
            finally:  # a worker never returns into the code of the parent
                os._exit(1)
        os.close(requests[0])
        os.close(replies[1])
        self._files[index] = _NO_FILE
        worker = _Worker(process, requests[1], replies[0])
        self._workers.append(worker)
        self._poll.register(worker.replies, POLLIN)

    def _close_spare(self) -> None:
        while self._spare:
            os.close(self._spare.pop())

    def _write(self, worker: _Worker) -> None:
        """Writes as much as the pipe takes. The rest is written when the pipe is ready."""
        waits = bool(worker.unsent)
        with suppress(BlockingIOError, BrokenPipeError):  # a worker that ended is found when its replies end
            while worker.unsent:
                del worker.unsent[: os.write(worker.requests, worker.unsent)]
        if worker.unsent:
            self._poll.register(worker.requests, POLLOUT)
        elif waits:
            with suppress(KeyError):
                self._poll.unregister(worker.requests)

    def _read(self, index: int, worker: _Worker) -> None:
        chunk = os.read(worker.replies, _CHUNK)
        if not chunk:
            raise Crashed(worker.wait(), self._files[index])
        worker.received += chunk
        for message in worker.messages():
            if isinstance(message, WebhookError):
                raise message
            if isinstance(message, _Failure):
                raise Crashed(str(message), self._files[index])
            self._replies.append((index, message))


def _framed(message: Any) -> bytes:  # noqa: ANN401 - a request or a reply
    content = pickled(message)
    return len(content).to_bytes(_LENGTH, "little") + content


def pickled(value: Any) -> bytes:  # noqa: ANN401 - a message, or objects in it
    """A value for another process."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(_MOST_RECURSION)
    try:
        return pickle.dumps(value, protocol=-1)  # the highest protocol
    finally:
        sys.setrecursionlimit(usual)


def _serve(requests: int, replies: int, answering: Callable[[], Answer]) -> NoReturn:
    """
    The worker: answers requests until the parent closes the pipe.

    ``os._exit`` leaves the parent's streams alone.
    """
    with open(requests, "rb") as source, open(replies, "wb") as target:
        try:
            answer = answering()
            while length := source.read(_LENGTH):
                for reply in answer(pickle.loads(source.read(int.from_bytes(length, "little")))):  # from the parent
                    target.write(_framed(reply))
                    target.flush()
        except OSError:  # the parent has ended
            pass
        except WebhookError as error:
            target.write(_framed(error))
        except BaseException as error:  # noqa: BLE001 - the wall of the process
            target.write(_framed(_Failure(f"failed with {type(error).__name__}")))
    os._exit(0)
