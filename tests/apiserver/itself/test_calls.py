"""The client of the load programs records every call without the expected response, and the time of each call."""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.rig import bucketed_quantile
from tests.apiserver.calls import NOW, Call, Job, make, quantile, share_within
from tests.apiserver.pki import CertificateAuthority


class Handler(BaseHTTPRequestHandler):
    """Answers what its path says: a status, and whether Retry-After comes along; ``/cut`` gets no answer."""

    protocol_version = "HTTP/1.1"
    bodies: list[str] = []  # noqa: RUF012 - of the one test that looks

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])).decode())
        if self.path == "/cut":
            self.close_connection = True
            return
        _, status, *more = self.path.split("/")
        self.send_response(int(status))
        for _ in more:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"verdict")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The URL of a server, and its certificate authority."""
    authority = CertificateAuthority()
    certificate, key = authority.issue("server", server_names=["127.0.0.1"]).write(folder, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}", authority.cert_pem.decode()
        server.shutdown()


def test_a_call_without_a_wanted_response_is_a_failure(tmp_path: Path) -> None:
    """
    Another status, another text, 503 without Retry-After and a connection that ends are failures, each counted by its kind.
    """
    paths = ["/200", "/500", "/503", "/503/retry", "/201", "/cut", "/200"]
    wanted = {"200": "verdict", "201": "another text", "503": ""}
    with served(tmp_path) as (url, authority):
        calls = [Call("POST", path, "{}") for path in paths]

        made = make(Job(url, authority, calls, wanted, clients=1, per_client=len(paths)))

    assert made.failures == Counter(
        ["500: verdict", "503 without Retry-After", "201: verdict", "no response: ConnectionResetError"]
    )
    assert (made.calls, made.failed, made.count(200), made.count(503)) == (7, 4, 2, 2)


def test_calls_at_a_rate_carry_the_time_at_which_they_are_sent(tmp_path: Path) -> None:
    """
    As many calls are made as rate and time ask for; the clock in their bodies only goes forward.
    """
    Handler.bodies.clear()
    with served(tmp_path) as (url, authority):
        call = Call("POST", "/200", json.dumps({"sent": NOW}))

        made = make(Job(url, authority, [call], {"200": ""}, clients=1, rate=100, seconds=0.2))

    sent = [float(json.loads(body)["sent"]) for body in Handler.bodies]
    assert (made.calls, made.failed) == (20, 0)
    assert sent == sorted(sent)
    assert len(set(sent)) == 20


def test_quantiles_and_shares_are_those_of_the_values() -> None:
    """
    Of a hundred values from 1 to 100, also where a histogram gives only the numbers up to some limits.
    """
    values = [float(number) for number in range(1, 101)]
    buckets = Counter({25.0: 25, 50.0: 50, 100.0: 100, float("inf"): 100})

    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (51, 100, 100)
    assert share_within(values, 25) == 0.25
    assert (bucketed_quantile(buckets, 0.25), bucketed_quantile(buckets, 0.75)) == (25, 75)
