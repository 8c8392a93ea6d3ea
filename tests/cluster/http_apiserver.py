"""An API server that consists of functions, behind a real socket, and the ways in which a response can fail."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLAIM = "/api/v1/namespaces/shop/persistentvolumeclaims/os"


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the server's function of the path, and writes what that wants."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.headers.append(dict(self.headers.items()))
        self.server.answer(self)

    def do_PATCH(self) -> None:
        self.server.methods.append(self.command)
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_PATCH()

    def plain(self, status: int, body: object, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        """The methods and bodies of writes."""
        self.answer: Callable[[Handler], None] = lambda handler: handler.plain(404, b"404 page not found\n")
        self.released = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error here."""


def hang(handler: Handler) -> None:
    handler.server.released.wait(10)


def drip(handler: Handler) -> None:
    handler.begin()
    while not handler.server.released.wait(0.02):
        handler.chunk(b" ")


def cut(handler: Handler) -> None:
    handler.begin()
    handler.chunk(b'{"metadata"')
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.close_connection = True
