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
    "CSIStorageCapacity": "/apis/storage.k8s.io/v1/namespaces/{}/csistoragecapacities",
    "VolumeAttachment": "/apis/storage.k8s.io/v1/volumeattachments",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{}/pods",
}
CLEARED: Final = [kind for kind in PATHS if kind not in {"Namespace", "Pod"}]
MERGE_PATCH: Final = "application/merge-patch+json"
FINISHED: Final = frozenset(("Succeeded", "Failed"))
AT_ONCE: Final = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}

FIRST: Final[Manifest] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "first", "namespace": NAMESPACES[0]},
    "spec": {"containers": [{"name": "main", "image": "none"}]},
}
"""The pod that tells when kube-scheduler has received a cluster."""


class Probed(msgspec.Struct, frozen=True):
    """A probe pod as the API server stored it, and the answer of kube-scheduler; or its error, if it could not decide."""

    written: Manifest
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
        self._is_current = False
        self._held: list[str] = []
        """The paths of objects with finalizers."""
        self._connections.send([Request("POST", PATHS["Namespace"], _namespace(name, {})) for name in NAMESPACES])

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()

    def load(self, objects: Sequence[Manifest]) -> Cluster:
        """Creates the objects in the place of those of the last cluster."""
        self._clear()
        refused: list[tuple[Manifest, str]] = []
        stored = self._label_namespaces([item for item in objects if item["kind"] == "Namespace"])
        pods = [item for item in objects if item["kind"] == "Pod"]
        # pods that have ended come first: kube-scheduler frees their host ports even if a later pod uses the same ones
        for phase in (
            [item for item in objects if item["kind"] in CLEARED],
            [pod for pod in pods if _is_finished(pod)],
            [pod for pod in pods if not _is_finished(pod)],
        ):
            stored += self._create(phase, refused)
        self._expect(stored)
        return Cluster(stored, refused)

    def probe(self, pods: Sequence[Manifest]) -> list[Probed]:
        """The answers of kube-scheduler for pods that it accepts or not, in the same order. Refused pods are left out."""
        reports: dict[str, Report] = {}
        if not self._is_current:
            self._wait_current(reports)
        answers = self._connections.send([post(pod) for pod in pods])
        created = [
            (pod, answer.document)
            for pod, answer in zip(pods, answers, strict=True)
            if answer.status == HTTPStatus.CREATED
        ]
        waiting = {pod["metadata"]["uid"]: pod for _, pod in created}
        errors: dict[str, str] = {}

        def all_answered() -> bool:
            self._receive(reports)
            missing = [pod for uid, pod in waiting.items() if uid not in reports and uid not in errors]
            if missing and not self._receive(reports):
                errors.update(self._errors(missing))
            return all(uid in reports or uid in errors for uid in waiting)

        wait_until(all_answered, PATIENCE_SECONDS, "an answer of kube-scheduler for every pod")
        uids = [pod["metadata"]["uid"] for _, pod in created]
        return [
            Probed(written, pod, reports.get(uid), errors.get(uid, ""))
            for uid, (written, pod) in zip(uids, created, strict=True)
        ]

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers to requests that do not change the cluster for longer than the caller needs."""
        return self._connections.send(requests)

    def one(self, request: Request) -> Answer:
        """The answer to one request, as of ``send``."""
        return self._connections.one(request)

    def wait_current(self, stored: Sequence[Manifest]) -> None:
        """Waits until kube-scheduler has received exactly these objects."""
        self._expect(stored)
        self._wait_current({})

    def _expect(self, stored: Sequence[Manifest]) -> None:
        self._seen = _expected(stored)
        self._is_current = False

    def again(self, pods: Sequence[Manifest]) -> list[Probed]:
        """Probes pods a second time, on the same cluster."""
        self._connections.send([Request("DELETE", path_of(pod, pod["metadata"]["name"]), AT_ONCE) for pod in pods])
        return self.probe(pods)

    def _wait_current(self, reports: dict[str, Report]) -> None:
        """Creates a pod again and again until kube-scheduler reports the newest object of each kind."""
        path = path_of(FIRST, FIRST["metadata"]["name"])

        def is_current() -> bool:
            created = self._connections.one(post(FIRST)).document["metadata"]["uid"]
            # without a node there is no report
            arrived = any(self._receive(reports) or created in reports for _ in range(10))
            self._connections.one(Request("DELETE", path, AT_ONCE))
            return arrived and created in reports and reports[created].seen == self._seen

        wait_until(is_current, PATIENCE_SECONDS, "kube-scheduler to receive the cluster")
        self._is_current = True

    def _receive(self, reports: dict[str, Report]) -> int:
        """Adds the first report of every pod; a pod that is tried again later may see other objects."""
        arrived = self._prober.reports()
        for report in arrived:
            reports.setdefault(report.uid, report)
        return len(arrived)

    def _errors(self, pods: Sequence[Manifest]) -> dict[str, str]:
        """The messages of pods that kube-scheduler gave up because of an error, by UID."""
        asked = self._connections.send([Request("GET", path_of(pod, pod["metadata"]["name"])) for pod in pods])
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
        paths = {PATHS[kind].format(namespace) for kind in CLEARED for namespace in NAMESPACES}
        self._connections.send([Request("DELETE", path, AT_ONCE) for path in sorted(paths)])
        release = {"metadata": {"finalizers": None}}
        self._connections.send([Request("PATCH", path, release, MERGE_PATCH) for path in self._held])
        self._held.clear()

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
        created = self._connections.send([post(item) for item in objects])
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
        self._held += [path_of(item, item["metadata"]["name"]) for item, _ in made if "finalizers" in item["metadata"]]
        changes = [self._changes(item, document) for item, document in made]
        answers = iter(self._connections.send([change for change in changes if change]))
        return [
            next(answers).document if change else document for change, (_, document) in zip(changes, made, strict=True)
        ]

    def _changes(self, wanted: Manifest, stored: Manifest) -> Request | None:
        """The request that a creation does not replace: the status, which it ignores, or a deletion that does not end."""
        path = path_of(stored, stored["metadata"]["name"])
        if "deletionTimestamp" in wanted["metadata"]:
            return Request("DELETE", path, {"gracePeriodSeconds": 3600})
        if wanted["kind"] != "Node" and (status := wanted.get("status")):
            return Request("PUT", f"{path}/status", {**stored, "status": {**stored.get("status", {}), **status}})
        return None


def _expected(stored: Sequence[Manifest]) -> dict[str, Seen]:
    """What kube-scheduler reports once it has received all objects."""
    nodes = {item["metadata"]["name"] for item in stored if item["kind"] == "Node"}
    versions: dict[str, list[int]] = {}
    for item in stored:
        if item["kind"] == "Pod" and not _takes_room(item, nodes):
            continue
        versions.setdefault(PATHS[item["kind"]].rpartition("/")[2], []).append(int(item["metadata"]["resourceVersion"]))
    return {kind: Seen(len(found), max(found)) for kind, found in versions.items()}


def _takes_room(pod: Manifest, nodes: Iterable[str]) -> bool:
    """Finished pods, and pods of nodes that do not exist, are not part of the view of kube-scheduler."""
    return pod["spec"].get("nodeName") in nodes and not _is_finished(pod)


def _is_finished(pod: Manifest) -> bool:
    return pod.get("status", {}).get("phase") in FINISHED


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def post(item: Manifest) -> Request:
    """The request that creates an object."""
    body = deepcopy(item)
    body["metadata"].pop("deletionTimestamp", None)
    return Request("POST", path_of(item), body)


def path_of(item: Manifest, name: str = "") -> str:
    """The path of an object of this kind and name, or of all objects of the kind."""
    path = PATHS[item["kind"]].format(item["metadata"].get("namespace", ""))
    return f"{path}/{name}" if name else path
