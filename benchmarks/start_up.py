"""
From `migratable serve` to ready, and the memory it takes: `python -m benchmarks.start_up [CLAIMS ...]`.

The cluster is a small HTTP server of this program, on the other core: claims of about 2 kB, for each five of them a
DataVolume, for each twenty a NetworkAttachmentDefinition, in pages as they are asked for, and watches that say nothing.
"""

import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.claims_memory import claim
from benchmarks.measuring import begin, cpu_seconds, resident_mib
from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

SERVER_CORE = 0
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
KINDS: dict[str, tuple[int, Callable[[int], dict[str, object]]]] = {
    "persistentvolumeclaims": (1, claim),
    "datavolumes": (
        5,
        lambda number: named(number, "root", {"storage": {"resources": {"requests": {"storage": "30Gi"}}}}),
    ),
    "network-attachment-definitions": (
        20,
        lambda number: named(number, "lan", {"config": '{"type": "macvlan", "name": "lan"}'}),
    ),
}


def named(number: int, what: str, spec: dict[str, object]) -> dict[str, object]:
    """An object with the metadata of a claim."""
    return {**claim(number), "spec": spec, "metadata": {**claim(number)["metadata"], "name": f"{what}-{number}"}}  # type: ignore[dict-item]


class Handler(BaseHTTPRequestHandler):
    """Lists in pages; watches stay open until they are left."""

    protocol_version = "HTTP/1.1"
    claims = 0

    def do_GET(self) -> None:
        """One list, one page of one, or one watch."""
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if "watch" in query:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            threading.Event().wait(60)
            self.close_connection = True
            return
        claims_per_object, make = KINDS.get(url.path.rpartition("/")[2], (1, claim))
        total = self.claims // claims_per_object if url.path.rpartition("/")[2] in KINDS else 0
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "500"))
        end = min(total, start + limit)
        metadata = {"resourceVersion": "1", "continue": str(end) if end < total else ""}
        body = json.dumps({"metadata": metadata, "items": [make(number) for number in range(start, end)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def serve_cluster(claims: int, told: Connection) -> None:
    """Runs in a process of its own."""
    Handler.claims = claims
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def cluster(claims: int, folder: Path) -> Iterator[Path]:
    """A kubeconfig of a cluster with so many claims."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve_cluster, args=(claims, there), daemon=True)
    process.start()
    try:
        kubeconfig = folder / "kubeconfig"
        named_here = {"cluster": "here", "user": "here"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{here.recv()}"}}],
            "users": [{"name": "here", "user": {"token": "t"}}],
            "contexts": [{"name": "here", "context": named_here}],
            "current-context": "here",
        }
        kubeconfig.write_text(json.dumps(document))
        yield kubeconfig
    finally:
        process.terminate()
        process.join()


def write_certificates(folder: Path) -> None:
    """The serving certificate and its key."""
    pair = CertificateAuthority().issue("benchmark", server_names=["localhost"])
    (folder / "tls.crt").write_bytes(pair.cert_pem)
    (folder / "tls.key").write_bytes(pair.key_pem)


def once(folder: Path, *facts: str) -> dict[str, float]:
    """One start: seconds to ready, CPU seconds, memory."""
    admission, api, health = free_ports(3)
    argv = [
        *(sys.executable, "-m", "webhook", "serve", "--cert-dir", folder, "--drain-seconds", "0.1", *facts),
        *("--admission-port", admission, "--api-port", api, "--health-port", health),
    ]
    began = time.monotonic()
    popen = begin(SERVER_CORE, argv, folder / "log")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready() -> bool:
        if popen.poll() is not None:
            raise SystemExit(f"the server ended:\n{(folder / 'log').read_text()[-2000:]}")
        try:
            with opener.open(f"http://127.0.0.1:{health}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_until(ready, 600, "the server to be ready")
        took = time.monotonic() - began
        status = Path(f"/proc/{popen.pid}/status").read_text()
        peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
        return {
            "ready_seconds": round(took, 2),
            "cpu_seconds": round(cpu_seconds(popen.pid), 2),
            "rss_mib": round(resident_mib(popen.pid), 1),
            "peak_mib": round(peak, 1),
        }
    finally:
        popen.terminate()
        popen.wait(30)


def command_seconds(*argv: str) -> float:
    """The shortest of five runs of a command."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "webhook", *argv], check=True, capture_output=True)
        took.append(time.monotonic() - began)
    return round(min(took), 3)


def main() -> None:
    """Prints one JSON object a line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("claims", nargs="*", type=int, default=[0, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps({"migratable version": command_seconds("version"), "migratable rules": command_seconds("rules")}))
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place:
        folder = Path(place)
        write_certificates(folder)
        print(json.dumps({"facts": "examples/", **once(folder, "--facts", str(EXAMPLES))}))
        for claims in options.claims:
            with cluster(claims, folder) as kubeconfig:
                runs = [once(folder, "--kubeconfig", str(kubeconfig)) for _ in range(options.rounds)]
            print(
                json.dumps({"claims": claims, **{key: statistics.median(run[key] for run in runs) for key in runs[0]}})
            )


if __name__ == "__main__":
    main()
