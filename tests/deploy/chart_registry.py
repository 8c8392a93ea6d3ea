"""A registry with the content of one OCI archive, from which helm reads a chart."""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

REPOSITORY = "charts/migratable"


@contextmanager
def serving(archive: bytes) -> Iterator[str]:
    """The address of the chart, as helm takes it. Requests need no login."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        files = {member.name: opened.extractfile(member).read() for member in opened}
    [manifest] = json.loads(files["index.json"])["manifests"]
    tag = manifest["annotations"]["org.opencontainers.image.ref.name"]

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, reference = self.path.removeprefix(f"/v2/{REPOSITORY}/").partition("/")
            digest = manifest["digest"] if reference == tag else reference
            content = files.get(f"blobs/{digest.replace(':', '/')}")
            self.send_response(404 if content is None else 200)
            self.send_header(
                "Content-Type", manifest["mediaType"] if kind == "manifests" else "application/octet-stream"
            )
            self.send_header("Docker-Content-Digest", digest)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET  # noqa: N815 - http.server calls it by this name

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"oci://127.0.0.1:{server.server_port}/{REPOSITORY}"
        server.shutdown()
