"""The health listener: ``/livez``, ``/readyz``, ``/metrics``, in plain HTTP for kubelet and Prometheus."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from webhook.surfaces.asgi import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Health:
    """The ASGI application of the health listener."""

    ready: Callable[[], bool]
    registry: CollectorRegistry
    reason: Callable[[], str] = str
    """Returns why the server is not ready, or an empty string if no reason is known."""
    more: Callable[[], bytes] = bytes
    """Returns further metrics in the text format of Prometheus."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        kind = "text/plain; charset=utf-8"
        if scope["path"] == "/livez":
            status, body = 200, b"ok\n"
        elif scope["path"] == "/readyz":
            status, body = (200, b"ok\n") if self.ready() else (503, self._not_ready())
        elif scope["path"] == "/metrics":
            status, body, kind = 200, self.more() + generate_latest(self.registry), CONTENT_TYPE_LATEST
        else:
            status, body = 404, b"not found; this listener serves /livez, /readyz and /metrics\n"
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _not_ready(self) -> bytes:
        reason = self.reason()
        return f"not ready: {reason}\n".encode() if reason else b"not ready\n"
