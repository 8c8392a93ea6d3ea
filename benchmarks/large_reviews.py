"""
Latency of small reviews while clients send large objects: `python -m benchmarks.large_reviews [--senders 2] [--seconds 10]`.

The program sends small reviews at 100 a second on 16 connections. At the same time, some clients send reviews of 2 to
3 MB, one after the other: a VM that names 40,000 claims, or lists a forbidden port 100,000 times. Facts come from manifests.
"""

import http.client
import json
import ssl
import sys
import tempfile
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import reviews
from benchmarks.measuring import begin, open_loop
from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

SERVER_CORE, LOAD_CORE = 0, 1
RATE = 100
CLAIMS, PORTS = 40_000, 100_000


def main() -> None:
    """Prints a line for each kind of large review, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place:
        small = Path(place) / "small.json"
        small.write_bytes(reviews.encoded(reviews.good()))
        with serving(Path(place)) as server:
            port, trusting = server.admission, server.trusting
            url = f"https://127.0.0.1:{port}/validate?timeout=10s"
            open_loop(LOAD_CORE, url, [small], RATE, 1)
            for name, body in {"none": b"", **_large()}.items():
                with _sent(port, trusting, body, options.senders if body else 0) as took:
                    load = open_loop(LOAD_CORE, url, [small], RATE, options.seconds)
                rows.append({"beside": name, "bytes": len(body), "p50_ms": load.p50_ms, "p99_ms": load.p99_ms})
                rows[-1] |= {"failures": load.failures, "large": len(took), "large_s": median(took) if took else 0.0}
    for row in rows:
        ratio = row["p99_ms"] / rows[0]["p99_ms"]
        print(
            f"beside {row['beside']:6} {row['bytes']:9,} bytes: p50 {row['p50_ms']:5.1f} ms, p99 {row['p99_ms']:6.1f} ms "
            f"({ratio:.1f} x), {row['failures']} failed; {row['large']} large ones, {row['large_s']:.2f} s each"
        )
    print(json.dumps(rows))


def _large() -> Mapping[str, bytes]:
    claims, ports = reviews.good(), reviews.good()
    reviews.vmi_spec(claims)["volumes"] += [
        {"name": f"d{number}", "persistentVolumeClaim": {"claimName": f"c{number}"}} for number in range(CLAIMS)
    ]
    reviews.vmi_spec(ports)["domain"]["devices"]["interfaces"][0]["ports"] = [{"port": 49152}] * PORTS
    return {"claims": reviews.encoded(claims), "ports": reviews.encoded(ports)}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, its ports, and what trusts its certificate."""

    pid: int
    admission: int
    api: int
    trusting: ssl.SSLContext


@contextmanager
def serving(place: Path, *flags: str, within_seconds: float = 30) -> Iterator[Server]:
    """A server on a core of its own, with facts from manifests. It must listen within some seconds."""
    authority = CertificateAuthority()
    trusting = ssl.create_default_context(cadata=authority.cert_pem.decode())
    pair = authority.issue("benchmark", server_names=["127.0.0.1", "localhost"])
    (place / "tls.crt").write_bytes(pair.cert_pem)
    (place / "tls.key").write_bytes(pair.key_pem)
    facts = place / "facts"
    facts.mkdir(exist_ok=True)
    (facts / "kubevirt.yaml").write_text("{apiVersion: kubevirt.io/v1, kind: KubeVirt, metadata: {name: kubevirt}}")
    port, api, health = free_ports(3)
    argv = [
        *(sys.executable, "-m", "webhook", "serve", "--cert-dir", place, "--admission-port", port, "--api-port", api),
        *("--health-port", health, "--facts", facts, "--drain-seconds", "0.1"),
        *flags,
    ]
    popen = begin(SERVER_CORE, argv, place / "log")
    try:
        wait_until(lambda: _is_up(port, trusting), within_seconds, "the server to listen")
        yield Server(popen.pid, port, api, trusting)
    finally:
        popen.terminate()
        popen.wait(30)


@contextmanager
def _sent(port: int, trusting: ssl.SSLContext, body: bytes, senders: int) -> Iterator[list[float]]:
    """Large reviews on their way, and how long each took, in seconds."""
    took: list[float] = []
    over = threading.Event()

    def send() -> None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting)
        while not over.is_set():
            began = perf_counter()
            connection.request("POST", "/validate?timeout=10s", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"a large review was answered {answer.status}")
            took.append(perf_counter() - began)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield took
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _is_up(port: int, trusting: ssl.SSLContext) -> bool:
    try:
        http.client.HTTPSConnection("127.0.0.1", port, context=trusting).connect()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
