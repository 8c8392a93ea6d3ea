"""
The interfaces through which ``webhook.cluster`` reaches an API server.

``kubernetes_client`` implements ``Transport``, and ``http_client`` implements ``AsyncReader``. Tests use fakes. All paths come
from ``live_reads.path_of``, which quotes every segment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeVar

from webhook.errors import Unavailable
from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Json, Kubernetes

K = TypeVar("K", bound=Kubernetes)

JSON = "application/json"


class TooLarge(Unavailable):
    """The response exceeds ``max_bytes``. The response to a request for fewer objects can be small enough."""


class Answer(NamedTuple):
    """One response of the API server."""

    status: int
    body: bytes


class Stream(Protocol):
    """An open watch."""

    @property
    def status(self) -> int:
        """The HTTP status of the response. A stream has lines only if the status is 200."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Yields complete lines as they arrive. Raises Unavailable if the connection breaks."""
        ...


class Get(NamedTuple):
    """A GET request for one object or list."""

    path: str
    accept: str


class AsyncReader(Protocol):
    """Sends GET requests on one event loop."""

    async def get_all(self, gets: Sequence[Get], within_seconds: float) -> list[Answer]:
        """Returns the responses in the order of ``gets``. Raises Unavailable if one of the responses does not arrive in time."""
        ...

    def close(self) -> None:
        """Close the idle connections."""
        ...


class Getter(Protocol):
    """Sends GET requests to one API server."""

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """Returns the whole response. Raises Unavailable if there is none, and TooLarge if the response exceeds ``max_bytes``."""
        ...


class Transport(Getter, Protocol):
    """Sends requests to one API server. All methods raise Unavailable if there is no response."""

    def post(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Create a review object, such as a TokenReview. The API server does not store review objects."""
        ...

    def watch(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON, read_seconds: float
    ) -> AbstractContextManager[Stream]:
        """Opens a stream. The stream ends if no data arrives for ``read_seconds``."""
        ...

    def async_reader(self) -> AsyncReader | None:
        """Returns a new reader for the running event loop, or None if only this transport can reach the API server."""
        ...

    def close(self) -> None:
        """Close open streams, including streams that another thread reads."""
        ...


class Writer(Getter, Protocol):
    """
    Reads and writes the reports of one cluster. All methods raise Unavailable if there is no response.

    This is no part of ``Transport``, so that code that has a Transport cannot write.
    """

    def patch(
        self,
        path: str,
        query: Mapping[str, str],
        body: bytes,
        *,
        content_type: str,
        accept: str = JSON,
        timeout_seconds: float,
    ) -> Answer:
        """Change or create an object."""
        ...

    def delete(self, path: str, options: Json, *, timeout_seconds: float) -> Answer:
        """Delete an object. ``options`` is a DeleteOptions object."""
        ...


class LiveReader(Protocol):
    """Reads objects from the API server. Never raises. A read takes about ``deadline_seconds`` at most."""

    def confirm(self, kind: type[K], namespace: str, name: str, deadline_seconds: float) -> Found[K]:
        """Returns the current object."""
        ...

    def confirm_every(self, kind: type[K], deadline_seconds: float) -> Fact[tuple[K, ...]]:
        """Returns all current objects of ``kind``."""
        ...
