"""``migratable serve`` as one process without a cluster, with facts from a folder."""

import http.client
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certs import dev
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Alone:
    """A running server."""

    popen: subprocess.Popen[bytes]
    admission: int
    api: int
    health: int
    folder: Path

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return (self.folder / "out").read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far; every line is JSON."""
        return [json.loads(line) for line in (self.folder / "err").read_text().splitlines()]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"https://localhost:{self.api}/"

    def connect(self, port: int) -> http.client.HTTPConnection:
        """A connection to keep; TLS unless it is the health port."""
        if port == self.health:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        trust = ssl.create_default_context(cafile=str(self.folder / "certs" / "ca.crt"))
        return http.client.HTTPSConnection("localhost", port, timeout=SECONDS, context=trust)

    def ask(self, port: int, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Got:
        """One request on a connection of its own."""
        connection = self.connect(port)
        try:
            return ask(connection, method, path, body, kind)
        finally:
            connection.close()

    def ready(self) -> int:
        """The status of /readyz, as a kubelet reads it, and 0 without a listener. Raises an error if the process has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"the server ended with {self.popen.returncode}: {(self.folder / 'err').read_text()}")
        try:
            return self.ask(self.health, "GET", "/readyz").status
        except OSError:
            return 0

    def terminate(self) -> None:
        """As kubelet does."""
        self.popen.send_signal(signal.SIGTERM)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", kind: str = "application/json"
) -> Got:
    """One request on a connection that may be kept."""
    connection.request(method, path, body or None, {"Content-Type": kind} if body else {})
    answer = connection.getresponse()
    return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def command(folder: Path, ports: list[int], *flags: str) -> list[str]:
    """How it is started, with certificates and output in a folder."""
    names = ("--admission-port", "--api-port", "--health-port")
    numbers = [part for name, port in zip(names, ports, strict=True) for part in (name, str(port))]
    return [sys.executable, "-m", "webhook", "serve", "--cert-dir", str(folder / "certs"), *numbers, *flags]


@contextmanager
def alone(folder: Path, *flags: str) -> Iterator[Alone]:
    """Runs it; ready when the block begins, gone when it ends."""
    dev.ensure(folder / "certs", datetime.now(UTC))
    ports = free_ports(3)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        popen = subprocess.Popen(command(folder, ports, *flags), stdout=out, stderr=err, cwd=ROOT)
    admission, api, health = ports
    server = Alone(popen, admission, api, health, folder)
    try:
        wait_until(lambda: server.ready() == 200, SECONDS, "the server to be ready")
        yield server
    finally:
        popen.kill()
        popen.wait(SECONDS)


def started(folder: Path, *flags: str, ports: list[int] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs it until it ends."""
    return subprocess.run(
        command(folder, ports or free_ports(3), *flags),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=SECONDS,
    )
