"""The objects that a rotator needs: an account with its rights, empty Secrets, a Lease, and webhooks without bundles."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from certs.apiserver import ApiServerCluster, connect
from certs.authority import KeyPair
from certs.cluster import ConfigurationName, Refused
from certs.plan import Terms
from certs.rotator import Settings
from tests.apiserver.controlplane import ControlPlane
from tests.waiting import PATIENCE_SECONDS, wait_until

Json = dict[str, Any]

AUTHORITY, SERVING, LEASE, ACCOUNT = (
    "migratable-ca",
    "migratable-serving-cert",
    "migratable-rotator",
    "migratable-rotator",
)
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SECRET_VERBS = ("get", "update", "patch", "create")


@dataclass(frozen=True)
class Installation:
    """A namespace with what a rotator looks after; configurations are named after it, for they have no namespace."""

    plane: ControlPlane
    namespace: str
    configurations: tuple[ConfigurationName, ...]
    kubeconfig: Path
    """Of an account with the rotator's rights and no others."""

    def connect(self) -> ApiServerCluster:
        """As the rotator does."""
        return connect(self.namespace, str(self.kubeconfig))

    def may_read(self) -> bool:
        """Whether the rights that were granted are in force, which API servers learn of a moment later."""
        cluster = self.connect()
        try:
            for name in self.configurations:
                cluster.read_configuration(name)
            cluster.read_secret(AUTHORITY)
            cluster.read_lease(LEASE)
        except Refused:
            return False
        return True

    def settings(self, **terms: Any) -> Settings:
        """A rotator's, with settle times for one API server and quick replicas."""
        quick = {"bundle_settle": timedelta(seconds=0.3), "leaf_settle": timedelta(seconds=0.6), **terms}
        names = (f"migratable.{self.namespace}.svc",)
        return Settings(Terms(names, **quick), AUTHORITY, SERVING, self.configurations, timedelta(seconds=0.2))

    def secret(self, name: str) -> Json:
        """A Secret as stored."""
        reply = self.plane.client.api("GET", self.secret_path(name))
        assert reply.status == 200, reply
        return reply.document

    def secret_path(self, name: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets/{name}"

    def data(self, name: str) -> dict[str, bytes]:
        """The data of a Secret; empty if it does not exist."""
        reply = self.plane.client.api("GET", self.secret_path(name))
        return {key: base64.b64decode(value) for key, value in (reply.document.get("data") or {}).items()}

    def pair(self, name: str) -> KeyPair:
        data = self.data(name)
        return KeyPair(data.get("tls.crt", b""), data.get("tls.key", b""))

    def fill(self, name: str, data: Mapping[str, bytes]) -> None:
        """Replaces the data of a Secret without a resourceVersion."""
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        reply = self.plane.client.api("PUT", self.secret_path(name), {**bare_secret(name), "data": encoded})
        assert reply.status == 200, reply

    def configuration(self, name: ConfigurationName) -> Json:
        """A webhook configuration as stored."""
        reply = self.plane.client.api("GET", f"{ADMISSION}/{name.resource}/{name.name}")
        assert reply.status == 200, reply
        return reply.document

    def bundles(self) -> list[bytes]:
        """Each caBundle."""
        return [
            base64.b64decode(hook["clientConfig"].get("caBundle", ""))
            for name in self.configurations
            for hook in self.configuration(name)["webhooks"]
        ]

    def publish(self, bundle: bytes) -> None:
        """Replaces every caBundle without a resourceVersion."""
        encoded = base64.b64encode(bundle).decode()
        for name in self.configurations:
            document = self.configuration(name)
            for hook in document["webhooks"]:
                hook["clientConfig"]["caBundle"] = encoded
            reply = self.plane.client.api("PUT", f"{ADMISSION}/{name.resource}/{name.name}", document)
            assert reply.status == 200, reply


def bare_secret(name: str) -> Json:
    labels = {"app.kubernetes.io/component": "rotator"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "type": "Opaque"}


def install(
    plane: ControlPlane,
    namespace: str,
    configurations: Sequence[ConfigurationName],
    *,
    secret_verbs: Sequence[str] = SECRET_VERBS,
) -> Installation:
    """Make everything in a namespace that exists; the configurations are the caller's."""
    client = plane.client
    for name in (AUTHORITY, SERVING):
        client.create(f"/api/v1/namespaces/{namespace}/secrets", bare_secret(name))
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE}}
    client.create(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", lease)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
    client.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    local = [
        _rule("", "secrets", [AUTHORITY, SERVING], secret_verbs),
        _rule("coordination.k8s.io", "leases", [LEASE], ("get", "update")),
    ]
    everywhere = [
        _rule("admissionregistration.k8s.io", one.resource, [one.name], ("get", "patch")) for one in configurations
    ]
    grant(plane, namespace, "Role", local)
    grant(plane, namespace, "ClusterRole", everywhere)
    kubeconfig = client.token_kubeconfig(client.token(namespace, ACCOUNT))
    installed = Installation(plane, namespace, tuple(configurations), kubeconfig)
    wait_until(installed.may_read, PATIENCE_SECONDS, "the API server to know of the rights")
    return installed


def grant(plane: ControlPlane, namespace: str, kind: str, rules: list[Json]) -> None:
    """Give the rotator's account these rights, in its namespace or (ClusterRole) everywhere."""
    where = f"{RBAC}/namespaces/{namespace}/role" if kind == "Role" else f"{RBAC}/clusterrole"
    name = ACCOUNT if kind == "Role" else f"{ACCOUNT}-{namespace}"
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    plane.client.create(f"{where}s", {**head, "kind": kind, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    plane.client.create(
        f"{where}bindings", {**head, "kind": f"{kind}Binding", "roleRef": reference, "subjects": [subject]}
    )


def _rule(group: str, resource: str, names: list[str], verbs: Sequence[str]) -> Json:
    return {"apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": list(verbs)}
