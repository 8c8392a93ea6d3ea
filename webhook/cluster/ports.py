"""
The interfaces through which ``webhook.cluster`` reaches an API server.

``kubernetes_client`` implements ``Transport`` and ``http_client`` implements ``AsyncReader``; tests use fakes. All paths come
from ``live_reads.path_of``, which quotes every segment.
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
    """The response exceeds ``max_bytes``; a smaller page can fit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of the API server."""

    status: int
    body: bytes


class Stream(Protocol):
    """An open watch."""

    @property
    def status(self) -> int:
        """HTTP status. A stream has lines only if the status is 200."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Complete lines as they arrive. Raises Unavailable if the connection breaks."""
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
    """Requests to one API server. Methods raise Unavailable if there is no response."""

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """The whole response. Raises TooLarge if it exceeds ``max_bytes``."""
        ...

    def post(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Create a review object, such as a TokenReview. The API server does not store it."""
        ...

    def watch(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON, read_seconds: float
    ) -> AbstractContextManager[Stream]:
        """A stream that ends if nothing arrives for ``read_seconds``."""
        ...

    def async_reader(self) -> AsyncReader | None:
        """A new reader for the running event loop; None if only this transport can reach the API server."""
        ...

    def close(self) -> None:
        """Close open streams, also those that another thread reads."""
        ...


class LiveReader(Protocol):
    """Reads from the API server. Never raises; takes about ``deadline_seconds`` at most."""

    def confirm(self, kind: type[K], namespace: str, name: str, deadline_seconds: float) -> Found[K]:
        """The current object."""
        ...

    def confirm_every(self, kind: type[K], deadline_seconds: float) -> Fact[tuple[K, ...]]:
        """All current objects of ``kind``."""
        ...
