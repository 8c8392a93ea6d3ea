"""
Latency of admission while callers flood the dry-run API: `python -m benchmarks.api_flood [--callers 6] [--seconds 10]`.

The program sends reviews of about 12 KB at 100 a second on 16 connections. At the same time, callers without a token post
bodies to `/v1/check`, one after the other: 2 MB of YAML anchors, and 2 MB of VMs. Facts come from manifests. The server has
core 0, the load has core 1.
"""

import http.client
import json
import ssl
import tempfile
import threading
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import reviews
from benchmarks.large_reviews import LOAD_CORE, serving
from benchmarks.measuring import open_loop, resident_mib

RATE = 100
SIZE = 2 * 10**6
BOUND = 3.0
"""Times the undisturbed p99."""
ANCHORS = 990
"""Fewer than what a reader refuses at once."""


def main() -> None:
    """Prints a line for each kind of body, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place:
        review = Path(place) / "review.json"
        review.write_bytes(reviews.encoded(reviews.good()))
        with serving(Path(place)) as server:
            url = f"https://127.0.0.1:{server.admission}/validate?timeout=10s"
            open_loop(LOAD_CORE, url, [review], RATE, 1)
            for name, body in {"none": b"", **_bodies()}.items():
                with _posted(server.api, server.trusting, body, options.callers if body else 0) as answered:
                    load = open_loop(LOAD_CORE, url, [review], RATE, options.seconds)
                rows.append({"beside": name, "bytes": len(body), "p50_ms": load.p50_ms, "p99_ms": load.p99_ms})
                rows[-1] |= {"failures": load.failures, "answered": dict(answered), "rss_mib": resident_mib(server.pid)}
    for row in rows:
        row["ratio"] = row["p99_ms"] / rows[0]["p99_ms"]
        print(
            f"beside {row['beside']:8} {row['bytes']:9,} bytes: p50 {row['p50_ms']:5.1f} ms, p99 {row['p99_ms']:6.1f} ms "
            f"({row['ratio']:.1f} x of {BOUND:g}), {row['failures']} failed; API answered {row['answered']}"
        )
    print(json.dumps(rows))


def _bodies() -> Mapping[str, bytes]:
    head = "apiVersion: v1\nkind: List\nitems: []\nanchors:\n"
    padding = "x" * (SIZE // ANCHORS)
    anchors = "".join(f"- &a{number} {{k: {padding}}}\n- *a{number}\n" for number in range(ANCHORS))
    machine = json.dumps(reviews.good()["request"]["object"]).encode()
    return {"anchors": (head + anchors).encode(), "VMs": b"\n---\n".join([machine] * (SIZE // len(machine)))}


@contextmanager
def _posted(port: int, trusting: ssl.SSLContext, body: bytes, callers: int) -> Iterator[Counter[int]]:
    """Bodies on their way, and how often each status was answered."""
    answered: Counter[int] = Counter()
    over = threading.Event()

    def post() -> None:
        while not over.is_set():
            connection = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=120)
            connection.request("POST", "/v1/check", body, {"Content-Type": "application/yaml"})
            answer = connection.getresponse()
            answer.read()
            answered[answer.status] += 1
            connection.close()

    threads = [threading.Thread(target=post, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        over.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
