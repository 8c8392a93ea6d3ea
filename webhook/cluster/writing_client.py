"""
Requests that change a cluster. Only the audit imports this module, so that the webhook's server cannot write (an import
contract).
"""

from collections.abc import Mapping
from pathlib import Path

from webhook.cluster.kubernetes_client import KubernetesTransport, api_client
from webhook.cluster.ports import JSON, Answer
from webhook.objects.meta import Json


def connect_writer(kubeconfig: Path | None = None, context: str | None = None) -> "KubernetesWriter":
    """Connects as ``kubernetes_client.connect`` does. Raises Misconfigured if there are no credentials."""
    return KubernetesWriter(api_client(kubeconfig, context))


class KubernetesWriter(KubernetesTransport):
    """A transport that can also write. Thread-safe."""

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
        """Returns the whole response to a PATCH."""
        headers = {"Accept": accept, "Content-Type": content_type}
        return self._exchange("PATCH", path, query, headers, timeout_seconds, body)

    def put(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Returns the whole response to a PUT with a JSON body."""
        headers = {"Accept": JSON, "Content-Type": JSON}
        return self._exchange("PUT", path, {}, headers, timeout_seconds, body)

    def delete(self, path: str, options: Json, *, timeout_seconds: float) -> Answer:
        """Returns the whole response to a DELETE with DeleteOptions."""
        headers = {"Accept": JSON, "Content-Type": JSON}
        return self._exchange("DELETE", path, {}, headers, timeout_seconds, options)
