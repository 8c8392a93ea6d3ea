"""The pages of a source over HTTP, with the headers and ETags of the server. The source can be exchanged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.console.states import SOURCE
from webhook.console.pages.router import render
from webhook.console.state import Source
from webhook.surfaces.api.console.answers import FORMS
from webhook.surfaces.api.console.messages import PageRequest, Sight
from webhook.surfaces.api.http import HEADERS
from webhook.surfaces.api.page.routes import FILES, HTML

ASSETS = files("webhook.surfaces.api.page") / "assets"
START = "/fleet"


@dataclass
class Pages:
    """A running server."""

    url: str
    source: Source = field(default_factory=lambda: SOURCE)
    sight: Sight = field(default_factory=Sight)
    status: int = 0
    """The status of each page instead of its own. 0 for its own."""
    statuses: list[int] = field(default_factory=list)
    """The statuses of all pages so far."""

    def answer(self, path: str, query: str, known: str) -> tuple[int, bytes, str]:
        """Status, body and ETag of a page."""
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        status, page = render(self.source, PageRequest(unquote(path.removeprefix(START)), parameters, self.sight))
        tag = f'"{sha256(page).hexdigest()}"'
        if self.status:
            return self.status, b"<p>not available</p>", ""
        return (304, b"", tag) if known == tag else (status, page, tag)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pages: Pages, *args: object) -> None:
        self._pages = pages
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        name = address.path.lstrip("/")
        if name in FILES:
            self._send(200, (ASSETS / name).read_bytes(), FILES[name])
            return
        known = self.headers.get("If-None-Match", "")
        status, body, tag = self._pages.answer(address.path, address.query, known)
        self._pages.statuses.append(status)
        self._send(status, body, HTML, tag)

    def _send(self, status: int, body: bytes, kind: str, tag: str = "") -> None:
        self.send_response(status)
        for name, value in ({**HEADERS, **FORMS, "Content-Type": kind, "Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Prints nothing."""


@contextmanager
def pages() -> Iterator[Pages]:
    """Runs the server."""
    served = Pages("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, served))
    served.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
