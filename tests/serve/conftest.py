"""Fixtures of the listener tests."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.pki import CertificateAuthority
from tests.serve.contexts import server_context
from tests.serve.wire import Counting, DirectlyCounting, Listening, listening


@pytest.fixture(params=[Counting, DirectlyCounting], ids=["through ASGI", "directly"])
def app(request: pytest.FixtureRequest) -> Counting:
    """The application behind the limiter, which takes requests in both ways."""
    made: Counting = request.param()
    return made


@pytest.fixture
def running(app: Counting) -> Iterator[Listening]:
    """A listener with the limits of production, and a fake clock."""
    with listening(app) as listener:
        yield listener


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    """Signs the certificates of the server and its clients."""
    return CertificateAuthority()


@pytest.fixture
def server_tls(authority: CertificateAuthority, tmp_path: Path) -> ssl.SSLContext:
    """TLS of a server that requests no client certificate."""
    return server_context(authority, tmp_path)
