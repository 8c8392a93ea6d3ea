"""
What a webhook costs whoever creates machines: `python -m benchmarks.through_apiserver [--rate 200] [--seconds 60]`.

VirtualMachines of about 3 KB with two claims each are created in dry runs through a real kube-apiserver at a steady rate:
without webhooks, and with the configurations of deploy/kustomize (defaults and verdict: two calls each) in front of two
replicas. A call that is not answered 201 is a failure. Everything shares the cores of the machine.
"""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import reviews
from benchmarks.measuring import Load, cpu_seconds, open_loop
from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import START_SECONDS, Serving, begin, install_hooks_at
from tests.waiting import wait_until

MACHINES = 500
LOAD_CORE = 1


def main() -> None:
    """Prints a line for each, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="admissions a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as folder, ControlPlane(crds=crds.OWN) as plane:
        bodies = list(_bodies(plane, Path(folder)))
        client = [plane.client.folder / name for name in ("administrator.pem", "administrator.pem")]
        url = f"{plane.url}/apis/kubevirt.io/v1/namespaces/{reviews.NAMESPACE}/virtualmachines?dryRun=All"

        def send(seconds: float) -> Load:
            return open_loop(LOAD_CORE, url, bodies, options.rate, seconds, wanted=201, client=client)

        send(2)
        without = send(options.seconds)
        with _replicas(plane, Path(folder)) as running:
            send(2)
            before = sum(cpu_seconds(each.popen.pid) for each in running)
            present = send(options.seconds)
            spent = sum(cpu_seconds(each.popen.pid) for each in running) - before
    for name, load in (("no webhook", without), ("migratable, two replicas", present)):
        print(
            f"{name:26} {load.answers} admissions at {load.per_second:.0f} a second, {load.failures} failed, "
            f"p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms"
        )
    print(
        f"added: p50 {present.p50_ms - without.p50_ms:.1f} ms ({present.p50_ms / without.p50_ms:.2f} x), "
        f"p99 {present.p99_ms - without.p99_ms:.1f} ms; {spent / present.answers * 1000:.2f} ms of our CPU an admission"
    )
    print(json.dumps({"failures": present.failures, "p50_ms": present.p50_ms, "p99_ms": present.p99_ms}))


def _bodies(plane: ControlPlane, folder: Path) -> Iterator[Path]:
    """Machines in files, with their claims and the KubeVirt CR in the cluster."""
    client = plane.client
    for name in (reviews.NAMESPACE, "kubevirt"):
        client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}
    client.create("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts", kubevirt)
    for name, mode in reviews.claims(MACHINES).items():
        spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
        path = f"/api/v1/namespaces/{reviews.NAMESPACE}/persistentvolumeclaims"
        client.create(path, {"metadata": {"name": name}, "spec": spec})
    for number in range(MACHINES):
        machine = reviews.good(number)["request"]["object"]
        machine["metadata"] = {"name": f"machine-{number}", "namespace": reviews.NAMESPACE}
        machine.pop("status", None)
        path = folder / f"{number}.json"
        path.write_text(json.dumps(machine))
        yield path


@contextmanager
def _replicas(plane: ControlPlane, folder: Path) -> Iterator[list[Serving]]:
    """Two that are ready and in force."""
    flags = ("--kubeconfig", str(plane.client.kubeconfig()))
    with ExitStack() as stack:
        running = [begin(plane.ca, folder / f"replica-{number}", *flags) for number in range(2)]
        for each in running:
            stack.callback(each.stop)
        for each in running:
            wait_until(each.ready, START_SECONDS, "migratable serve to be ready")
        balancer = stack.enter_context(Balancer([each.admission_port for each in running]))
        install_hooks_at(plane, balancer.port)
        yield running


if __name__ == "__main__":
    main()
