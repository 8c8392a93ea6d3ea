"""
An API server that returns a manifest as JSON, of a kind that keeps every field. It stores nothing.

Each thread keeps a connection, so two thousand manifests take seconds.
"""

import http.client
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.apiserver import crds
from tests.apiserver.client import REQUEST_SECONDS, Client
from tests.gojson import from_go_json
from tests.waiting import PATIENCE_SECONDS, wait_until

GROUP, KIND, PLURAL = "migratable.test", "Echo", "echoes"
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Cluster",
        "names": {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": "echo"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
PATH = f"/apis/{GROUP}/v1/{PLURAL}"
THREADS = 2
CREATED, BAD_REQUEST = 201, 400


@dataclass(frozen=True, slots=True)
class Heard:
    """The object that the API server stored for a manifest."""

    object: dict[str, Any] | None
    """As it read it, without what a server adds to metadata; None where it refused."""
    refusal: str


class Echo:
    """Asks the API server of ``client``, in which the definition is if it was not there before."""

    def __init__(self, client: Client) -> None:
        if client.api("GET", f"{crds.PATH}/{PLURAL}.{GROUP}").status != 200:
            client.create(crds.PATH, DEFINITION)
        wait_until(lambda: client.api("GET", f"{PATH}?limit=1").status == 200, PATIENCE_SECONDS, f"{PATH} to be served")
        self._url = urlsplit(client.url)
        self._context = ssl.create_default_context(cadata=client.ca.cert_pem.decode())
        self._context.load_cert_chain(client.folder / "administrator.pem")

    def read(self, texts: Sequence[bytes], field_validation: str) -> list[Heard]:
        """Each in its place."""
        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(
                pool.map(lambda first: list(self._read(texts[first::THREADS], field_validation)), range(THREADS))
            )
        return [parts[index % THREADS][index // THREADS] for index in range(len(texts))]

    def _read(self, texts: Sequence[bytes], field_validation: str) -> Iterator[Heard]:
        port = self._url.port
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=self._context, timeout=REQUEST_SECONDS)
        path = f"{PATH}?dryRun=All&fieldValidation={field_validation}"
        try:
            for text in texts:
                connection.request("POST", path, text, {"Content-Type": "application/yaml"})
                with connection.getresponse() as response:
                    yield _heard(response.status, from_go_json(response.read()))
        finally:
            connection.close()


def _heard(status: int, document: dict[str, Any]) -> Heard:
    if status == CREATED:
        document["metadata"] = {"name": document["metadata"]["name"]}
        return Heard(document, "")
    assert status == BAD_REQUEST, f"{status}: {document}"
    return Heard(None, document["message"])
