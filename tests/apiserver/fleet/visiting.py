"""A server with the pages for operators of a real API server, and visitors with tokens."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from deploy.roles import of_viewers
from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, serving
from tests.surfaces.admission.reviews import Manifest, vm
from tests.waiting import wait_until

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ACCOUNTS = "visitors"
"""The namespace of the visitors' ServiceAccounts."""
OWN_VMS = [
    {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines", "virtualmachineinstances"], "verbs": ["list"]}
]
BROWSER = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Fleet:
    """A cluster, its server, and the tokens of its visitors."""

    plane: ControlPlane
    server: Serving
    tokens: dict[str, str]

    @property
    def client(self) -> Client:
        return self.plane.client

    def request(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Page:
        trust = ssl.create_default_context(cadata=self.plane.ca.cert_pem.decode())
        connection = http.client.HTTPSConnection("localhost", self.server.api_port, context=trust, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            return Page(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
            )
        finally:
            connection.close()

    def page(self, visitor: str, path: str, **headers: str) -> Page:
        """A page as a client with a token gets it."""
        return self.request("GET", path, {"Authorization": f"Bearer {self.tokens[visitor]}", **headers})

    def sign_in(self, token: str, to: str = "/fleet") -> Page:
        """The answer to the form, as a browser sends it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **BROWSER}
        return self.request("POST", "/sign-in", headers, urlencode({"token": token, "to": to}))

    def add_vm(self, namespace: str, name: str, *devices: str) -> None:
        made = vm(name, devices={"hostDevices": [{"name": device, "deviceName": "a.example/b"} for device in devices]})
        made["metadata"]["namespace"] = namespace
        self.client.create(f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines", made)

    def console(self) -> Path:
        """The folder in /proc of the process that renders the pages."""
        for task in Path(f"/proc/{self.server.popen.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if "webhook.console" in Path(f"/proc/{child}/cmdline").read_text():
                    return Path(f"/proc/{child}")
        raise RuntimeError("the process of the pages does not run")


def bind(client: Client, visitor: str, rules: list[Any], namespace: str = "") -> str:
    """Gives rights to a visitor, in a namespace or in all. Returns the path of the binding."""
    kind = "Role" if namespace else "ClusterRole"
    base = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
    name = f"visitor-{visitor}"
    subject = {"kind": "ServiceAccount", "name": visitor, "namespace": ACCOUNTS}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    client.create(f"{base}/{kind.lower()}s", {"metadata": {"name": name}, "rules": rules})
    client.create(
        f"{base}/{kind.lower()}bindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    )
    return f"{base}/{kind.lower()}bindings/{name}"


def without_nodes(rules: list[Any]) -> list[Any]:
    return [rule | {"resources": [one for one in rule["resources"] if one != "nodes"]} for rule in rules]


@contextmanager
def visited(plane: ControlPlane, folder: Path) -> Iterator[Fleet]:
    """
    A cluster with the VMs ``shop/web``, ``shop/db`` and ``erp/ledger``, of which ``db`` and ``ledger`` cannot be migrated.

    ``operator`` has the role for people, and ``lister`` this role without nodes. ``tenant`` may list VMs in ``shop``, ``half``
    only VirtualMachines there, and ``stranger`` nothing.
    """
    client = plane.client
    for namespace in ("kubevirt", "shop", "erp", ACCOUNTS):
        client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    kubevirt: Manifest = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt"},
        "spec": {},
    }
    client.create("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts", kubevirt)
    client.create("/api/v1/nodes", {"metadata": {"name": "node-1"}})
    for visitor in ("operator", "lister", "tenant", "half", "stranger"):
        client.create(f"/api/v1/namespaces/{ACCOUNTS}/serviceaccounts", {"metadata": {"name": visitor}})
    bind(client, "operator", of_viewers())
    bind(client, "lister", without_nodes(of_viewers()))
    bind(client, "tenant", OWN_VMS, "shop")
    bind(client, "half", [OWN_VMS[0] | {"resources": ["virtualmachines"]}], "shop")
    tokens = {
        visitor: client.token(ACCOUNTS, visitor) for visitor in ("operator", "lister", "tenant", "half", "stranger")
    }
    with serving(plane, folder, "--fleet-from-cluster") as server:
        fleet = Fleet(plane, server, tokens)
        fleet.add_vm("shop", "web")
        fleet.add_vm("shop", "db", "probe")
        fleet.add_vm("erp", "ledger", "probe")
        wait_until(
            lambda: all(name in fleet.page("operator", "/fleet/vms").text for name in ("web", "db", "ledger")),
            60,
            "the VMs to be judged",
        )
        wait_until(lambda: "node-1" in fleet.page("operator", "/fleet/nodes").text, 60, "the nodes to be rehearsed")
        yield fleet
