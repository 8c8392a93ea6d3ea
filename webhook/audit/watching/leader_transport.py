"""Lets only the leader write."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from webhook.cluster.ports import JSON, Answer
from webhook.errors import Unavailable
from webhook.objects.meta import Json

if TYPE_CHECKING:
    from webhook.cluster.ports import Writer


class LeaderTransport:
    """
    Passes requests on while this process leads.

    A write ends before another process can lead: its timeout is the time for which this process still leads.
    ``seconds_left`` returns that time.
    """

    def __init__(self, transport: "Writer", seconds_left: Callable[[], float]) -> None:
        self._transport = transport
        self._seconds_left = seconds_left

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """A read needs no leader."""
        return self._transport.get(path, query, accept=accept, timeout_seconds=timeout_seconds, max_bytes=max_bytes)

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
        """Change or create a report. Raises Unavailable if this process does not lead."""
        left = self._limited(timeout_seconds)
        return self._transport.patch(path, query, body, content_type=content_type, accept=accept, timeout_seconds=left)

    def delete(self, path: str, options: Json, *, timeout_seconds: float) -> Answer:
        """Delete a report. Raises Unavailable if this process does not lead."""
        return self._transport.delete(path, options, timeout_seconds=self._limited(timeout_seconds))

    def _limited(self, timeout_seconds: float) -> float:
        left = self._seconds_left()
        if left <= 0:
            raise Unavailable("this process no longer leads", remedy="Another process writes the reports.")
        return min(left, timeout_seconds)
