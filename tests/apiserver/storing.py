"""Stores the objects of a cluster in a control plane as controllers and kubelets would, with their status."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from tests.apiserver.client import Client
from webhook.objects.fleet_kinds import find_fleet_kind
from webhook.objects.kinds import Kind

Object = dict[str, Any]
_LATE: Final = ("ResourceQuota", "PodDisruptionBudget")
"""Kinds that come last, because a quota without a status refuses every pod."""


def store(client: Client, objects: Iterable[Object]) -> None:
    """Creates the objects, and the namespaces that they need. VMIs get new UIDs, which their pods then name."""
    every = sorted(objects, key=lambda one: (one["kind"] in _LATE, one["kind"] == "Pod", one["kind"] != "Namespace"))
    for name in sorted({one["metadata"].get("namespace", "") for one in every} - {""}):
        client.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    uids: dict[str, str] = {}
    for one in every:
        if one["kind"] == "Namespace":
            continue
        stored = _stored(client, json.loads(_with_uids(one, uids)))
        given = one["metadata"].get("uid")
        if given is not None:
            uids[given] = stored["metadata"]["uid"]


def _with_uids(one: Object, uids: dict[str, str]) -> str:
    """The object as JSON. A pod names the UID that the API server gave to its VMI."""
    text = json.dumps(one)
    for given in [uid for uid in uids if f'"{uid}"' in text]:
        text = text.replace(f'"{given}"', f'"{uids[given]}"')
    return text


def _stored(client: Client, one: Object) -> Object:
    kind = find_fleet_kind(one["apiVersion"], one["kind"])
    assert kind is not None, one["kind"]
    place = path(kind, one["metadata"].get("namespace", ""))
    if kind.kind == "Pod":
        for container in (*one["spec"].get("containers", ()), *one["spec"].get("initContainers", ())):
            container["image"] = "registry.example/launcher"
    one["metadata"].pop("uid", None)
    stored = client.create(place, one)
    if kind.kind == "Node":  # the API server adds a taint to every new node
        stored["spec"] = one.get("spec", {})
        stored = _put(client, f"{place}/{one['metadata']['name']}", stored)
    if stored.get("status", {}) != one.get("status", {}):  # a VMI has no subresource for its status
        stored = _put(client, f"{place}/{one['metadata']['name']}/status", stored | {"status": one["status"]})
    return stored


def _put(client: Client, place: str, one: Object) -> Object:
    reply = client.api("PUT", place, one)
    assert reply.status == HTTPStatus.OK, f"PUT {place}: {reply.status} {reply.document.get('message')}"
    return reply.document


def path(kind: Kind, namespace: str) -> str:
    """The path of the objects of a kind."""
    root = f"/apis/{kind.group}/{kind.versions[0]}" if kind.group else f"/api/{kind.versions[0]}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"
