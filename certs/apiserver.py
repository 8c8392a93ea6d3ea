"""
The cluster behind a real API server, through the ``kubernetes`` client.

Objects travel as plain JSON, so that fields which the client's models do not know yet survive a write.
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
from certs.cluster import Configuration, ConfigurationName, Conflict, Missing, Refused, Secret
from certs.lease import Lease

_TIMEOUT_SECONDS: Final = (3, 10)
_STRATEGIC_MERGE: Final = "application/strategic-merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_FIELD_MANAGER: Final = "migratable-rotator"
_COORDINATION: Final = "coordination.k8s.io/v1"
_QUESTIONS: Final = 3
"""How many new connections ask whether a configuration has spread, at each look."""

Json = dict[str, Any]


class ApiServerCluster:
    """
    Reads and writes with exactly these rights, each on objects by name.

    Secrets: get and update, and for one that was deleted patch and create. Webhook configurations: get and patch.
    A Lease, where one is used: get and update.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self.clock = ServerClock(SystemClock())
        """The hour that counts: that of the API server."""

    def read_secret(self, name: str) -> Secret:
        """Read a Secret of our namespace; a missing one comes without a version."""
        try:
            manifest = self._call("GET", self._path("v1", "secrets", name))
        except Missing:
            return Secret(name)
        data = {key: _decode(value) for key, value in (manifest.get("data") or {}).items()}
        return Secret(name, data, manifest["metadata"]["resourceVersion"], manifest)

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """Replace all data of the Secret that was read; one that does not exist is made, empty, to be read again."""
        path = self._path("v1", "secrets", secret.name)
        if secret.version is None:
            self._make_secret(secret.name, path)
        encoded = {key: base64.b64encode(value).decode("ascii") for key, value in data.items()}
        self._call("PUT", path, {**secret.manifest, "data": encoded})

    def _make_secret(self, name: str, path: str) -> NoReturn:
        """
        Make an empty Secret by a server-side apply.

        So the right to create can be given for its name alone, which a POST does not allow. Where a rival was faster
        this changes nothing, for we claim no field of the data.
        """
        metadata = {"name": name, "namespace": self._namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
        try:
            self._call("PATCH", f"{path}?fieldManager={_FIELD_MANAGER}", body, _APPLY)
        except Refused as error:
            raise Missing(
                f"Secret {self._namespace}/{name} does not exist, and may not be made",
                "Apply the installation again, which makes it empty, or give the right to create and patch it.",
            ) from error
        raise Conflict(f"Secret {self._namespace}/{name} did not exist and was made", "It is filled next.")

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """Read a webhook configuration; None when it is not installed."""
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
        Whether every API server that could be asked now calls webhooks by the configuration as it was read.

        A read at version 0 is answered from the API server's own watch cache, which is what its admission follows; a
        plain one asks etcd. Each question takes a new connection, which a balancer in between may lead anywhere.
        """
        path = f"{_configuration_path(configuration.name)}?resourceVersion=0"
        for _ in range(_QUESTIONS):
            self._api.rest_client.pool_manager.clear()
            try:
                seen = self._call("GET", path)
            except Missing:
                return False
            if _generation(seen["metadata"]) != configuration.generation:
                return False
        return True

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
        path = f"{_configuration_path(configuration.name)}?fieldManager={_FIELD_MANAGER}"
        self._call("PATCH", path, body, _STRATEGIC_MERGE)

    def read_lease(self, name: str) -> Lease:
        """Read a Lease of our namespace."""
        manifest = self._call("GET", self._path(_COORDINATION, "leases", name))
        spec = manifest.get("spec") or {}
        return Lease(name, spec.get("holderIdentity") or "", manifest["metadata"]["resourceVersion"], manifest)

    def write_lease(self, lease: Lease, holder: str, duration: timedelta) -> None:
        """Let somebody hold the Lease that was read, from now on."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = lease.manifest.get("spec")
        spec = dict(before) if isinstance(before, dict) else {}
        if holder != lease.holder:
            transitions = spec.get("leaseTransitions")
            spec["leaseTransitions"] = (transitions if isinstance(transitions, int) else 0) + 1
            spec["acquireTime"] = now
        # one second is the least that Kubernetes takes
        seconds = max(1, math.ceil(duration.total_seconds()))
        spec.update(holderIdentity=holder, leaseDurationSeconds=seconds, renewTime=now)
        self._call("PUT", self._path(_COORDINATION, "leases", lease.name), {**lease.manifest, "spec": spec})

    def _path(self, version: str, resource: str, name: str) -> str:
        group = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{group}/namespaces/{quote(self._namespace, safe='')}/{resource}/{quote(name, safe='')}"

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
        self.clock.hear(response.headers.get("Date"))
        return _answer(method, path, response.status, text)


def connect(namespace: str, kubeconfig: str | None = None) -> ApiServerCluster:
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
    return ApiServerCluster(client.ApiClient(settings), namespace)


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
    except (ValueError, RecursionError) as error:
        raise Refused(f"{method} {path}: the answer is not JSON", "Check what stands between us and it.") from error
    if not isinstance(answer, dict) or "resourceVersion" not in (answer.get("metadata") or {}):
        raise Refused(f"{method} {path}: the answer is no Kubernetes object", "Check what stands between us and it.")
    return answer


def _configuration_path(name: ConfigurationName) -> str:
    return f"/apis/admissionregistration.k8s.io/v1/{name.resource}/{quote(name.name, safe='')}"


def _generation(metadata: Json) -> str:
    """Identify what is specified, which a change of labels leaves alone."""
    return f"{metadata.get('uid')}/{metadata.get('generation') or metadata['resourceVersion']}"


def _writer(metadata: Json) -> str:
    """Who but us wrote last, by what the API server keeps of it."""
    writes: list[Json] = [each for each in metadata.get("managedFields") or () if each.get("manager") != _FIELD_MANAGER]
    last = max(reversed(writes), key=lambda each: each.get("time") or "", default={})
    return str(last.get("manager") or "nobody knows whom")


def _decode(value: object) -> bytes:
    """Decode what Kubernetes stores in base64; anything else counts as nothing, and will be written anew."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        return b""
