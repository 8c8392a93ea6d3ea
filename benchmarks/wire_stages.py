"""
The CPU time of the server's HTTP, without a network: from the bytes of a request to the bytes of its response, and from the
objects to read live to their responses. `benchmarks.stages` prints both.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvloop

from benchmarks import reviews
from webhook.cluster.http_client import ConnectionSettings, HttpReader, _Connection
from webhook.cluster.ports import Get
from webhook.serve.limits import ConnectionLimiter, Limits
from webhook.serve.listeners import Listener
from webhook.surfaces.asgi import JSON_TYPE, Reply

RUNS = 7
TOGETHER = 8
"""The number of reviews that arrive in one turn of the event loop."""
TOKEN = "Bearer " + "t" * 900
"""As long as the token of a ServiceAccount."""


class Transport:
    """A transport that counts what is written, and passes it to a function."""

    def __init__(self, written: Callable[[bytes], None]) -> None:
        self._written = written
        self.count = 0

    def write(self, data: bytes) -> None:
        """As ``asyncio.WriteTransport.write``."""
        self.count += 1
        self._written(data)

    def is_closing(self) -> bool:
        """The connection stays open."""
        return False

    def get_extra_info(self, name: str, default: object = None) -> object:
        """The addresses."""
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def abort(self) -> None:
        """The benchmark is wrong if a connection ends."""
        raise AssertionError("the connection was closed")

    close = abort


class Constant:
    """An application that costs nothing."""

    reply = Reply(200, b"{}", (JSON_TYPE,), {})

    def takes_directly(self, _path: str) -> bool:
        """All requests."""
        return True

    def answer_directly(self, *_: object) -> Reply:
        """The same reply to all requests."""
        return self.reply


def protocol_micros(body: bytes, rounds: int) -> float:
    """Microseconds of the listener's protocol and limits for one of ``TOGETHER`` reviews, without TLS."""
    return uvloop.run(_protocol_micros(body, rounds))


async def _protocol_micros(body: bytes, rounds: int) -> float:
    server = Listener("stage", Constant(), "127.0.0.1", 0, ConnectionLimiter(Limits(), time.monotonic)).server()
    server.config.load()
    make = cast("Callable[..., Any]", server.config.http_protocol_class)
    transport = Transport(lambda _: None)
    protocols = [make(config=server.config, server_state=server.server_state, app_state={}) for _ in range(TOGETHER)]
    for protocol in protocols:
        protocol.connection_made(transport)
    head = (
        b"POST /validate?timeout=10s HTTP/1.1\r\nHost: migratable.kubevirt.svc:443\r\nUser-Agent: kube-apiserver-admission\r\n"
        b"Content-Length: %d\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    request = head % len(body) + body

    async def once() -> None:
        before = transport.count
        for protocol in protocols:
            protocol.data_received(request)
        await asyncio.sleep(0)
        assert transport.count == before + TOGETHER, "one write for each response"

    return await _best(once, rounds // TOGETHER + 1) / TOGETHER


def live_read_micros(at_once: int, rounds: int) -> float:
    """Microseconds of the HTTP reader for one of ``at_once`` concurrent reviews with two claims each, without TLS."""
    return uvloop.run(_live_read_micros(at_once, rounds))


async def _live_read_micros(at_once: int, rounds: int) -> float:
    loop = asyncio.get_running_loop()
    reader = HttpReader(ConnectionSettings("127.0.0.1", 6443, "", None, None, lambda: TOKEN), "migratable")
    connection = _Connection(reader)
    response = _claim()

    def respond(data: bytes) -> None:
        loop.call_soon(connection.data_received, response * data.count(b"GET "))

    connection.connection_made(cast("asyncio.Transport", Transport(respond)))
    reader.free(connection)
    path = f"/api/v1/namespaces/{reviews.NAMESPACE}/persistentvolumeclaims/"
    pairs = [
        [Get(f"{path}{disk}-{number}?resourceVersion=0", "application/json") for disk in ("root", "data")]
        for number in range(at_once)
    ]

    async def once() -> None:
        if at_once == 1:
            await reader.get_all(pairs[0], 5.0)
        else:
            await asyncio.gather(*(reader.get_all(pair, 5.0) for pair in pairs))

    return await _best(once, rounds) / at_once


def _claim() -> bytes:
    """The response to a GET of a claim, as an API server writes it."""
    metadata = {
        "name": "root-0",
        "namespace": reviews.NAMESPACE,
        "uid": "0b1c8a8e-8a6a-4f5e-9d4f-0e3a0d8d1d0a",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["kubernetes.io/pvc-protection"],
        "managedFields": [
            {"manager": "virt-controller", "fieldsV1": {"f:spec": {"f:accessModes": {}, "f:resources": {}}}}
        ],
    }
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Block"}
    claim = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}}
    body = json.dumps(claim, separators=(",", ":")).encode()
    head = (
        b"HTTP/1.1 200 OK\r\nAudit-Id: 6ec6cd1f-3d0d-4bb3-93d9-2c2d1c4f2a8b\r\nCache-Control: no-cache, private\r\n"
        b"Content-Type: application/json\r\nX-Kubernetes-Pf-Flowschema-Uid: 6ec6cd1f-3d0d-4bb3-93d9-2c2d1c4f2a8b\r\n"
        b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n"
    )
    return head % len(body) + body


async def _best(work: Callable[[], Awaitable[None]], rounds: int) -> float:
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(rounds):
            await work()
        best = min(best, (time.process_time() - began) / rounds)
    return best * 1e6
