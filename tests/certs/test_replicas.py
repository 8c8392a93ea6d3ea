"""certs.replicas: the certificate that each address serves, read by a handshake."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from certs.authority import CertificateAuthority
from certs.dev import write_file
from certs.replicas import DnsReplicas
from tests.certs.world import NAMES, NOW

AUTHORITY = CertificateAuthority.mint(NOW)
LEAF = AUTHORITY.sign(NAMES, NOW)


def server_context(folder: Path) -> ssl.SSLContext:
    write_file(folder / "tls.crt", LEAF.certificate, 0o600)
    write_file(folder / "tls.key", LEAF.key, 0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


@contextmanager
def listening(context: ssl.SSLContext | None, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that shakes hands, or, without a context, one that says nothing to anybody."""
    with socket.create_server((address, port)) as listener:
        listener.settimeout(30)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    connection.settimeout(30)
                    with connection, suppress(OSError):
                        if context is None:
                            connection.recv(10_000)
                            ended.wait(30)
                        else:
                            with context.wrap_socket(connection, server_side=True) as tls:
                                tls.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            with suppress(OSError), socket.create_connection((address, listener.getsockname()[1]), 1):
                pass
            thread.join(30)


@pytest.mark.parametrize("demands_a_certificate", [False, True])
def test_the_served_certificate_is_returned(tmp_path: Path, demands_a_certificate: bool) -> None:
    """
    Also by a server that would not speak with us, since a client has to show its certificate only later.
    """
    context = server_context(tmp_path)
    if demands_a_certificate:
        context.verify_mode = ssl.CERT_REQUIRED

    with listening(context) as port:
        served = DnsReplicas([("127.0.0.1", port)], NAMES[0]).served()

    assert served == {f"127.0.0.1:{port}": LEAF.certificate}


def test_each_address_of_a_name_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A headless Service has one address per replica. An address that does not respond is left out and causes no delay.
    """
    addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2"]

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert host == "replicas.migratable.svc"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    context = server_context(tmp_path)
    with listening(context) as port, listening(context, "127.0.0.2", port):
        # a literal address is looked up as well, when it is connected to
        original = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *at, **how: (resolve if host[0] == "r" else original)(host, *at, **how)
        )
        served = DnsReplicas([("replicas.migratable.svc", port)], NAMES[0]).served()

    assert served == {f"127.0.0.{number}:{port}": LEAF.certificate for number in (1, 2)}


def test_a_server_without_a_handshake_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A hanging replica costs a second to connect and one to say nothing.
    """
    monkeypatch.setattr("certs.replicas.HANDSHAKE_SECONDS", 0.05)

    with listening(None) as port:
        assert DnsReplicas([("127.0.0.1", port)], NAMES[0]).served() == {}


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70, "..", ""])
def test_an_invalid_name_has_no_replicas(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """
    Then only the settle time applies, and the log says once that no replica responded.
    """
    replicas = DnsReplicas([(host, 1)], NAMES[0])

    with caplog.at_level(logging.INFO, "certs"):
        assert [replicas.served(), replicas.served()] == [{}, {}]

    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 1
    assert messages[0].startswith("0 of ")
