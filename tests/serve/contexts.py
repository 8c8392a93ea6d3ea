"""TLS contexts of a test server and its clients."""

import ssl
from pathlib import Path

from tests.apiserver.pki import CertificateAuthority, KeyPair


def server_context(authority: CertificateAuthority, folder: Path) -> ssl.SSLContext:
    """The context of a server that requests no client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", server_names=["localhost"]).write(folder, "server"))
    return context


def client_context(authority: CertificateAuthority, folder: Path, pair: KeyPair | None) -> ssl.SSLContext:
    """The context of a client, with or without a certificate."""
    context = ssl.create_default_context(cadata=authority.cert_pem.decode())
    if pair is not None:
        context.load_cert_chain(*pair.write(folder, "client"))
    return context
