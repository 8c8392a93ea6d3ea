"""
Time and memory of the state that the pages for operators show: ``python -m benchmarks.console [--vms 10000]``.

A process of its own reads a List of VMs, VMIs, PVCs, launchers, nodes and MigrationPolicies, judges the VMs, rehearses the drain
of each node, and explains some of the VMs.
"""

import json
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.drain import renamed
from tests.apiserver.clusters.machines import claim, instance, status, virtual_machine
from tests.apiserver.clusters.shape import Shape
from tests.apiserver.clusters.surroundings import node_name, nodes, surroundings
from tests.drain.fleets import launcher, vmi
from webhook.check.check import Settings
from webhook.console.of_files import FilesSource

MIB: Final = 2**20
POLICIES: Final = 20
SEEN: Final = 20
"""The number of VMs whose details are read."""

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


def measure_files(path: str) -> dict[str, float]:
    """The seconds of each step in this process, and its peak memory."""
    figures: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = step()
        figures[f"{name} s"] = time.process_time() - start
        figures[f"MiB after {name}"] = _peak()
        return result

    source = timed("read", lambda: FilesSource([path], Settings()))
    timed("judge", source.judge)
    timed("rehearse", source.rehearse)
    figures["resident MiB"] = _resident()
    state = source.state()
    seconds = []
    for vm in state.vms[:: max(len(state.vms) // SEEN, 1)][:SEEN]:
        start = time.process_time()
        assert source.explained(vm.namespace, vm.name) is not None
        seconds.append(time.process_time() - start)
    figures["explain p50 ms"] = sorted(seconds)[len(seconds) // 2] * 1000
    figures["explain max ms"] = max(seconds) * 1000
    figures["peak MiB"] = _peak()
    return figures


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def main() -> None:
    """Prints one line for each figure."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--vms", type=int, default=10_000)
    parser.add_argument("--measure", default="")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure_files(options.measure)))
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.json"
        objects = list(cluster(Shape(options.vms)))
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        print(f"files: {options.vms:,} VMs, {len(objects):,} objects, {path.stat().st_size / MIB:.0f} MiB of JSON")
        command = [sys.executable, "-m", "benchmarks.console", "--measure", str(path)]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for name, value in figures.items():
            print(f"  {name}: {value:.2f}")


if __name__ == "__main__":
    main()
