"""Many requests to the API server at the same time, over connections that stay open."""

import http.client
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tests.apiserver.client import ADMINISTRATOR, ADMINISTRATORS, REQUEST_SECONDS, Client
from tests.apiserver.pki import write_private

PARALLEL = 6


class Request(NamedTuple):
    """One request: the method, the path, and the JSON document that is sent."""

    method: str
    path: str
    body: object | None = None
    content_type: str = "application/json"


class Answer(NamedTuple):
    """The status and the JSON document of a response."""

    status: int
    document: dict[str, Any]


class Connections:
    """`PARALLEL` connections of a cluster administrator to the API server of CLIENT."""

    def __init__(self, client: Client) -> None:
        self._host = urlsplit(client.url).netloc
        self._context = ssl.create_default_context(cadata=client.ca.cert_pem.decode())
        pem = client.folder / "scheduler.pem"
        pair = client.ca.issue(ADMINISTRATOR, groups=ADMINISTRATORS)
        write_private(pem, pair.cert_pem + pair.key_pem)
        self._context.load_cert_chain(pem)
        self._own = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []
        self._pool = ThreadPoolExecutor(PARALLEL)

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers, in the order of the requests. The requests are made at the same time."""
        return list(self._pool.map(self.one, requests))

    def one(self, request: Request) -> Answer:
        """The answer to one request, repeated once if the server had closed the idle connection."""
        try:
            return self._exchange(request)
        except (http.client.RemoteDisconnected, BrokenPipeError):
            self._own.connection = None
            return self._exchange(request)

    def _exchange(self, request: Request) -> Answer:
        connection: http.client.HTTPSConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(self._host, context=self._context, timeout=REQUEST_SECONDS)
            self._own.connection = connection
            self._opened.append(connection)
        body = None if request.body is None else msgspec.json.encode(request.body)
        connection.request(request.method, request.path, body, {"Content-Type": request.content_type})
        with connection.getresponse() as response:
            return Answer(response.status, msgspec.json.decode(response.read()))

    def close(self) -> None:
        """Ends the threads and closes all connections."""
        self._pool.shutdown()
        for connection in self._opened:
            connection.close()
