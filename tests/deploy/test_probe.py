"""`helm test` with required client certificates passes only if the server refuses a request without one."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.apiserver.pki import CertificateAuthority
from tests.deploy.charts import CHART
from tests.deploy.kubelet import DNS

NAME = "migratable.somewhere.svc"
PROBE = CHART / "files" / "probe.py"
AUTHORITY, STRANGER = CertificateAuthority(), CertificateAuthority("a-stranger")


class Broken(BaseHTTPRequestHandler):
    """Answers everything with 500."""

    def do_POST(self) -> None:
        """A review."""
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def server(folder: Path, signed_by: CertificateAuthority, demands: CertificateAuthority | None) -> Iterator[str]:
    """An address at which TLS is spoken, and callers are asked for a certificate of an authority, or not."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*signed_by.issue(NAME, server_names=[NAME]).write(folder, "serving"))
    if demands is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=demands.cert_pem.decode())
    with HTTPServer(("127.0.0.1", 0), Broken) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def probe(folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    """The result of the pod that tests the refusal."""
    authority = folder / "ca.crt"
    authority.write_bytes(AUTHORITY.cert_pem)
    hosts = json.dumps({f"{NAME}:443": address})
    return subprocess.run(
        [sys.executable, str(PROBE), "refusal", "somewhere", str(authority)],
        env={**os.environ, "PYTHONPATH": str(DNS), "MIGRATABLE_TEST_HOSTS": hosts},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_server_that_demands_a_certificate_passes(tmp_path: Path) -> None:
    """
    It closes a connection without a client certificate.
    """
    with server(tmp_path, AUTHORITY, demands=AUTHORITY) as address:
        done = probe(tmp_path, address)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a request without a client certificate is refused")


@pytest.mark.parametrize(
    ("signed_by", "demands"), [(AUTHORITY, None), (STRANGER, STRANGER)], ids=["answers with 500", "is a stranger"]
)
def test_a_server_that_fails_in_another_way_does_not(
    tmp_path: Path, signed_by: CertificateAuthority, demands: CertificateAuthority | None
) -> None:
    """
    An error response and an untrusted server certificate are not a refusal.
    """
    with server(tmp_path, signed_by, demands) as address:
        done = probe(tmp_path, address)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("refusal: ")


def test_a_closed_port_is_not_a_refusal(tmp_path: Path) -> None:
    """
    With every replica gone, `helm test` fails.
    """
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        done = probe(tmp_path, f"127.0.0.1:{closed.getsockname()[1]}")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("refusal: failed: ")
