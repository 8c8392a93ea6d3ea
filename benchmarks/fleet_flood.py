"""
Latency of admission beside the pages for operators: `python -m benchmarks.fleet_flood [--vms 10000] [--callers 6]`.

The program sends reviews of about 12 KB at 100 a second on 16 connections: to a server without these pages, to one whose pages
are being prepared (all VMs are judged, and the drain of each node is rehearsed), and to one whose pages callers read, one after
the other. Each page is rendered again, because a caller sends no ETag. The server and its processes have core 0, the load has
core 1.
"""

import http.client
import json
import ssl
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import reviews
from benchmarks.console import cluster
from benchmarks.large_reviews import LOAD_CORE, Server, serving
from benchmarks.measuring import open_loop, resident_mib
from tests.apiserver.clusters.shape import Shape
from tests.waiting import wait_until

RATE = 100
PAGES = (
    "/fleet",
    "/fleet/vms",
    "/fleet/vms?page=50",
    "/fleet/vms?q=7&sort=reason",
    "/fleet/nodes",
    "/fleet/policies",
)
PATIENCE_SECONDS = 900


def main() -> None:
    """Prints a line for each state of the pages, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--vms", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as folder:
        place = Path(folder)
        review, fleet = place / "review.json", place / "fleet.json"
        review.write_bytes(reviews.encoded(reviews.good()))
        fleet.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(cluster(Shape(options.vms)))}))

        def measure(name: str, server: Server) -> dict[str, Any]:
            url = f"https://127.0.0.1:{server.admission}/validate?timeout=10s"
            load = open_loop(LOAD_CORE, url, [review], RATE, options.seconds)
            row = {"pages": name, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "failures": load.failures}
            rows.append(row | {"rss_mib": resident_mib(server.pid)})
            return rows[-1]

        with serving(place) as server:
            measure("warm-up", server)
            rows.clear()
            measure("none", server)
        with serving(place, "--fleet", str(fleet), within_seconds=PATIENCE_SECONDS) as server:
            measure("prepared", server)["answered"] = _is_prepared(server)
            wait_until(lambda: _is_prepared(server), PATIENCE_SECONDS, "the rehearsal")
            measure("idle", server)
            with _read(server, options.callers) as seconds:
                measure("read", server)
            rows[-1] |= {path: _figures(took) for path, took in seconds.items()}
    for row in rows:
        print(
            f"pages {row['pages']:9}: p50 {row['p50_ms']:5.1f} ms, p99 {row['p99_ms']:6.1f} ms "
            f"({row['p99_ms'] / rows[0]['p99_ms']:.1f} x), {row['failures']} failed, {row['rss_mib']:.0f} MiB"
        )
    for path in PAGES:
        print(f"{path:32} {rows[-1].get(path)}")
    print(json.dumps(rows))


def _figures(took: list[float]) -> str:
    took = sorted(took)
    return f"{len(took)} pages, p50 {took[len(took) // 2] * 1000:.0f} ms, max {took[-1] * 1000:.0f} ms"


def _get(port: int, trusting: ssl.SSLContext, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def _is_prepared(server: Server) -> bool:
    """Whether the nodes are rehearsed: their pages then have links."""
    status, body = _get(server.api, server.trusting, "/fleet/nodes")
    return status == 200 and b"/fleet/nodes/" in body


@contextmanager
def _read(server: Server, callers: int) -> Iterator[dict[str, list[float]]]:
    """Pages on their way, and how long each took, in seconds."""
    seconds: dict[str, list[float]] = {path: [] for path in PAGES}
    over = threading.Event()
    statuses: Counter[int] = Counter()

    def read(first: int) -> None:
        for number in range(first, 10**9):
            if over.is_set():
                return
            path = PAGES[number % len(PAGES)]
            began = time.perf_counter()
            statuses[_get(server.api, server.trusting, path)[0]] += 1
            seconds[path].append(time.perf_counter() - began)

    threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield seconds
    finally:
        over.set()
        for thread in threads:
            thread.join()
        if set(statuses) != {200}:
            raise SystemExit(f"pages were answered {dict(statuses)}")


if __name__ == "__main__":
    main()
