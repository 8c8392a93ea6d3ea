"""
The cluster behind a real API server, through the ``kubernetes`` client.

Objects travel as plain JSON, so that fields which the client's models do not know yet survive a write.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from certs.cluster import Configuration, ConfigurationName, Conflict, Missing, Refused, Secret

_TIMEOUT_SECONDS: Final = (3, 10)
_STRATEGIC_MERGE: Final = "application/strategic-merge-patch+json"

Json = dict[str, Any]


class ApiServerCluster:
    """
    Reads and writes with exactly these rights: get and update on two Secrets, get and patch on webhook configurations.

    With ``create_secrets`` a Secret that was deleted is made again, which needs the right to create in the namespace.
    """

    def __init__(self, api: client.ApiClient, namespace: str, *, create_secrets: bool = False) -> None:
        self._api = api
        self._namespace = namespace
        self._create_secrets = create_secrets

    def read_secret(self, name: str) -> Secret:
        """Read a Secret of our namespace; a missing one comes without a version."""
        try:
            manifest = self._call("GET", self._secret_path(name))
        except Missing:
            return Secret(name)
        data = {key: _decode(value) for key, value in (manifest.get("data") or {}).items()}
        return Secret(name, data, manifest["metadata"]["resourceVersion"], manifest)

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """Replace all data of the Secret that was read; create it only if that was allowed by the settings."""
        encoded = {key: base64.b64encode(value).decode("ascii") for key, value in data.items()}
        if secret.version is not None:
            self._call("PUT", self._secret_path(secret.name), {**secret.manifest, "data": encoded})
        elif self._create_secrets:
            metadata = {"name": secret.name, "namespace": self._namespace}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": encoded}
            self._call("POST", f"/api/v1/namespaces/{quote(self._namespace, safe='')}/secrets", body)
        else:
            raise Missing(
                f"Secret {self._namespace}/{secret.name} does not exist",
                "Apply the installation again, which creates it empty, or allow the rotator to create Secrets.",
            )

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """Read a webhook configuration; None when it is not installed."""
        try:
            manifest = self._call("GET", _configuration_path(name))
        except Missing:
            return None
        metadata = manifest["metadata"]
        bundles = {
            webhook["name"]: _decode((webhook.get("clientConfig") or {}).get("caBundle"))
            for webhook in manifest.get("webhooks") or ()
        }
        identity = f"{metadata.get('uid')}/{metadata.get('generation') or metadata['resourceVersion']}"
        return Configuration(name, bundles, metadata["resourceVersion"], identity)

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        """
        Replace the caBundle of these webhooks and nothing else.

        The list of webhooks merges by name; a resourceVersion in a patch makes the API server compare it.
        """
        webhooks = [
            {"name": name, "clientConfig": {"caBundle": base64.b64encode(text).decode("ascii")}}
            for name, text in bundles.items()
        ]
        body = {"metadata": {"resourceVersion": configuration.version}, "webhooks": webhooks}
        self._call("PATCH", _configuration_path(configuration.name), body, _STRATEGIC_MERGE)

    def _secret_path(self, name: str) -> str:
        return f"/api/v1/namespaces/{quote(self._namespace, safe='')}/secrets/{quote(name, safe='')}"

    def _call(self, method: str, path: str, body: Json | None = None, content_type: str = "application/json") -> Json:
        """Send one request; what went wrong is told by status and path alone, never by the body, which may hold keys."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = self._api.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            response = self._api.call_api(*request, _request_timeout=_TIMEOUT_SECONDS)
            text = response.read()
        except (client.ApiException, urllib3.exceptions.HTTPError) as error:
            raise Refused(
                f"{method} {path}: no answer ({type(error).__name__})",
                "Check that the API server can be reached; this is tried again.",
            ) from error
        return _answer(method, path, response.status, text)


def connect(namespace: str, kubeconfig: str | None = None, *, create_secrets: bool = False) -> ApiServerCluster:
    """Use the pod's service account, or a kubeconfig file; raises :class:`Refused` when there is neither."""
    settings = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=settings)
        else:
            config.load_kube_config(config_file=kubeconfig, client_configuration=settings)
    except (ConfigException, OSError) as error:
        raise Refused(
            "there are no usable credentials for an API server",
            "Run in a pod with a service account, or name a file with --kubeconfig.",
        ) from error
    settings.retries = 1
    return ApiServerCluster(client.ApiClient(settings), namespace, create_secrets=create_secrets)


def _answer(method: str, path: str, status: int, text: bytes) -> Json:
    if status == 409:
        raise Conflict(f"{method} {path}: somebody else wrote in between", "This is tried again.")
    if status == 404:
        raise Missing(f"{method} {path}: not found", "Apply the installation again.")
    if status in (401, 403):
        raise Refused(
            f"{method} {path}: the API server answered {status}", "Check the rotator's Role, ClusterRole and bindings."
        )
    if not 200 <= status < 300:
        raise Refused(f"{method} {path}: the API server answered {status}", "This is tried again.")
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise Refused(f"{method} {path}: the answer is not JSON", "Check what stands between us and it.") from error
    if not isinstance(answer, dict) or "resourceVersion" not in (answer.get("metadata") or {}):
        raise Refused(f"{method} {path}: the answer is no Kubernetes object", "Check what stands between us and it.")
    return answer


def _configuration_path(name: ConfigurationName) -> str:
    return f"/apis/admissionregistration.k8s.io/v1/{name.resource}/{quote(name.name, safe='')}"


def _decode(value: object) -> bytes:
    """Decode what Kubernetes stores in base64; anything else counts as nothing, and will be written anew."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        return b""
