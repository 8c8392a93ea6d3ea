"""
Implements ``Cluster`` and ``Leases`` with the ``kubernetes`` client.

Reads and writes objects as plain JSON, so a write keeps fields that the client's models do not know.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn
from urllib.parse import quote

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from certs.clock import ServerClock, SystemClock
from certs.cluster import UNKNOWN_WRITER, Configuration, ConfigurationName, Conflict, Missing, Refused, Secret
from certs.lease import Lease

_TIMEOUT_SECONDS: Final = (3, 10)
_STRATEGIC_MERGE: Final = "application/strategic-merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_FIELD_MANAGER: Final = "migratable-rotator"
_COORDINATION: Final = "coordination.k8s.io/v1"
_SPREAD_READS: Final = 3
"""The number of reads that check whether all API servers use a configuration. Each read uses a new connection."""

Json = dict[str, Any]


class ApiServerCluster:
    """
    Reads and writes objects by name.

    Requires ``get`` and ``update`` on the Secrets, and ``patch`` and ``create`` to restore a deleted Secret. Requires ``get``
    and ``patch`` on the webhook configurations, and ``get`` and ``update`` on the Lease if one is used.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self.clock = ServerClock(SystemClock())
        """The clock of the API server, which verifies the certificates."""

    def read_secret(self, name: str) -> Secret:
        """Reads a Secret in the namespace. Returns a Secret without a version if the Secret does not exist."""
        try:
            manifest = self._call("GET", self._path("v1", "secrets", name))
        except Missing:
            return Secret(name)
        data = {key: _decode(value) for key, value in (manifest.get("data") or {}).items()}
        return Secret(name, data, manifest["metadata"]["resourceVersion"], manifest)

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """
        Replaces all data of the Secret, if the Secret has not changed since it was read.

        Creates an empty Secret and raises :class:`Conflict` if the Secret does not exist.
        """
        path = self._path("v1", "secrets", secret.name)
        if secret.version is None:
            self._create_secret(secret.name, path)
        encoded = {key: base64.b64encode(value).decode("ascii") for key, value in data.items()}
        self._call("PUT", path, {**secret.manifest, "data": encoded})

    def _create_secret(self, name: str, path: str) -> NoReturn:
        """
        Creates an empty Secret with a server-side apply.

        RBAC can limit a server-side apply to the name of an object, but not a POST. If another rotator created the Secret
        first, the apply changes nothing, because it sets no field of ``data``.
        """
        metadata = {"name": name, "namespace": self._namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
        try:
            self._call("PATCH", f"{path}?fieldManager={_FIELD_MANAGER}", body, _APPLY)
        except Refused as error:
            raise Missing(
                f"Secret {self._namespace}/{name} does not exist, and the rotator may not create it",
                "Apply the installation again, or grant the rotator the rights to create and patch this Secret.",
            ) from error
        raise Conflict(f"Secret {self._namespace}/{name} did not exist and was created", "Reading it again.")

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """Reads a webhook configuration. Returns None if the configuration does not exist."""
        try:
            manifest = self._call("GET", _configuration_path(name))
        except Missing:
            return None
        metadata = manifest["metadata"]
        bundles, webhooks = {}, {}
        for webhook in manifest.get("webhooks") or ():
            client_config = dict(webhook.get("clientConfig") or {})
            bundles[webhook["name"]] = _decode(client_config.pop("caBundle", None))
            webhooks[webhook["name"]] = {**webhook, "clientConfig": client_config}
        version, generation = metadata["resourceVersion"], _generation(metadata)
        return Configuration(name, bundles, version, generation, webhooks, _writer(metadata))

    def has_spread(self, configuration: Configuration) -> bool:
        """
        Whether every API server that responds uses the version of the configuration that was read.

        A read with resourceVersion 0 comes from the watch cache of the API server, and admission also uses this cache. A read
        without a resourceVersion comes from etcd. Each read uses a new connection, so a load balancer can select any API
        server.
        """
        path = f"{_configuration_path(configuration.name)}?resourceVersion=0"
        for _ in range(_SPREAD_READS):
            self._api.rest_client.pool_manager.clear()
            try:
                manifest = self._call("GET", path)
            except Missing:
                return False
            if _generation(manifest["metadata"]) != configuration.generation:
                return False
        return True

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        """
        Replaces the caBundle of these webhooks and no other field.

        A strategic merge patch merges the list of webhooks by name. The API server rejects the patch if the resourceVersion has
        changed.
        """
        webhooks = [
            {"name": name, "clientConfig": {"caBundle": base64.b64encode(text).decode("ascii")}}
            for name, text in bundles.items()
        ]
        body = {"metadata": {"resourceVersion": configuration.version}, "webhooks": webhooks}
        path = f"{_configuration_path(configuration.name)}?fieldManager={_FIELD_MANAGER}"
        self._call("PATCH", path, body, _STRATEGIC_MERGE)

    def read_lease(self, name: str) -> Lease:
        """Reads a Lease in the namespace."""
        manifest = self._call("GET", self._path(_COORDINATION, "leases", name))
        spec = manifest.get("spec") or {}
        return Lease(name, spec.get("holderIdentity") or "", manifest["metadata"]["resourceVersion"], manifest)

    def write_lease(self, lease: Lease, holder: str, duration: timedelta) -> None:
        """Sets the holder and the renewal time of the Lease, if the Lease has not changed since it was read."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = lease.manifest.get("spec")
        spec = dict(before) if isinstance(before, dict) else {}
        if holder != lease.holder:
            transitions = spec.get("leaseTransitions")
            spec["leaseTransitions"] = (transitions if isinstance(transitions, int) else 0) + 1
            spec["acquireTime"] = now
        # Kubernetes requires at least one second
        seconds = max(1, math.ceil(duration.total_seconds()))
        spec.update(holderIdentity=holder, leaseDurationSeconds=seconds, renewTime=now)
        self._call("PUT", self._path(_COORDINATION, "leases", lease.name), {**lease.manifest, "spec": spec})

    def _path(self, version: str, resource: str, name: str) -> str:
        group = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{group}/namespaces/{quote(self._namespace, safe='')}/{resource}/{quote(name, safe='')}"

    def _call(self, method: str, path: str, body: Json | None = None, content_type: str = "application/json") -> Json:
        """Sends one request. Errors contain the status and the path, never the body, which can contain private keys."""
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
                f"{method} {path}: no response ({type(error).__name__})",
                "Check the connection to the API server. Retrying.",
            ) from error
        self.clock.synchronize(response.headers.get("Date"))
        return _read_response(method, path, response.status, text)


def connect(namespace: str, kubeconfig: str | None = None) -> ApiServerCluster:
    """Connects with the service account of the pod or a kubeconfig file. Raises :class:`Refused` if both are missing."""
    settings = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=settings)
        else:
            config.load_kube_config(config_file=kubeconfig, client_configuration=settings)
    except (ConfigException, OSError) as error:
        raise Refused(
            "no usable credentials for an API server",
            "Run in a pod with a service account, or set --kubeconfig to a file.",
        ) from error
    settings.retries = 1
    return ApiServerCluster(client.ApiClient(settings), namespace)


def _read_response(method: str, path: str, status: int, text: bytes) -> Json:
    if status == 409:
        raise Conflict(f"{method} {path}: another client changed the object", "Retrying.")
    if status == 404:
        raise Missing(f"{method} {path}: not found", "Apply the installation again.")
    if status in (401, 403):
        raise Refused(
            f"{method} {path}: the API server responded with {status}",
            "Check the rotator's Role, ClusterRole and bindings.",
        )
    if not 200 <= status < 300:
        raise Refused(f"{method} {path}: the API server responded with {status}", "Retrying.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(
            f"{method} {path}: the response is not JSON", "Check proxies between the rotator and the API server."
        ) from error
    if not isinstance(document, dict) or "resourceVersion" not in (document.get("metadata") or {}):
        raise Refused(
            f"{method} {path}: the response is not a Kubernetes object",
            "Check proxies between the rotator and the API server.",
        )
    return document


def _configuration_path(name: ConfigurationName) -> str:
    return f"/apis/admissionregistration.k8s.io/v1/{name.resource}/{quote(name.name, safe='')}"


def _generation(metadata: Json) -> str:
    """Returns the uid and the generation, which identify the specification. A change of labels changes neither."""
    return f"{metadata.get('uid')}/{metadata.get('generation') or metadata['resourceVersion']}"


def _writer(metadata: Json) -> str:
    """The field manager of the last write by a client other than a rotator."""
    entries: list[Json] = metadata.get("managedFields") or []
    writes = [entry for entry in entries if entry.get("manager") != _FIELD_MANAGER]
    last = max(reversed(writes), key=lambda write: write.get("time") or "", default={})
    return str(last.get("manager") or UNKNOWN_WRITER)


def _decode(value: object) -> bytes:
    """Decodes base64. Returns empty bytes for an invalid value, so that the rotator writes the value again."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        return b""
