"""The backstop on a control plane, and clients that send many requests over one connection."""

import copy
import http.client
import json
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from tests.apiserver.controlplane import ControlPlane
from tests.waiting import PATIENCE_SECONDS, wait_until
from tests.wrapping import every_example
from webhook.objects.kinds import find_kind
from webhook.surfaces.admission.configurations import Installation
from webhook.surfaces.backstop.objects import objects
from webhook.surfaces.backstop.parameters import Parameters

Manifest = dict[str, Any]

LOADER = "loader"
"""An account for which nothing holds, so that it stores what was there before."""
TENANT = "jane"
RULE = re.compile(r"\[(LM\d{3}) [a-z-]+\]")
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}


def install(
    plane: ControlPlane, wanted: Sequence[Parameters], *, failing: bool = False, platform: tuple[str, ...] = ()
) -> None:
    """
    Creates policies, ConfigMaps and bindings.

    With ``failing`` an expression that ends in an error refuses the request, so that tests see it; as installed, it would not.
    """
    for manifest in objects(wanted, Installation(platform=platform)):
        made = copy.deepcopy(manifest)
        if failing and "failurePolicy" in made.get("spec", {}):
            made["spec"]["failurePolicy"] = "Fail"
        plane.client.create(PATHS[made["kind"]].format("migratable"), made)


def wait_in_force(plane: ControlPlane, namespace: str) -> None:
    """Until the policy of each kind refuses; API servers learn of policies and bindings one by one."""
    caller = Caller(plane, TENANT)
    for rule, example, wrap in every_example():
        if rule.id in ("LM301", "LM609") and example.violates and not example.world:
            made = wrap(example)
            if made["kind"] != "KubeVirt":
                made["metadata"]["namespace"] = namespace
            wait_until(partial(_refuses, caller, made), PATIENCE_SECONDS, f"{made['kind']} to be refused")
    caller.close()


def _refuses(caller: "Caller", manifest: Manifest) -> bool:
    return caller.create(manifest).status == 422


def bind_only(plane: ControlPlane, wanted: Sequence[Parameters], namespace: str, parameters_in: str) -> None:
    """Creates ConfigMaps and bindings beside the policies that are there, for the objects of one namespace."""
    for manifest in objects(wanted, Installation(namespace=parameters_in)):
        if manifest["kind"] == "ValidatingAdmissionPolicyBinding":
            only = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
            manifest["spec"]["matchResources"] = {"namespaceSelector": {"matchExpressions": [only]}}
            manifest["metadata"]["name"] += f".{namespace}"
        if manifest["kind"] != "ValidatingAdmissionPolicy":
            plane.client.create(PATHS[manifest["kind"]].format(parameters_in), manifest)


@dataclass
class Answer:
    """The response of the API server."""

    status: int
    document: Manifest
    warnings: list[str] = field(default_factory=list)

    @property
    def rules(self) -> set[str]:
        """The rules that a refusal names; AssertionError where something else refused the request."""
        if self.status < 300:
            return set()
        message = self.document["message"]
        assert "denied request: " in message, message
        assert "error" not in message.partition(" denied request: ")[2].partition(":")[0], message
        rules = set(RULE.findall(message))
        assert rules, message
        return rules

    @property
    def warned_of(self) -> set[str]:
        """The rules that warnings name."""
        return set(RULE.findall(" ".join(self.warnings)))


@dataclass
class Caller:
    """A user with every right, over a connection that stays open."""

    plane: ControlPlane
    user: str
    _connection: http.client.HTTPSConnection | None = field(default=None, init=False)

    def ask(self, method: str, path: str, body: Manifest | None = None) -> Answer:
        """One request."""
        headers = {
            "Content-Type": "application/json",
            "Impersonate-User": self.user,
            "Impersonate-Group": "system:masters",
        }
        connection = self._connect()
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read()), response.headers.get_all("Warning") or [])

    def create(self, manifest: Manifest, *, dry: bool = True) -> Answer:
        """A creation, which changes nothing if it is dry."""
        return self.ask("POST", _place(manifest) + ("?dryRun=All" if dry else ""), manifest)

    def update(self, manifest: Manifest) -> Answer:
        """A replacement that changes nothing."""
        return self.ask("PUT", f"{_place(manifest)}/{manifest['metadata']['name']}?dryRun=All", manifest)

    def _connect(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            context = ssl.create_default_context(cadata=self.plane.ca.cert_pem.decode())
            context.load_cert_chain(self.plane.folder / "administrator.pem")
            address = urlsplit(self.plane.url)
            assert address.hostname is not None
            self._connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=60, context=context)
        return self._connection

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()


def _place(manifest: Manifest) -> str:
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    return f"/apis/{manifest['apiVersion']}/namespaces/{manifest['metadata']['namespace']}/{kind.plural}"
