"""Clusters on a real API server: all objects of one are created, probe pods are answered, and everything is deleted again."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.scheduler.connections import Answer, Connections, Request
from tests.apiserver.scheduler.process import Prober, Report, Seen
from tests.waiting import PATIENCE_SECONDS, wait_until

Manifest = dict[str, Any]

NAMESPACES: Final = ("red", "blue", "green")
"""The namespaces of every cluster. A cluster sets their labels."""

PATHS: Final = {
    "Namespace": "/api/v1/namespaces",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "CSIDriver": "/apis/storage.k8s.io/v1/csidrivers",
    "CSINode": "/apis/storage.k8s.io/v1/csinodes",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{}/pods",
}
CLEARED: Final = [kind for kind in PATHS if kind not in {"Namespace", "Pod"}]
SEEN: Final = {
    "StorageClass": "storageclasses",
    "CSINode": "csinodes",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Node": "nodes",
    "Pod": "pods",
    "Namespace": "namespaces",
}
FINISHED: Final = frozenset(("Succeeded", "Failed"))
AT_ONCE: Final = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}


class Probed(msgspec.Struct, frozen=True):
    """A probe pod as the API server stored it, and the answer of kube-scheduler; or its error, if it could not decide."""

    pod: Manifest
    report: Report | None
    error: str = ""


class Cluster(msgspec.Struct, frozen=True):
    """The objects as the API server stored them, and those that it refused, with the reason."""

    stored: list[Manifest]
    refused: list[tuple[Manifest, str]]


class Bench:
    """Loads clusters into a control plane with a kube-scheduler, one after the other."""

    def __init__(self, control_plane: ControlPlane, prober: Prober) -> None:
        self._connections = Connections(control_plane.client)
        self._prober = prober
        self._seen: dict[str, Seen] = {}
        self._connections.send([Request("POST", PATHS["Namespace"], _namespace(name, {})) for name in NAMESPACES])

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()

    def load(self, objects: Sequence[Manifest]) -> Cluster:
        """Creates the objects in the place of those of the last cluster."""
        self._clear()
        refused: list[tuple[Manifest, str]] = []
        stored = self._label_namespaces([item for item in objects if item["kind"] == "Namespace"])
        for phase in (CLEARED, ["Pod"]):
            stored += self._create([item for item in objects if item["kind"] in phase], refused)
        self._seen = _expected(stored)
        return Cluster(stored, refused)

    def probe(self, pods: Sequence[Manifest]) -> list[Probed]:
        """The answers of kube-scheduler for pods that it accepts or not, in the same order. Refused pods are left out."""
        if not pods:
            return []
        first, *others = pods
        reports: dict[str, Report] = {}
        answers = [self._first(first, reports), *self._connections.send([_post(pod) for pod in others])]
        created = [answer.document for answer in answers if answer.status == HTTPStatus.CREATED]
        waiting = {pod["metadata"]["uid"]: pod for pod in created}
        errors: dict[str, str] = {}

        def all_answered() -> bool:
            self._receive(reports)
            missing = [pod for uid, pod in waiting.items() if uid not in reports and uid not in errors]
            if missing and not self._receive(reports):
                errors.update(self._errors(missing))
            return all(uid in reports or uid in errors for uid in waiting)

        wait_until(all_answered, PATIENCE_SECONDS, "an answer of kube-scheduler for every pod")
        return [Probed(pod, reports.get(uid), errors.get(uid, "")) for uid, pod in waiting.items()]

    def _first(self, pod: Manifest, reports: dict[str, Report]) -> Answer:
        """Creates a pod again until kube-scheduler has received all objects of the cluster before it."""
        answer = self._connections.one(_post(pod))
        if answer.status != HTTPStatus.CREATED:
            return answer

        def is_current() -> bool:
            nonlocal answer
            uid = answer.document["metadata"]["uid"]
            if not self._receive(reports) and not self._errors([answer.document]):
                return False
            if uid in reports and reports[uid].seen == self._seen:
                return True
            path = _path(pod, pod["metadata"]["name"])
            self._connections.one(Request("DELETE", path, AT_ONCE))
            answer = self._connections.one(_post(pod))
            return False

        wait_until(is_current, PATIENCE_SECONDS, "kube-scheduler to receive the cluster")
        return answer

    def _receive(self, reports: dict[str, Report]) -> int:
        """Adds the first report of every pod; a pod that is tried again later may see other objects."""
        arrived = self._prober.reports()
        for report in arrived:
            reports.setdefault(report.uid, report)
        return len(arrived)

    def _errors(self, pods: Sequence[Manifest]) -> dict[str, str]:
        """The messages of pods that kube-scheduler gave up because of an error, by UID."""
        asked = self._connections.send([Request("GET", _path(pod, pod["metadata"]["name"])) for pod in pods])
        conditions = {
            answer.document["metadata"]["uid"]: condition
            for answer in asked
            for condition in answer.document.get("status", {}).get("conditions") or ()
            if condition["type"] == "PodScheduled" and condition.get("reason") in {"SchedulerError", "SchedulingGated"}
        }
        return {uid: f"{item['reason']}: {item.get('message', '')}" for uid, item in conditions.items()}

    def _clear(self) -> None:
        pods = [Request("DELETE", PATHS["Pod"].format(namespace), AT_ONCE) for namespace in NAMESPACES]
        self._connections.send(pods)
        claims = "PersistentVolumeClaim"
        paths = [PATHS[claims].format(namespace) for namespace in NAMESPACES]
        paths += [PATHS[kind] for kind in CLEARED if kind != claims]
        self._connections.send([Request("DELETE", path, AT_ONCE) for path in paths])

    def _label_namespaces(self, namespaces: Iterable[Manifest]) -> list[Manifest]:
        labels = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in namespaces}
        requests = [
            Request("PUT", f"{PATHS['Namespace']}/{name}", _namespace(name, labels.get(name, {})))
            for name in NAMESPACES
        ]
        self._connections.send(requests)
        stored: list[Manifest] = self._connections.one(Request("GET", PATHS["Namespace"])).document["items"]
        return [{"apiVersion": "v1", "kind": "Namespace", **item} for item in stored]

    def _create(self, objects: Sequence[Manifest], refused: list[tuple[Manifest, str]]) -> list[Manifest]:
        created = self._connections.send([_post(item) for item in objects])
        made = [
            (item, answer.document)
            for item, answer in zip(objects, created, strict=True)
            if answer.status == HTTPStatus.CREATED
        ]
        refused += [
            (item, str(answer.document.get("message")))
            for item, answer in zip(objects, created, strict=True)
            if answer.status != HTTPStatus.CREATED
        ]
        changes = [self._changes(item, document) for item, document in made]
        answers = iter(self._connections.send([change for change in changes if change]))
        return [
            next(answers).document if change else document for change, (_, document) in zip(changes, made, strict=True)
        ]

    def _changes(self, wanted: Manifest, stored: Manifest) -> Request | None:
        """The request that a creation does not replace: the status, which it ignores, or a deletion that does not end."""
        path = _path(stored, stored["metadata"]["name"])
        if "deletionTimestamp" in wanted["metadata"]:
            return Request("DELETE", path, {"gracePeriodSeconds": 3600})
        if wanted["kind"] not in {"Node", "CSINode"} and (status := wanted.get("status")):
            return Request("PUT", f"{path}/status", {**stored, "status": {**stored.get("status", {}), **status}})
        return None


def _expected(stored: Sequence[Manifest]) -> dict[str, Seen]:
    """What kube-scheduler reports once it has received all objects."""
    nodes = {item["metadata"]["name"] for item in stored if item["kind"] == "Node"}
    versions: dict[str, list[int]] = {}
    for item in stored:
        if item["kind"] not in SEEN or (item["kind"] == "Pod" and not _takes_room(item, nodes)):
            continue
        versions.setdefault(SEEN[item["kind"]], []).append(int(item["metadata"]["resourceVersion"]))
    return {kind: Seen(len(found), max(found)) for kind, found in versions.items()}


def _takes_room(pod: Manifest, nodes: Iterable[str]) -> bool:
    """Finished pods, and pods of nodes that do not exist, are not part of the view of kube-scheduler."""
    return pod["spec"].get("nodeName") in nodes and pod.get("status", {}).get("phase") not in FINISHED


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _post(item: Manifest) -> Request:
    body = deepcopy(item)
    body["metadata"].pop("deletionTimestamp", None)
    return Request("POST", _path(item), body)


def _path(item: Manifest, name: str = "") -> str:
    path = PATHS[item["kind"]].format(item["metadata"].get("namespace", ""))
    return f"{path}/{name}" if name else path
