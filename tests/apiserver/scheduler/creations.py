"""Target pods on a real kube-scheduler: created one after the other in an order, and bound to nodes or left pending."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from tests.apiserver.scheduler.clusters import AT_ONCE, Bench, Manifest, path_of, post
from tests.apiserver.scheduler.connections import Request
from tests.waiting import PATIENCE_SECONDS, wait_until

Key = tuple[str, str]
_UNSCHEDULABLE: Final = "Unschedulable"


class Creation(msgspec.Struct, frozen=True):
    """The target pod of a migration, and the pod that ends with the migration."""

    key: Key
    target: Manifest
    source: Manifest


class Bound(msgspec.Struct, frozen=True):
    """The end of an order: the node of each target pod, or "" if the pod is pending."""

    nodes: dict[Key, str]
    waited: frozenset[Key]
    """The pods that were pending when kube-scheduler tried them first. Some of them have a node at the end."""


class Creations:
    """Orders of creation on one cluster. Each order begins with the same cluster."""

    def __init__(self, bench: Bench, stored: Iterable[Manifest]) -> None:
        self._bench = bench
        self._stored = {_identity(item): item for item in stored}
        self._removed: list[Manifest] = []
        """The sources that the last order has removed."""
        self._created: list[Manifest] = []

    def bind(self, order: Sequence[Creation], scheduler: str, *, keeps_sources: bool) -> Bound:
        """
        Creates the target pods, and waits for kube-scheduler.

        Without ``keeps_sources``, each migration ends before the next one begins. Pods that are pending are created a second
        time when all others have their nodes.
        """
        self._restore()
        nodes = self._pass(order, scheduler, keeps_sources=keeps_sources)
        pending = [one for one in order if not nodes[one.key]]
        if pending and len(pending) < len(order):
            self._bench.send([_delete(one.target) for one in pending])
            nodes |= self._pass(pending, scheduler, keeps_sources=keeps_sources)
        return Bound(nodes, frozenset(one.key for one in pending))

    def _pass(self, order: Sequence[Creation], scheduler: str, *, keeps_sources: bool) -> dict[Key, str]:
        nodes: dict[Key, str] = {}
        for group in [order] if keeps_sources else [[one] for one in order]:
            for one in group:
                self._create(one.target, scheduler)
            nodes |= self._decided(group)
            if not keeps_sources:
                moved = [one.source for one in group if nodes[one.key]]
                self._bench.send([_delete(source) for source in moved])
                self._removed += moved
        return nodes

    def _create(self, target: Manifest, scheduler: str) -> None:
        answer = self._bench.one(post({**target, "spec": {**target["spec"], "schedulerName": scheduler}}))
        if answer.status != HTTPStatus.CREATED:
            raise ValueError(f"the API server refuses a target pod: {answer.document.get('message')}")
        self._created.append(target)

    def _decided(self, group: Sequence[Creation]) -> dict[Key, str]:
        """The nodes, once kube-scheduler has tried each pod."""
        nodes: dict[Key, str] = {}

        def are_decided() -> bool:
            waiting = [one for one in group if one.key not in nodes]
            asked = self._bench.send([Request("GET", _path(one.target)) for one in waiting])
            for one, answer in zip(waiting, asked, strict=True):
                node = answer.document["spec"].get("nodeName", "")
                if node or _is_unschedulable(answer.document):
                    nodes[one.key] = node
            return len(nodes) == len(group)

        wait_until(are_decided, PATIENCE_SECONDS, "kube-scheduler to try every target pod")
        return nodes

    def _restore(self) -> None:
        """Gives the cluster the pods that it had at first, and waits until kube-scheduler knows."""
        self._bench.send([_delete(target) for target in self._created])
        again = self._bench.send([post(source) for source in self._removed])
        for answer in again:
            item = {"apiVersion": "v1", "kind": "Pod", **answer.document}
            self._stored[_identity(item)] = item
        self._created.clear()
        self._removed.clear()
        self._bench.wait_current(list(self._stored.values()))


def _is_unschedulable(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(
        condition["type"] == "PodScheduled"
        and condition["status"] == "False"
        and condition.get("reason") == _UNSCHEDULABLE
        for condition in conditions
    )


def _identity(item: Manifest) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _path(pod: Manifest) -> str:
    return path_of(pod, pod["metadata"]["name"])


def _delete(pod: Manifest) -> Request:
    return Request("DELETE", _path(pod), AT_ONCE)
