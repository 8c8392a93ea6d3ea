"""
What the cluster's facts need from outside: bytes from an API server.

``webhook.cluster.kubernetes_client`` gives them through the ``kubernetes`` client; tests give fakes. A path handed to a transport
is made by ``webhook.cluster.live_reads.path_of`` alone, which quotes every segment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from webhook.errors import Unavailable
from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Json, Kubernetes

K = TypeVar("K", bound=Kubernetes)

JSON = "application/json"


class TooLarge(Unavailable):
    """The answer has more bytes than were allowed for it; a smaller page may fit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered to one request."""

    status: int
    body: bytes


class Stream(Protocol):
    """An open watch."""

    @property
    def status(self) -> int:
        """HTTP status; lines come only with 200."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Whole lines as they arrive; raises Unavailable where the connection breaks, also within a line."""
        ...


@dataclass(frozen=True, slots=True)
class Get:
    """A GET request for one object or list."""

    path: str
    accept: str


class AsyncReader(Protocol):
    """GET requests on one event loop."""

    async def get_all(self, gets: Sequence[Get], within_seconds: float) -> list[Answer]:
        """The responses in the order of ``gets``; raises Unavailable if one of them does not arrive in time."""
        ...

    def close(self) -> None:
        """Close the idle connections."""
        ...


class Transport(Protocol):
    """Requests to one API server; each method raises Unavailable where there was no answer."""

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """One whole answer; raises TooLarge where it has more than ``max_bytes``."""
        ...

    def post(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Asks a question that is put as an object, such as a TokenReview; nothing is stored by it."""
        ...

    def watch(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON, read_seconds: float
    ) -> AbstractContextManager[Stream]:
        """A stream that breaks when nothing arrived for ``read_seconds``."""
        ...

    def async_reader(self) -> AsyncReader | None:
        """A new reader for the running event loop; None if only this transport can reach the API server."""
        ...

    def close(self) -> None:
        """Ends open streams, also those that another thread is reading."""
        ...


class LiveReader(Protocol):
    """Reads past every cache; never raises, and takes at most about ``deadline_seconds``."""

    def confirm(self, kind: type[K], namespace: str, name: str, deadline_seconds: float) -> Found[K]:
        """The object as the API server has it now."""
        ...

    def confirm_every(self, kind: type[K], deadline_seconds: float) -> Fact[tuple[K, ...]]:
        """All objects of ``kind`` as the API server has them now."""
        ...
