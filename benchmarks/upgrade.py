"""
Upgrade and downgrade under load (R25): `python -m benchmarks.upgrade [--previous COMMIT] [--rate 100] [--hold 5]`.

Two replicas and a rotator of the previous version serve a real API server. Under load, the program replaces the replicas one by
one by this version, then applies the new webhook configurations with `kubectl apply`, then replaces the rotator, which renews
serving certificate and authority. After that it goes back to the previous version. While both versions serve, both judge the same
reviews. The previous version is the last tag, or the commit of `--previous`, installed into an environment of its own.
"""

import http.client
import json
import ssl
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from benchmarks import reviews
from benchmarks.figures import Figure, load_average, show
from benchmarks.rig import add_claims
from benchmarks.versions import ROOT, Version, current, last_version, previous
from certs.authority import KeyPair
from certs.cluster import ConfigurationName
from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.bench import LAGS, NAMESPACE, Bench, Kubelets, Rotator, at_port, rotate_arguments
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import Load, webhook_metrics
from tests.apiserver.processes import free_ports
from tests.apiserver.rotation import install
from tests.apiserver.serving import Serving
from tests.fuzz.mutating import bytes_of
from tests.generating import carriers
from tests.properties.supply import stored
from tests.surfaces.admission.reviews import review
from tests.waiting import PATIENCE_SECONDS, wait_until

MACHINES = 150
"""Generated objects that both versions judge when they are created, and when one becomes the next."""
RECORDED = ROOT / "tests" / "data" / "admissionreviews"
NO_PAIR = KeyPair(b"", b"")


@dataclass
class Cluster:
    """A bench whose parts may have two versions."""

    bench: Bench
    folders: list[Path]
    ports: list[list[int]]
    folder: Path
    failures: dict[str, int] = field(default_factory=dict)
    """Failed calls by the step in which they failed."""

    def apply(self, version: Version) -> None:
        """Applies the webhook configurations of a version."""
        text = yaml.safe_dump_all(at_port(version.hooks(), self.bench.balancer.port))
        self.bench.plane.client.kubectl("apply", "-f", "-", stdin=text)

    def start(self, number: int, version: Version) -> Serving:
        """Starts a replica of a version and waits until it is ready."""
        kubeconfig = self.bench.plane.client.kubeconfig()
        replica = version.serve(self.folders[number], self.ports[number], "--kubeconfig", kubeconfig)
        wait_until(replica.ready, PATIENCE_SECONDS, f"replica {number} of version {version.name} to be ready")
        return replica

    def replace(self, number: int, version: Version) -> None:
        """Replaces a replica by one of another version, as a rollout does."""
        old = self.bench.replicas[number]
        old.popen.terminate()
        wait_until(lambda: not old.ready(), PATIENCE_SECONDS, "a replica to be not ready any more")
        self.bench.balancer.leave(old.admission_port)
        old.popen.wait(PATIENCE_SECONDS)
        self.bench.replicas[number] = self.start(number, version)
        self.bench.balancer.join(old.admission_port)

    def rotate_with(self, version: Version) -> None:
        """Replaces the rotator, and has the new one renew serving certificate and authority."""
        for rotator in self.bench.rotators:
            rotator.end()
        places = [f"127.0.0.1:{admission}" for admission, _, _ in self.ports]
        log = self.folder / f"rotator-{len(self.bench.rotators)}.log"
        popen = version.begin(log, *rotate_arguments(self.bench.installed, places))
        self.bench.rotators = [Rotator(popen, log)]
        self.bench.renew_leaf()
        self.bench.replace_authority()


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--previous", metavar="COMMIT", default=last_version())
    parser.add_argument("--rate", type=float, default=100.0, help="admissions a second")
    parser.add_argument("--hold", type=float, default=5.0, metavar="SECONDS", help="under load after each step")
    options = parser.parse_args()
    before = load_average()
    old, new = previous(options.previous), current()
    with ExitStack() as stack:
        cluster = _installed(stack, old)
        counted = webhook_metrics(cluster.bench.plane)
        with Load(cluster.bench.plane, options.rate) as load:
            different = _moved(cluster, old, new, load, options.hold)
        after = webhook_metrics(cluster.bench.plane)
        after.subtract(counted)
    return _shown(f"{options.previous} and this tree", cluster, load, after, different, _unread(old, new), before)


def _installed(stack: ExitStack, version: Version) -> Cluster:
    """An installation of one version, at rest."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migratable-benchmark-")))
    plane = stack.enter_context(ControlPlane(crds=crds.OWN))
    add_claims(plane)
    ports = [free_ports(3) for _ in LAGS]
    balancer = stack.enter_context(Balancer([admission for admission, _, _ in ports]))
    client = plane.client
    client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    service = {"metadata": {"name": "migratable"}, "spec": {"type": "ExternalName", "externalName": "localhost"}}
    client.create(f"/api/v1/namespaces/{NAMESPACE}/services", service)
    documents = at_port(version.hooks(), balancer.port)
    client.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
    names = [ConfigurationName(document["kind"].lower() + "s", document["metadata"]["name"]) for document in documents]
    installed = install(plane, NAMESPACE, names)
    folders = [folder / f"replica-{number}" for number in range(len(LAGS))]
    stack.enter_context(Kubelets(installed, folders))
    cluster = Cluster(Bench(installed, balancer), folders, ports, folder)
    stack.callback(lambda: [rotator.end() for rotator in cluster.bench.rotators])
    log = folder / "rotator-first.log"
    places = [f"127.0.0.1:{admission}" for admission, _, _ in ports]
    cluster.bench.rotators.append(Rotator(version.begin(log, *rotate_arguments(installed, places)), log))
    for replica_folder in folders:
        wait_until((replica_folder / "tls.key").exists, 30, "the first certificate to become a file")
    cluster.bench.replicas = [cluster.start(number, version) for number in range(len(LAGS))]
    stack.callback(lambda: [replica.stop() for replica in cluster.bench.replicas])
    cluster.bench.wait(cluster.bench.judges, "the first verdict")
    cluster.bench.wait(cluster.bench.rests, "all to be well")
    return cluster


def _moved(cluster: Cluster, old: Version, new: Version, load: Load, hold: float) -> list[str]:
    """Upgrades and downgrades; returns the reviews that the two versions judge differently."""
    different: list[str] = []
    steps: list[tuple[str, Callable[[], None]]] = [
        ("old version", lambda: None),
        ("first replica new", lambda: cluster.replace(0, new)),
        ("both asked", lambda: different.extend(_differences(cluster))),
        ("second replica new", lambda: cluster.replace(1, new)),
        ("configurations new", lambda: cluster.apply(new)),
        ("rotator new", lambda: cluster.rotate_with(new)),
        ("first replica old", lambda: cluster.replace(0, old)),
        ("second replica old", lambda: cluster.replace(1, old)),
        ("rotator old", lambda: cluster.rotate_with(old)),
        ("configurations old", lambda: cluster.apply(old)),
    ]
    for name, step in steps:
        failed = load.failures.total()
        step()
        time.sleep(hold)
        cluster.failures[name] = load.failures.total() - failed
    return different


def _reviews() -> Iterator[tuple[str, bytes]]:
    """Recorded reviews, and creations and updates of generated machines."""
    for path in sorted(RECORDED.glob("*.json")):
        yield path.name, path.read_bytes()
    machines = [json.loads(bytes_of(review)) for review in stored(carriers(), MACHINES)]
    for number, machine in enumerate(machines):
        yield f"creation {number}", review("CREATE", machine)
    for number, (first, second) in enumerate(pairwise(machines)):
        if first["kind"] == second["kind"]:
            yield f"update {number}", review("UPDATE", {**second, "metadata": first["metadata"]}, first)
    for name, body in reviews.bad().items():
        yield name, reviews.encoded(body)


def _differences(cluster: Cluster) -> list[str]:
    """Reviews that the replicas judge differently: allowed or not, and the fields that are named."""
    found = []
    for name, body in _reviews():
        first, second = (_verdict(replica, body) for replica in cluster.bench.replicas)
        if first != second:
            found.append(f"{name}: new {first}, old {second}")
    return found


def _verdict(replica: Serving, body: bytes) -> tuple[Any, ...]:
    trusting = ssl._create_unverified_context()  # noqa: SLF001 - what is certified is not the question here
    connection = http.client.HTTPSConnection("127.0.0.1", replica.admission_port, context=trusting, timeout=30)
    try:
        connection.request("POST", "/validate?timeout=30s", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        return (answer.status,)
    response = json.loads(text)["response"]
    causes = response.get("status", {}).get("details", {}).get("causes", ())
    return (response["allowed"], *sorted(f"{cause.get('field')}: {cause.get('message')}"[:120] for cause in causes))


def _unread(old: Version, new: Version) -> list[str]:
    """Policy files that a version ships and the other does not read."""
    pairs = [
        (reader, place, text)
        for reader, writer in ((new, old), (old, new))
        for place, text in writer.policies().items()
    ]
    return [
        f"{reader.name} does not read {place}: {why}"
        for reader, place, text in pairs
        if (why := reader.reads_policy(text))
    ]


def _shown(
    what: str, cluster: Cluster, load: Load, counted: Any, different: list[str], unread: list[str], before: str
) -> int:
    for text, number in load.failures.most_common(5):
        print(f"{number} x {text}", file=sys.stderr)
    for text in [*different, *unread]:
        print(text, file=sys.stderr)
    failed = load.failures.total() + counted["failed"] + counted["let through"]
    steps = ", ".join(f"{name} {number}" for name, number in cluster.failures.items() if number) or "none in any step"
    figures = [
        Figure("admissions", load.figures()),
        Figure("failed or let through", f"{failed} ({steps})", "0", failed == 0),
        Figure("shipped policies the other version does not read", f"{len(unread)}", "0", not unread),
        Figure(
            "reviews judged differently, to be in the changelog", f"{len(different)} of {sum(1 for _ in _reviews())}"
        ),
    ]
    return show("R25", what, figures, before)


if __name__ == "__main__":
    sys.exit(main())
