"""A webhook that allows all requests and records which of the configured webhooks was called."""

import json
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.apiserver.pki import CertificateAuthority


class Recorder:
    """Called at a path that is the webhook's own name; `calls` are those names, oldest first."""

    def __init__(self, ca: CertificateAuthority, port: int) -> None:
        self.calls: list[str] = []
        self._ca = ca
        self._port = port

    def client_config(self, webhook: str) -> dict[str, str]:
        """The replacement for the reference to the Service."""
        return {"url": f"https://127.0.0.1:{self._port}/{webhook}", "caBundle": self._ca.bundle}

    def taken(self) -> list[str]:
        """
        The webhooks that were called since the last call, by name.

        Each once, because an API server whose cache was behind repeats an update, and with it the call; in the order
        of their names, because validating webhooks run side by side.
        """
        calls, self.calls = self.calls, []
        return sorted(set(calls))


@contextmanager
def recording(ca: CertificateAuthority) -> Iterator[Recorder]:
    """A recorder that is called over TLS on loopback until the block ends."""
    server = _Server(_server_tls(ca))
    recorder = server.recorder = Recorder(ca, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _server_tls(ca: CertificateAuthority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # the ssl module loads certificates from files only
        context.load_cert_chain(*ca.issue("recorder", server_names=["127.0.0.1"]).write(Path(folder), "server"))
    # an API server speaks HTTP/2 to a webhook on loopback that offers it, and to no other
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    recorder: Recorder

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:  # the handshake belongs in the connection's own thread, not in accept()
            with self._tls.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)
        except OSError:
            pass  # the API server went first


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.recorder.calls.append(self.path.partition("?")[0].removeprefix("/"))
        answer = {
            "apiVersion": review["apiVersion"],
            "kind": review["kind"],
            "response": {"uid": review["request"]["uid"], "allowed": True},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""
