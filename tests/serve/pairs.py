"""Serving certificates for tests, good and bad, and handshakes without a network."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from certs.authority import CertificateAuthority, KeyPair

NAME = "migratable.migratable.svc"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
AUTHORITY = CertificateAuthority.mint(NOW)
STRANGER = CertificateAuthority.mint(NOW)


def sign(authority: CertificateAuthority = AUTHORITY, *, at: datetime = NOW, name: str = NAME) -> KeyPair:
    """A new leaf, for seven days."""
    return authority.sign((name,), at)


def put(folder: Path, certificate: bytes | None, key: bytes | None) -> None:
    """Write both files in place, or take away the one that is None."""
    for name, content in (("tls.crt", certificate), ("tls.key", key)):
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)


def put_pair(folder: Path, pair: KeyPair) -> KeyPair:
    """Write a pair, and give it back."""
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, pair.certificate, pair.key)
    return pair


def trust(*authorities: CertificateAuthority) -> ssl.SSLContext:
    """A client that trusts these authorities alone."""
    pem = b"".join(one.pair.certificate for one in authorities)
    return ssl.create_default_context(cadata=pem.decode())


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str = NAME) -> str:
    """Complete a handshake in memory and give the certificate that was served, PEM; raises ``ssl.SSLError``."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    # with TLS 1.3 the server's refusal of a client's certificate comes after the client's own handshake
    ends[1].write(b"x")
    ends[0].read(1)
    der = ends[0].getpeercert(binary_form=True)
    assert der is not None
    return ssl.DER_cert_to_PEM_cert(der)
