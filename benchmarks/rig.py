"""A real API server, replicas of `migratable serve` behind a stand-in for a Service, and VirtualMachines whose claims exist."""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import reviews
from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.calls import NOW, Call, Job, to_apiserver
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import metrics_text
from tests.apiserver.serving import Serving, begin, install_hooks_at
from tests.waiting import PATIENCE_SECONDS, wait_until

MACHINES = 200
MACHINES_PATH = f"/apis/kubevirt.io/v1/namespaces/{reviews.NAMESPACE}/virtualmachines?dryRun=All"
CLAIMS_PATH = f"/api/v1/namespaces/{reviews.NAMESPACE}/persistentvolumeclaims"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Rig:
    """A running API server, and the calls that load programs make."""

    plane: ControlPlane
    folder: Path

    def creations(self, **how: Any) -> Job:
        """Creations of VirtualMachines in dry runs, all of which must be admitted."""
        calls = [Call("POST", MACHINES_PATH, json.dumps(machine(number))) for number in range(MACHINES)]
        return to_apiserver(self.plane, calls, {201: ""}, **how)

    def changes(self, rate: float, seconds: float) -> Job:
        """Changes of the claims that the machines name; each carries the time at which it was sent."""
        return changes(self.plane, rate, seconds)

    @contextmanager
    def serving(
        self,
        replicas: int = 2,
        module: str = "webhook",
        failure_policy: str = "Fail",
        timeout_seconds: int | None = None,
    ) -> Iterator[list[Serving]]:
        """Replicas that are ready and in force."""
        flags = ("--kubeconfig", str(self.plane.client.kubeconfig()))
        with ExitStack() as stack:
            running = [
                begin(self.plane.ca, self.folder / f"replica-{number}", *flags, module=module)
                for number in range(replicas)
            ]
            for replica in running:
                stack.callback(replica.stop)
            for replica in running:
                wait_until(replica.ready, PATIENCE_SECONDS, "migratable serve to be ready")
            balancer = stack.enter_context(Balancer([replica.admission_port for replica in running]))
            install_hooks_at(self.plane, balancer.port, failure_policy=failure_policy, timeout_seconds=timeout_seconds)
            yield running


@contextmanager
def rig() -> Iterator[Rig]:
    """An API server that has the claims of the VirtualMachines."""
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as folder, ControlPlane(crds=crds.OWN) as plane:
        add_claims(plane)
        yield Rig(plane, Path(folder))


def add_claims(plane: ControlPlane, machines: int = MACHINES) -> None:
    """The claims that the machines name, and a KubeVirt CR."""
    client = plane.client
    for name in (reviews.NAMESPACE, "kubevirt"):
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}
    client.create("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts", kubevirt)
    for name, mode in reviews.claims(machines).items():
        spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
        client.create(CLAIMS_PATH, {"metadata": {"name": name}, "spec": spec})


def changes(plane: ControlPlane, rate: float, seconds: float) -> Job:
    """Changes of the claims that the machines name, at a steady rate."""
    body = json.dumps({"metadata": {"annotations": {"changed": NOW}}})
    names = [name for name, mode in reviews.claims(MACHINES).items() if mode == "ReadWriteMany"]
    calls = [Call("PATCH", f"{CLAIMS_PATH}/{name}", body, MERGE_PATCH) for name in names]
    return to_apiserver(plane, calls, {200: ""}, rate=rate, seconds=seconds)


def machine(number: int) -> dict[str, Any]:
    """A VirtualMachine of about 3 KB that names two claims of its own."""
    found: dict[str, Any] = reviews.good(number)["request"]["object"]
    found["metadata"] = {"name": f"machine-{number}", "namespace": reviews.NAMESPACE}
    found.pop("status", None)
    return found


_BUCKET = re.compile(
    r'^apiserver_admission_webhook_admission_duration_seconds_bucket\{([^}]*)le="([^"]+)"[^}]*\} (\S+)$', re.MULTILINE
)


def webhook_buckets(plane: ControlPlane) -> Counter[float]:
    """The API server's own histogram of the time that webhooks took: calls of at most so many seconds."""
    found: Counter[float] = Counter()
    for _, limit, value in _BUCKET.findall(metrics_text(plane)):
        found[float(limit)] += int(float(value))
    return found


def bucketed_quantile(buckets: Counter[float], share: float) -> float:
    """As Prometheus' histogram_quantile: linear within a bucket."""
    total, below, lower = buckets[float("inf")], 0, 0.0
    for limit in sorted(buckets):
        if buckets[limit] >= share * total and limit != float("inf"):
            inside = buckets[limit] - below
            return lower + (limit - lower) * (share * total - below) / inside if inside else limit
        below, lower = buckets[limit], limit
    return float("inf")


def difference(after: Counter[float], before: Counter[float]) -> Counter[float]:
    """The counts between two states."""
    return Counter({limit: after[limit] - before[limit] for limit in after})


def milliseconds(seconds: float) -> str:
    """For printing."""
    return f"{seconds * 1000:.1f} ms"
