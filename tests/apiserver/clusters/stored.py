"""Keys and values of a control plane's etcd, read and written through etcd's own JSON gateway."""

import http.client
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Self
from urllib.parse import urlsplit

_MOST_PUTS = 100
"""etcd refuses transactions of more than 128 operations."""
_MOST_BYTES = 2**20
"""etcd refuses transactions of more than 1.5 MiB."""


class Etcd:
    """One connection to the etcd at ``url``."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        assert at.hostname
        self._connection = http.client.HTTPConnection(at.hostname, at.port, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, key: str) -> bytes:
        """The value of a key, which must exist."""
        (found,) = self._post("/v3/kv/range", {"key": _encoded(key)})["kvs"]
        return b64decode(found["value"])

    def list(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The keys that begin with ``prefix``, with their values."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._post("/v3/kv/range", {"key": _encoded(prefix), "range_end": _encoded(end)})
        for one in found.get("kvs", ()):
            yield b64decode(one["key"]).decode(), b64decode(one.get("value", ""))

    def put(self, pairs: Iterable[tuple[str, bytes]]) -> int:
        """
        Writes all pairs, many in one transaction. Returns the size of the values in bytes.

        All puts of a transaction have one revision, and the API server's cache reads them one by one. A list that waits only
        for that revision can lack some of them, so one more put gives later lists a higher revision to wait for.
        """
        puts: list[dict[str, Any]] = []
        size = written = 0
        for key, value in pairs:
            if len(puts) == _MOST_PUTS or size + len(value) > _MOST_BYTES:
                self._post("/v3/kv/txn", {"success": puts})
                puts, size = [], 0
            puts.append({"requestPut": {"key": _encoded(key), "value": b64encode(value).decode()}})
            size += len(value)
            written += len(value)
        if puts:
            self._post("/v3/kv/txn", {"success": puts})
        self._post("/v3/kv/put", {"key": _encoded("/loaded")})
        return written

    def bytes_put(self) -> int:
        """The size of all keys and values that were put since etcd started."""
        self._connection.request("GET", "/metrics")
        text = self._connection.getresponse().read().decode()
        (line,) = [
            line for line in text.splitlines() if line.startswith("etcd_debugging_mvcc_total_put_size_in_bytes ")
        ]
        return int(float(line.split()[1]))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        assert response.status == 200, f"{path}: {response.status} {text[:300]!r}"
        answer: dict[str, Any] = json.loads(text)
        return answer


def _encoded(key: str) -> str:
    return b64encode(key.encode()).decode()
