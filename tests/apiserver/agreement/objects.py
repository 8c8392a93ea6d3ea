"""Generated objects in a control plane. Each tenant has a generated world."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.apiserver.client import Client
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.machines import virtual_machine
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.controlplane import ControlPlane
from tests.generating import NAMESPACE, Manifest, carriers, worlds
from webhook.cluster.live_reads import path_of
from webhook.objects.kinds import find_kind

_UNPRINTABLE = re.compile(r"\\u(?:00[0189][0-9a-f]|007f|fff[ef])")
"""Escapes of control characters. ``kubectl get -o yaml`` fails for an object that contains one."""
PER_TENANT = 20
"""The number of VMs, VMIs, replica sets and pools in one namespace."""


def fill(plane: ControlPlane, count: int, number: int) -> list[Manifest]:
    """
    Creates about ``count`` objects that contain a VMI. A quarter are VMs as in a real cluster, with their VMIs. The others are
    generated, in namespaces with generated claims, networks and instancetypes.

    Returns the objects as they were sent, without VMIs of VMs. The API server refuses some objects, which do not count.
    """
    client, shape = plane.client, Shape(count // 4, namespaces=5, seed=number)
    load(plane, shape)
    client.create("/api/v1/namespaces", {"metadata": {"name": "neighbour"}})
    created = [virtual_machine(each, shape.namespace(each), variant) for each, variant in enumerate(shape.variants)]
    count -= shape.vms
    tenants = -(-count // PER_TENANT)
    around = _drawn(worlds(), tenants, number)
    drawn = iter(_drawn(carriers(), count * 2, number + 1))
    for tenant, world in enumerate(around):
        namespace = f"tenant-{tenant:03}"
        client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        for placed in _placed(world, namespace):
            if placed["kind"] == "ControllerRevision":  # KubeVirt labels its revisions
                placed["metadata"]["labels"] = {"instancetype.kubevirt.io/object-generation": "1"}
            if placed["kind"] != "KubeVirt":
                _create(client, placed, placed.pop("status", None))
        created += _tenants_objects(client, drawn, namespace)
    return created


def _tenants_objects(client: Client, drawn: Iterator[Manifest], namespace: str) -> Iterator[Manifest]:
    numbers: Counter[str] = Counter()
    while numbers.total() < PER_TENANT and (manifest := next(drawn, None)) is not None:
        (placed,) = _placed([manifest], namespace)
        kind = placed["kind"]
        placed["metadata"]["name"] += f"-{numbers[kind]}"
        status = placed.pop("status", None)
        if _create(client, placed, status if kind == "VirtualMachine" else None):
            numbers[kind] += 1
            yield placed


def _placed(manifests: Iterable[Manifest], namespace: str) -> list[Manifest]:
    """The objects in another namespace, with references into it."""
    text = json.dumps(list(manifests)).replace(f'"{NAMESPACE}"', f'"{namespace}"')
    placed: list[Manifest] = json.loads(_UNPRINTABLE.sub("?", text))
    return placed


def _create(client: Client, manifest: Manifest, status: Any = None) -> bool:
    """Whether the API server stores the object."""
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    version = manifest["apiVersion"].rpartition("/")[2]
    path = path_of(kind, version, manifest["metadata"].get("namespace", ""))
    reply = client.api("POST", path, manifest)
    if reply.status != 201:
        return False
    if status:
        client.api("PUT", f"{path}/{manifest['metadata']['name']}/status", {**reply.document, "status": status})
    return True


def _drawn(strategy: st.SearchStrategy[Any], count: int, number: int) -> list[Any]:
    """Some values of a strategy, always the same for the same number."""
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found
