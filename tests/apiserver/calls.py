"""
Many HTTPS calls from one process of their own: at a steady rate, or as a burst of many clients.

At a steady rate a late response delays no later call, and its time counts from the moment at which the call was due, or, where
the time of the server alone is asked for, from the moment at which it was sent.
"""

import asyncio
import itertools
import json
import ssl
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import httptools
import uvloop

from tests.apiserver.controlplane import ControlPlane

ROOT = Path(__file__).resolve().parents[2]
NOW = "@now@"
"""In a body: replaced by the monotonic seconds at which the call is sent."""
CALL_SECONDS = 60.0
_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    method: str
    path: str
    body: str
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        body = self.body.replace(NOW, f"{time.monotonic():017.6f}").encode()
        head = f"{self.method} {self.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {self.content_type}\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Job:
    """The calls and their rate. Without ``rate``, each of ``clients`` makes ``per_client`` calls, one after the other."""

    url: str
    authority: str
    """The certificate authority of the server, PEM."""
    calls: Sequence[Call]
    wanted: Mapping[str, str]
    """The text that a response must contain, by its status; any other response is a failure."""
    certificate: str = ""
    """A file with the client certificate and its key."""
    clients: int = 16
    per_client: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    from_due: bool = True
    """Whether the time of a call counts from when it was due; else from when it was sent."""


@dataclass
class Outcome:
    """How the calls ended."""

    took: float = 0.0
    connected: float = 0.0
    """Seconds until all clients of a burst had their connections."""
    times: dict[str, list[float]] = field(default_factory=dict)
    """The seconds of each call by the status of its response, in ascending order."""
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def all_times(self) -> list[float]:
        """The seconds of all calls, in ascending order."""
        return sorted(itertools.chain(*self.times.values()))

    @property
    def calls(self) -> int:
        """The number of calls."""
        return sum(map(len, self.times.values()))

    @property
    def failed(self) -> int:
        """The number of calls without a wanted response."""
        return self.failures.total()

    def count(self, status: int) -> int:
        """The number of responses with this status."""
        return len(self.times.get(str(status), ()))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed; not a number where there are none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def share_within(ordered: Sequence[float], limit: float) -> float:
    """Which share of the values is at most ``limit``."""
    return bisect_right(ordered, limit) / len(ordered) if ordered else float("nan")


def to_apiserver(plane: ControlPlane, calls: Sequence[Call], wanted: Mapping[int, str], **how: Any) -> Job:
    """A job of the cluster administrator."""
    texts = {str(status): text for status, text in wanted.items()}
    certificate = str(plane.client.folder / "administrator.pem")
    return Job(plane.url, plane.ca.cert_pem.decode(), calls, texts, certificate, **how)


class Calls:
    """A job under way in another process; ``outcome`` waits for its end."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> Self:
        argv = [sys.executable, "-m", "tests.apiserver.calls"]
        self._said = tempfile.TemporaryFile()  # a pipe would block the process until it is read
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=self._said, cwd=ROOT)
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(asdict(self._job)).encode())
        self.popen.stdin.close()
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self._said.close()

    @property
    def ended(self) -> bool:
        """Whether all calls were made."""
        return self.popen.poll() is not None

    def outcome(self) -> Outcome:
        """How the calls ended."""
        if status := self.popen.wait():
            raise RuntimeError(f"the calling process ended with {status}")
        self._said.seek(0)
        fields = json.load(self._said)
        return Outcome(**{**fields, "failures": Counter(fields["failures"])})


def make(job: Job) -> Outcome:
    """Make the calls of a job, and wait."""
    with Calls(job) as running:
        return running.outcome()


class _Response(NamedTuple):
    status: int
    has_retry_after: bool
    body: bytes


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[_Response] | None = None
        self._body: list[bytes] = []
        self._has_retry_after = False

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> "asyncio.Future[_Response]":
        self._waiting = asyncio.get_running_loop().create_future()
        if self._transport is None:
            raise ConnectionResetError
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, _value: bytes) -> None:
        self._has_retry_after |= name.lower() == b"retry-after"

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        response = _Response(self._parser.get_status_code(), self._has_retry_after, b"".join(self._body))
        self._body, self._has_retry_after = [], False
        if not self._parser.should_keep_alive():
            self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(response)


class _Caller:
    """Makes the calls of a job and notes how they end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        at = urlsplit(job.url)
        self._host, self._port = str(at.hostname), at.port
        self._tls = ssl.create_default_context(cadata=job.authority)
        if job.certificate:
            self._tls.load_cert_chain(job.certificate)
        self._turns = itertools.cycle(job.calls)
        self._numbers = itertools.count()
        self._times: defaultdict[str, list[float]] = defaultdict(list)
        self._failures: Counter[str] = Counter()

    async def run(self) -> Outcome:
        began = time.monotonic()
        if self._job.rate:
            await asyncio.gather(*(self._at_a_rate(began) for _ in range(self._job.clients)))
            connected = 0.0
        else:
            opened = await asyncio.gather(*(self._connect() for _ in range(self._job.clients)))
            connected, began = time.monotonic() - began, time.monotonic()
            await asyncio.gather(*(self._in_a_burst(connection) for connection in opened))
        times = {status: sorted(seconds) for status, seconds in self._times.items()}
        return Outcome(time.monotonic() - began, connected, times, self._failures)

    async def _at_a_rate(self, began: float) -> None:
        connection: _Connection | None = None
        while (due := began + next(self._numbers) / self._job.rate) < began + self._job.seconds:
            if not await _kept_rate(due):
                return  # the machine cannot do it; what is missing shows in the number of calls
            connection = await self._call(connection, due)

    async def _in_a_burst(self, connection: _Connection) -> None:
        for _ in range(self._job.per_client):
            connection = await self._call(connection, time.monotonic()) or await self._connect()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CALL_SECONDS):
            _, made = await loop.create_connection(
                _Connection, self._host, self._port, ssl=self._tls, ssl_handshake_timeout=CALL_SECONDS
            )
        return made

    async def _call(self, connection: _Connection | None, due: float) -> _Connection | None:
        """One call, on this connection if it can be used; gives the connection for the next."""
        status = "none"
        try:
            if connection is None or not connection.usable:
                connection = await self._connect()
            if not self._job.from_due:
                due = time.monotonic()
            response = await asyncio.wait_for(connection.ask(next(self._turns).encoded()), CALL_SECONDS)
            status = str(response.status)
            self._note(status, response)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            self._failures[f"no response: {type(error).__name__}"] += 1
            if connection is not None:
                connection.close()
            connection = None
        self._times[status].append(round(time.monotonic() - due, 6))
        return connection

    def _note(self, status: str, response: _Response) -> None:
        text = self._job.wanted.get(status)
        if text is None or text.encode() not in response.body:
            self._failures[f"{status}: {response.body[:_LIMIT].decode(errors='replace')}"] += 1
        elif response.status == 503 and not response.has_retry_after:
            self._failures["503 without Retry-After"] += 1


async def _kept_rate(due: float) -> bool:
    """Sends no call before it is due, as the rate of the load requires. Returns False if the call is much too late."""
    pause = due - time.monotonic()
    if pause > 0:
        await asyncio.sleep(pause)
    return -pause <= CALL_SECONDS


def main() -> None:
    """Reads a job from standard input, writes its outcome to standard output."""
    fields = json.load(sys.stdin)
    job = Job(**{**fields, "calls": [Call(**call) for call in fields["calls"]]})
    json.dump(vars(uvloop.run(_Caller(job).run())), sys.stdout)


if __name__ == "__main__":
    main()
