"""An API server that consists of functions: no sockets, no threads, no time."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from webhook.cluster.ports import JSON, Answer, TooLarge
from webhook.errors import Unavailable

NADS = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions"
NOT_SERVED = Answer(404, b"404 page not found\n")


def no_such(name: str) -> Answer:
    """The response for an absent object."""
    return Answer(404, json.dumps({"kind": "Status", "reason": "NotFound", "details": {"name": name}}).encode())


NO_SUCH_OBJECT = no_such("os")


def document(name: str, namespace: str | None = "shop", version: int = 1, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata | more.pop("metadata", {}), **more}


def claim(name: str, mode: str = "ReadWriteMany") -> dict[str, Any]:
    return document(name, spec={"accessModes": [mode]})


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode())


def listed(*items: object, version: str = "10", token: str = "") -> Answer:
    return answer({"metadata": {"resourceVersion": version, "continue": token}, "items": items})


def event(kind: str, what: object) -> bytes:
    return json.dumps({"type": kind, "object": what}).encode()


@dataclass
class FakeStream:
    status: int
    lines: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return self.lines()


Get = Callable[[str, Mapping[str, str]], Answer]


def nothing() -> Iterator[bytes]:
    return iter(())


def no_stream(query: Mapping[str, str]) -> FakeStream:
    return FakeStream(200, nothing)


@dataclass
class FakeTransport:
    """Answers by functions, and remembers what was asked."""

    answers: Get
    streams: Callable[[Mapping[str, str]], FakeStream] = no_stream
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    watches: list[dict[str, str]] = field(default_factory=list)
    accepts: list[str] = field(default_factory=list)

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        self.asked.append(path)
        self.queries.append(dict(query))
        self.accepts.append(accept)
        reply = self.answers(path, query)
        if max_bytes is not None and len(reply.body) > max_bytes:
            raise TooLarge("too large", remedy="Ask for less.")
        return reply

    @contextmanager
    def watch(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON, read_seconds: float
    ) -> Iterator[FakeStream]:
        self.watches.append({"path": path, **query})
        yield self.streams(query)

    def async_reader(self) -> None:
        return None

    def close(self) -> None:
        pass


def fixed(answers: Mapping[str, Answer]) -> Get:
    return lambda path, _: answers.get(path, NOT_SERVED)


def unreachable(path: str, query: Mapping[str, str]) -> Answer:
    raise Unavailable("no answer", remedy="Try again.")
