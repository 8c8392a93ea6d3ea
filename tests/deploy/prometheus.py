"""Runs Prometheus, and calls its HTTP API."""

import json
import shutil
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

from tests.apiserver.binaries import find_binary
from tests.apiserver.processes import Process, free_ports, scratch_folder
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.report.metrics_text import CONTENT_TYPE

Sample = tuple[Mapping[str, str], float]
INTERVAL = "200ms"
"""The time between scrapes."""


class Prometheus:
    """A running Prometheus. ``up`` waits until it has the samples of a target."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expression: str) -> list[Sample]:
        """The samples of an instant query, each with its labels. A query that is invalid raises HTTPError."""
        answer = self._get("query", query=expression)
        assert answer["data"]["resultType"] == "vector", answer
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def wait_for(self, expression: str) -> list[Sample]:
        """Waits until the query has a sample."""
        return wait_until(lambda: self.query(expression), PATIENCE_SECONDS, expression)

    def metadata(self) -> dict[str, list[dict[str, str]]]:
        """The types and texts of all metrics."""
        found: dict[str, list[dict[str, str]]] = self._get("metadata")["data"]
        return found

    def is_ready(self) -> bool:
        """Whether queries are answered."""
        try:
            return bool(self._get("status/buildinfo"))
        except OSError:
            return False

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            document: dict[str, Any] = json.load(answer)
        return document


@contextmanager
def scraping(job: str, port: int, **options: Any) -> Iterator[Prometheus]:
    """
    A Prometheus that scrapes ``/metrics`` of a port, under the name of a job. The target has the label ``namespace``, as a target
    of the Prometheus Operator has. ``options`` are those of the scrape configuration.
    """
    folder = scratch_folder()
    (own,) = free_ports(1)
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "migratable"}}]
    scrape = {"job_name": job, "static_configs": targets, **options}
    configuration = {
        "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL},
        "scrape_configs": [scrape],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    argv = [
        str(find_binary("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
        "--log.level=warn",
    ]
    process = Process.begin("prometheus", argv, folder)
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{own}")
        process.wait_ready(prometheus.is_ready, PATIENCE_SECONDS)
        yield prometheus
    finally:
        process.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exposed(text: str) -> Iterator[int]:
    """The port of a server whose ``/metrics`` is a text."""

    class Exposition(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Writes nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Exposition) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
