"""Replaces a broken server: no listener, silence, or invalid responses."""

import itertools
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.processes import free_ports

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "


def _http(body: bytes) -> bytes:
    return HEADERS + b"%d\r\n\r\n" % len(body) + body


def _answer(uid: str, **response: Any) -> bytes:
    envelope = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": uid} | response}
    return _http(json.dumps(envelope).encode())


JUNK: tuple[Callable[[str], bytes], ...] = (
    lambda _uid: b"\x00\x01 this is no HTTP\r\n\r\n",
    lambda _uid: _http(b"this is no JSON"),
    lambda _uid: _http(b""),
    lambda _uid: _http(b"[]"),
    lambda _uid: _http(b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}'),
    lambda uid: _answer(uid, allowed="true"),
    lambda uid: _answer(uid, allowed=1),
    lambda _uid: _answer("another", allowed=True),
    lambda uid: _answer(uid, allowed=True, patchType="JSONPatch", patch="AAAA"),
    lambda _uid: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    lambda _uid: b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    lambda _uid: b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
    lambda _uid: b"",
)
"""Answers by the review's UID, none of which is one."""


class StandIn:
    """Holds a port of 127.0.0.1 for a block; its state may change at any time, for connections that come after it."""

    def __init__(self, authority: CertificateAuthority) -> None:
        (self.port,) = free_ports(1)
        self.reviews = 0
        """How many whole requests came."""
        self.connections = 0
        """How many connections were taken."""
        self._junk = itertools.cycle(JUNK)
        self.state = "dead"
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory() as folder:
            self._tls.load_cert_chain(
                *authority.issue("stand-in", server_names=["127.0.0.1", "localhost"]).write(Path(folder), "server")
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.become("dead")

    def become(self, state: str) -> None:
        """``dead``, ``hanging`` (in turn in the handshake, and with a whole review that it never answers) or ``junk``."""
        self.state = state
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for connection in self._open:
            connection.close()
        self._open.clear()
        if state != "dead":
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            threading.Thread(target=self._accept, args=(self._listener, state), daemon=True).start()

    def _accept(self, listener: socket.socket, state: str) -> None:
        with suppress(OSError):
            for number in itertools.count():
                connection, _ = listener.accept()
                self.connections += 1
                self._open.append(connection)
                if state == "hanging" and number % 2:
                    continue
                threading.Thread(target=self._serve, args=(connection, state), daemon=True).start()

    def _serve(self, connection: socket.socket, state: str) -> None:
        with suppress(OSError, ValueError):
            wrapped = self._tls.wrap_socket(connection, server_side=True)
            self._open.append(wrapped)
            uid = _read_review(wrapped)
            self.reviews += 1
            if state == "junk":
                wrapped.sendall(next(self._junk)(uid))
                wrapped.close()


def _read_review(connection: ssl.SSLSocket) -> str:
    """The UID in a whole request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < length:
        body += _some(connection)
    return str(json.loads(body)["request"]["uid"])


def _some(connection: ssl.SSLSocket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise OSError("ended")
    return part
