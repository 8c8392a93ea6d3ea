"""Only clients with the API server's certificate are served, tested on the wire."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.apiserver.pki import CertificateAuthority, KeyPair
from tests.serve.contexts import client_context, server_context
from tests.serve.wire import Counting, Wire, listening, post
from webhook.serve.limits import is_trusted_client

CALLERS: dict[str, Callable[[CertificateAuthority], KeyPair | None]] = {
    "none": lambda _right: None,
    "signed by itself": lambda _right: CertificateAuthority("another").issue("kube-apiserver"),
    "another name": lambda right: right.issue("system:node:node01"),
    "a name that begins so": lambda right: right.issue("kube-apiserver-kubelet-client"),
    "a server's": lambda right: right.issue("kube-apiserver", server_names=["kube-apiserver"]),
    "a group of that name": lambda right: right.issue("tenant", groups=["kube-apiserver"]),
}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("caller", CALLERS)
def test_only_the_api_server_gets_a_response(
    app: Counting, authority: CertificateAuthority, tmp_path: Path, caller: str, version: ssl.TLSVersion
) -> None:
    """
    T1: no certificate, one of another authority, another name, or a server's certificate gets no HTTP byte back, and no
    handler runs for it; the API server's own is served before and after.
    """
    server_tls = server_context(authority, tmp_path)
    server_tls.load_verify_locations(cadata=authority.cert_pem.decode())
    server_tls.verify_mode = ssl.CERT_REQUIRED
    right = client_context(authority, tmp_path, authority.issue("kube-apiserver"))
    wrong = client_context(authority, tmp_path, CALLERS[caller](authority))
    wrong.maximum_version = version

    with listening(app, tls=server_tls, names=("kube-apiserver",)) as running, Wire(running.port, right) as lawful:
        before = lawful.send(post("/lawful")).answer()
        said = b""
        try:
            with Wire(running.port, wrong) as wire:
                said = wire.send(post("/wrong")).rest()
        except (ssl.SSLError, ConnectionError):
            pass
        after = lawful.send(post("/lawful")).answer()

    assert said == b""
    assert (before.status, after.status) == (200, 200)
    assert app.handled == ["/lawful", "/lawful"]


def test_a_subject_alternative_name_is_accepted(app: Counting, authority: CertificateAuthority, tmp_path: Path) -> None:
    """
    A client certificate may bear the name as a DNS name instead of the common name.
    """
    server_tls = server_context(authority, tmp_path)
    server_tls.load_verify_locations(cadata=authority.cert_pem.decode())
    server_tls.verify_mode = ssl.CERT_REQUIRED
    pair = authority.issue("front", client_names=["kube-apiserver"])

    with (
        listening(app, tls=server_tls, names=("kube-apiserver",)) as running,
        Wire(running.port, client_context(authority, tmp_path, pair)) as wire,
    ):
        assert wire.send(post()).answer().status == 200


class Shown:
    """A transport of which no more is known than the certificate that was shown."""

    def __init__(self, der: bytes | None) -> None:
        self._der = der

    def get_extra_info(self, _name: str) -> Any:
        return self

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        assert binary_form
        return self._der


def test_a_valid_chain_alone_is_refused(authority: CertificateAuthority) -> None:
    """
    What OpenSSL may have let through is looked at again: the certificate must be there, be one, be meant for clients, and
    bear the name exactly.
    """

    def der(pair: KeyPair) -> bytes:
        return ssl.PEM_cert_to_DER_cert(pair.cert_pem.decode())

    shown = {
        "right": der(authority.issue("kube-apiserver")),
        "right by its alternative": der(authority.issue("front", client_names=["kube-apiserver"])),
        "none": None,
        "junk": b"junk",
        "an authority's, for no use in particular": ssl.PEM_cert_to_DER_cert(authority.cert_pem.decode()),
        "a server's": der(authority.issue("kube-apiserver", server_names=["kube-apiserver"])),
        "another name": der(authority.issue("kube-apiserver.example.org")),
    }

    trusted = [
        name
        for name, certificate in shown.items()
        if is_trusted_client(cast("Any", Shown(certificate)), ("kube-apiserver",))
    ]

    assert trusted == ["right", "right by its alternative"]
