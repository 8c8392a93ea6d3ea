"""
A proxy between a client and an API server that delays, cuts or drops the events of a watch, and refuses lists.

It accepts plain HTTP/1.1 on loopback and uses TLS to the API server. Its clients therefore need a token. It keeps the connection
after a read of one object, and closes it after a list or a watch.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.pki import write_private
from tests.waiting import PATIENCE_SECONDS

CHUNK = 65536
HEAD_END = b"\r\n\r\n"
ACCOUNT = "watcher"
_REFUSAL = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection"))


def _deliver_late(due: float) -> None:
    """The delay of an event, which is the fault under test. Tests wait for its effect."""
    time.sleep(max(0.0, due - time.monotonic()))


class FaultyProxy:
    """Relays GETs; its attributes may be changed while it runs."""

    def __init__(self, plane: ControlPlane) -> None:
        self._address = (str(urlsplit(plane.url).hostname), int(urlsplit(plane.url).port or 443))
        self._tls = ssl.create_default_context(cadata=plane.ca.cert_pem.decode())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopped = False
        self._hurry = threading.Event()
        self.watch_delay = 0.0
        """Seconds by which everything that a watch says comes late; the order stays."""
        self.silent = False
        """Whether watches say nothing any more although they stay open: half-open connections."""
        self.cut_within_event = 0
        """So many watches end in the middle of their next event."""
        self.closed = False
        """Whether everybody is hung up on."""
        self.refuse_lists = False
        """Whether lists are answered 429."""
        self.read_delay = 0.0
        """Seconds by which the answer to a GET of one object comes late."""
        self.lists: list[tuple[float, str]] = []
        """When which list was asked for from its beginning; monotonic seconds."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Begins to listen."""
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def stop(self) -> None:
        """Ends all connections."""
        self._stopped = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()

    def break_all(self) -> None:
        """Ends every connection of now."""
        with self._lock:
            now = list(self._open)
        for connection in now:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def finish_reads(self) -> None:
        """Lets the reads of now go on at once."""
        waiting, self._hurry = self._hurry, threading.Event()
        waiting.set()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an API server sends each response at once
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._remembered(client), suppress(OSError, http.client.HTTPException):
            upstream = http.client.HTTPSConnection(*self._address, context=self._tls, timeout=PATIENCE_SECONDS)
            with closing(upstream):
                for head in _heads(client):
                    if self.closed:
                        return
                    target = head.split(b" ", 2)[1].decode()
                    if "watch=1" in target or "limit=" in target:
                        self._relay_to_the_end(client, head, target)
                        return
                    self._hurry.wait(self.read_delay)
                    client.sendall(_response(upstream, target, head))

    def _relay_to_the_end(self, client: socket.socket, head: bytes, target: str) -> None:
        """Relays one list or one watch."""
        watches = "watch=1" in target
        if not watches and "continue=" not in target:
            self.lists.append((time.monotonic(), target))
        if not watches and self.refuse_lists:
            client.sendall(_REFUSAL)
            return
        with socket.create_connection(self._address, 5) as plain:
            plain.settimeout(None)
            with (
                self._tls.wrap_socket(plain, server_hostname=self._address[0]) as upstream,
                self._remembered(upstream),
            ):
                upstream.sendall(head.replace(HEAD_END, b"\r\nconnection: close\r\n\r\n"))
                if watches:
                    self._relay_watch(upstream, client)
                else:
                    while chunk := upstream.recv(CHUNK):
                        client.sendall(chunk)

    def _relay_watch(self, upstream: socket.socket, client: socket.socket) -> None:
        """Received bytes wait in a queue, which a second thread empties."""
        waiting: deque[tuple[float, bytes]] = deque()
        arrived = threading.Condition()

        def deliver() -> None:
            said_head = False
            while True:
                with arrived:
                    arrived.wait_for(lambda: waiting)
                    due, chunk = waiting.popleft()
                _deliver_late(due)
                try:
                    if not chunk:
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    if said_head and self.silent:
                        continue
                    if said_head and self.cut_within_event and len(chunk) > 40:
                        self.cut_within_event -= 1
                        client.sendall(chunk[: len(chunk) // 2])
                        client.shutdown(socket.SHUT_RDWR)
                        upstream.shutdown(socket.SHUT_RDWR)
                        return
                    client.sendall(chunk)
                    said_head = True
                except OSError:
                    with suppress(OSError):
                        upstream.shutdown(socket.SHUT_RDWR)
                    return

        deliverer = threading.Thread(target=deliver, daemon=True)
        deliverer.start()
        chunk = b"-"
        while chunk:
            try:
                chunk = upstream.recv(CHUNK)
            except OSError:
                chunk = b""
            with arrived:
                waiting.append((time.monotonic() + self.watch_delay, chunk))
                arrived.notify()
        deliverer.join()

    @contextmanager
    def _remembered(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


def _heads(client: socket.socket) -> Iterator[bytes]:
    """The requests of a client, each with its empty line. GETs have no body."""
    read = b""
    while True:
        while HEAD_END not in read:
            chunk = client.recv(CHUNK)
            if not chunk:
                return
            read += chunk
        head, _, read = read.partition(HEAD_END)
        yield head + HEAD_END


def _response(upstream: http.client.HTTPSConnection, target: str, head: bytes) -> bytes:
    """The API server's response to a GET, with a Content-Length."""
    lines = head.decode().split("\r\n")[1:]
    upstream.request("GET", target, headers=dict(line.split(": ", 1) for line in lines if line))
    response = upstream.getresponse()
    body = response.read()
    kept = "".join(f"{name}: {value}\r\n" for name, value in response.getheaders() if name.lower() not in _FRAMING)
    return f"HTTP/1.1 {response.status} {response.reason}\r\n{kept}content-length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def faulty_proxy(plane: ControlPlane, folder: Path) -> Iterator[tuple[FaultyProxy, Path]]:
    """A running proxy, and a kubeconfig of a ServiceAccount that may read everything through it."""
    client = plane.client
    namespace = client.create_namespace("proxy")
    client.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": ACCOUNT}})
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    client.create(f"{rbac}/clusterroles", {"metadata": {"name": namespace}, "rules": rules})
    client.create(
        f"{rbac}/clusterrolebindings",
        {
            "metadata": {"name": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
        },
    )
    proxy = FaultyProxy(plane)
    kubeconfig = folder / "proxy.kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": proxy.url}}],
        "users": [{"name": "user", "user": {"token": client.token(namespace, ACCOUNT)}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "user"}}],
        "current-context": "proxy",
    }
    write_private(kubeconfig, json.dumps(document).encode())
    proxy.start()
    try:
        yield proxy, kubeconfig
    finally:
        proxy.stop()
