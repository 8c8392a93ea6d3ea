"""
Loads a cluster into a control plane: 10,000 VMs in seconds.

The API server creates one VM of each variant. The other VMs are written to etcd in the form in which the API server stored the
first, with other names and UIDs.
"""

import http.client
import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from tests.apiserver.clusters.machines import claim, instance, status, virtual_machine
from tests.apiserver.clusters.shape import Shape, Variant, mac_part, machine_name
from tests.apiserver.clusters.stored import Etcd
from tests.apiserver.clusters.surroundings import node_name, nodes, surroundings
from tests.apiserver.controlplane import ControlPlane

MACHINES = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines"
INSTANCES = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachineinstances"
CLAIMS = "/api/v1/namespaces/{}/persistentvolumeclaims"
_KEYS = (
    "/registry/persistentvolumeclaims/{}/{}",
    "/registry/kubevirt.io/virtualmachines/{}/{}",
    "/registry/kubevirt.io/virtualmachineinstances/{}/{}",
)


class Creator:
    """One connection of the administrator to the API server."""

    def __init__(self, plane: ControlPlane) -> None:
        context = ssl.create_default_context(cadata=plane.ca.cert_pem.decode())
        context.load_cert_chain(plane.client.folder / "administrator.pem")
        at = urlsplit(plane.url)
        assert at.hostname
        self._connection = http.client.HTTPSConnection(at.hostname, at.port, timeout=60, context=context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def create(self, path: str, body: dict[str, Any], state: dict[str, Any] | None = None) -> dict[str, Any]:
        """Creates an object, and writes its status in another request. Returns the stored object."""
        made = self.send("POST", path, body)
        if state is not None:
            made = self.send("PUT", f"{path}/{made['metadata']['name']}/status", {**made, "status": state})
        return made

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request, which must succeed."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status in (200, 201), f"{method} {path}: {response.status} {answer.get('message')}"
        return answer


@dataclass(frozen=True, slots=True)
class _Original:
    """A VM that the API server created, with its PVC and VMI."""

    number: int
    namespace: str
    uids: tuple[str, ...]
    stored: tuple[tuple[str, bytes], ...]
    """The templates of the keys, and the values."""

    def copy(self, number: int, namespace: str) -> Iterator[tuple[str, bytes]]:
        """The keys and values of another VM of this variant."""
        changes = [
            (machine_name(self.number).encode(), machine_name(number).encode()),
            (self.namespace.encode(), namespace.encode()),
            (mac_part(self.number).encode(), mac_part(number).encode()),
            *((uid.encode(), f"{uid[:24]}{number:012d}".encode()) for uid in self.uids),
        ]
        for key, original in self.stored:
            copy = original
            for old, new in changes:
                copy = copy.replace(old, new)
            yield key.format(namespace, machine_name(number)), copy


def load(plane: ControlPlane, shape: Shape) -> int:
    """Loads all objects of the cluster. Returns the size of the VMs, VMIs and PVCs in etcd."""
    with Creator(plane) as creator, Etcd(plane.etcd_url) as etcd:
        for placed in surroundings(shape):
            creator.create(*placed)
        return etcd.put(_stored(creator, etcd, shape))


def _stored(creator: Creator, etcd: Etcd, shape: Shape) -> Iterator[tuple[str, bytes]]:
    originals: dict[Variant, _Original] = {}
    for number, variant in enumerate(shape.variants):
        namespace = shape.namespace(number)
        original = originals.get(variant)
        if original is None:
            originals[variant] = _create(creator, etcd, shape, number)
        else:
            yield from original.copy(number, namespace)


def _create(creator: Creator, etcd: Etcd, shape: Shape, number: int) -> _Original:
    variant, namespace = shape.variants[number], shape.namespace(number)
    made = [
        creator.create(CLAIMS.format(namespace), claim(number, namespace, variant), {"phase": "Bound"}),
        creator.create(MACHINES.format(namespace), virtual_machine(number, namespace, variant), status(variant)),
    ]
    if variant.is_running:
        node = node_name(number % nodes(shape))
        vmi = instance(number, namespace, variant, made[1]["metadata"]["uid"], node)
        made.append(creator.create(INSTANCES.format(namespace), vmi))
    keys: Sequence[str] = _KEYS[: len(made)]
    return _Original(
        number,
        namespace,
        tuple(one["metadata"]["uid"] for one in made),
        tuple((key, etcd.get(key.format(namespace, machine_name(number)))) for key in keys),
    )
