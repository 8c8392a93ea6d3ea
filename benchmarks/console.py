"""
Time and memory of the pages for operators: ``python -m benchmarks.console [--vms 10000] [--only files|cluster]``.

``files``: a process of its own reads a List of VMs, VMIs, PVCs, launchers, nodes and MigrationPolicies, judges the VMs, rehearses
the drain of each node, and renders pages. ``cluster``: a process of its own watches an API server with as many VMs, and waits
for changes to appear. Seconds are CPU time of the process, except where the figure says otherwise.
"""

import json
import resource
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from benchmarks.drain import renamed
from tests.apiserver import crds
from tests.apiserver.clusters.loading import MACHINES, load
from tests.apiserver.clusters.machines import claim, instance, status, virtual_machine
from tests.apiserver.clusters.shape import Shape, Variant, machine_name, namespace_name
from tests.apiserver.clusters.surroundings import node_name, nodes, surroundings
from tests.apiserver.controlplane import ControlPlane
from tests.drain.fleets import launcher, vmi
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.check.check import Settings
from webhook.cluster.kubernetes_client import connect
from webhook.cluster.ports import Transport
from webhook.console.cluster_source import ClusterSource
from webhook.console.files_source import FilesSource
from webhook.console.pages.router import render
from webhook.console.state import Source
from webhook.surfaces.api.console.messages import PageRequest, Sight

T = TypeVar("T")
Figures = dict[str, float]

MIB: Final = 2**20
POLICIES: Final = 20
SEEN: Final = 20
"""The number of VMs and of nodes whose pages are rendered."""
CHANGES: Final = 20
"""The number of VMs that are created one after the other."""
SETTINGS: Final = Settings()
LAST: Final = 999_999
"""The number of the first of these VMs."""

Object = dict[str, Any]


def cluster(shape: Shape) -> Iterator[Object]:
    """The objects of a cluster, with a launcher for each VMI."""
    for placed in surroundings(shape):
        body = dict(placed.body)
        kind = body.setdefault("kind", {"namespaces": "Namespace", "nodes": "Node"}.get(placed.path.split("/")[-1]))
        if kind is None:
            body |= {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
        yield {"apiVersion": "v1", **body, **({"status": placed.status} if placed.status else {})}
    for number in range(POLICIES):
        yield policy(number)
    template: Object | None = None
    for number, variant in enumerate(shape.variants):
        namespace = shape.namespace(number)
        yield claim(number, namespace, variant)
        vm = virtual_machine(number, namespace, variant)
        vm["metadata"]["uid"] = f"vm-{number}"
        yield vm | {"status": status(variant)}
        if variant.is_running:
            running = instance(number, namespace, variant, f"vm-{number}", node_name(number % nodes(shape)))
            running["metadata"]["uid"] = f"vmi-{number}"
            yield running
            template = template or _template()
            yield renamed(template, running)


def policy(number: int) -> Object:
    """A MigrationPolicy for a namespace, or for the VMs of a team. Pairs of policies tie."""
    selectors = {"namespaceSelector": {"kubernetes.io/metadata.name": f"tenant-{number // 2:04}"}}
    if number % 4 > 1:
        selectors["virtualMachineInstanceSelector"] = {"example.com/team": "orders"}
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": f"policy-{number:02}"},
        "spec": {"selectors": selectors, "allowAutoConverge": True, "bandwidthPerMigration": "128Mi"},
    }


def _template() -> Object:
    return launcher(vmi("template", "n0", memory="8Gi"))


def measure_files(path: str) -> Figures:
    """The figures of a source of files."""
    figures: Figures = {}
    source = timed(figures, "read", lambda: FilesSource([path], Settings()))
    timed(figures, "judge", source.judge)
    timed(figures, "rehearse", source.rehearse)
    figures["resident MiB"] = _resident()
    return figures | pages(source)


def measure_cluster(kubeconfig: str) -> Figures:
    """The figures of a source of a cluster."""
    figures: Figures = {}
    source, stopping = ClusterSource(connect(Path(kubeconfig)), lambda: SETTINGS, "lab"), threading.Event()
    began, cpu = time.monotonic(), time.process_time()
    threading.Thread(target=source.run, args=(stopping,), daemon=True).start()
    wait_until(lambda: not source.state().unfinished, PATIENCE_SECONDS, "the first judgement")
    figures["elapsed until all are judged s"] = time.monotonic() - began
    figures["until all are judged s"] = time.process_time() - cpu
    figures["MiB after judge"] = _peak()
    wait_until(lambda: source.state().drains.rehearsed_at is not None, PATIENCE_SECONDS, "the rehearsal")
    figures["until drains are rehearsed s"] = time.process_time() - cpu
    figures["MiB after rehearse"] = _peak()
    timed(figures, "another rehearsal", source.rehearsals.rehearse)
    figures["resident MiB"] = _resident()
    transport = connect(Path(kubeconfig))
    seconds = [_create(transport, source, LAST - number) for number in range(CHANGES)]
    transport.close()
    figures["elapsed until a change is shown p50 ms"] = sorted(seconds)[CHANGES // 2] * 1000
    figures["elapsed until a change is shown max ms"] = max(seconds) * 1000
    stopping.set()
    return figures | pages(source)


def pages(source: Source) -> Figures:
    """The slowest of several requests for each page, and the size of the page."""
    figures: Figures = {}
    state = source.state()
    vms = state.vms[:: max(len(state.vms) // SEEN, 1)][:SEEN]
    nodes = state.drains.report.nodes[:SEEN] if state.drains.report is not None else ()
    last = str(len(state.vms) // 100)
    addresses: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {
        "overview": [("", ())] * 3,
        "list": [
            ("/vms", ()),
            ("/vms", (("page", last),)),
            ("/vms", (("q", "vm-0001"),)),
            ("/vms", (("verdict", "migratable"),)),
        ],
        "VM": [(f"/vms/{vm.namespace}/{vm.name}", ()) for vm in vms],
        "nodes": [("/nodes", ())] * 3,
        "node": [(f"/nodes/{node.name}", ()) for node in nodes],
        "policies": [("/policies", ())] * 3,
    }
    for name, requests in addresses.items():
        seconds, sizes = [], []
        for path, query in requests:
            start = time.process_time()
            status, body = render(source, PageRequest(path, query, Sight()))
            seconds.append(time.process_time() - start)
            sizes.append(len(body))
            assert status == 200, (path, query, status)
        figures[f"{name}: slowest ms"] = max(seconds, default=0) * 1000
        figures[f"{name}: largest KB"] = max(sizes, default=0) / 1000
    figures["peak MiB"] = _peak()
    return figures


def _create(transport: Transport, source: Source, number: int) -> float:
    """The seconds from the creation of a VM to its row."""
    namespace, name = namespace_name(0), machine_name(number)
    body = virtual_machine(number, namespace, Variant(is_running=False))
    answer = transport.post(MACHINES.format(namespace), body, timeout_seconds=60.0)
    assert answer.status == 201, answer.body
    began = time.monotonic()
    wait_until(lambda: any(one.name == name for one in source.state().vms), PATIENCE_SECONDS, "the VM")
    return time.monotonic() - began


def timed(figures: Figures, name: str, step: Callable[[], T]) -> T:
    """Runs a step, and adds its CPU seconds and the peak memory after it."""
    start = time.process_time()
    result = step()
    figures[f"{name} s"] = time.process_time() - start
    figures[f"MiB after {name}"] = _peak()
    return result


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def main() -> None:
    """Prints one line for each figure."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--vms", type=int, default=10_000)
    parser.add_argument("--only", choices=["files", "cluster"], default="")
    parser.add_argument("--measure", default="", help="Used by the program itself.")
    options = parser.parse_args()
    if options.measure:
        measure = measure_files if options.only == "files" else measure_cluster
        print(json.dumps(measure(options.measure)))
        return
    shape = Shape(options.vms)
    if options.only != "cluster":
        with TemporaryDirectory() as folder:
            path = Path(folder) / "cluster.json"
            objects = list(cluster(shape))
            path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
            print(f"files: {options.vms:,} VMs, {len(objects):,} objects, {path.stat().st_size / MIB:.0f} MiB of JSON")
            del objects
            _print_figures("files", path)
    if options.only != "files":
        with ControlPlane(crds=crds.OWN) as plane:
            load(plane, shape)
            for number in range(POLICIES):
                plane.client.create("/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies", policy(number))
            print(f"cluster: {options.vms:,} VMs")
            _print_figures("cluster", plane.client.kubeconfig())


def _print_figures(source: str, path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.console", "--only", source, "--measure", str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name, value in json.loads(output).items():
        print(f"  {name}: {value:.1f}")


if __name__ == "__main__":
    main()
