"""
CPU time and peak memory of a rehearsal, for clusters of 100, 300 and 1,000 nodes with 5 VMs and 20 pods per node.

    python -m benchmarks.drain [NODES...]

For each size, a process of its own reads the cluster from a JSON List, and rehearses the drain of one node with 40 VMs and a
rolling drain of all nodes. The last columns are the ratios to the size before, so 3.3 is linear growth from 300 to 1,000 nodes.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.drain.fleets import kubevirt, launcher, node, vm, vmi
from webhook.drain.rehearsal import Request, rehearse
from webhook.manifests.fleet_paths import read_paths

VMS_PER_NODE = 5
PODS_PER_NODE = 20
VMS_OF_THE_FIRST = 40
MIB = 2**20

Object = dict[str, Any]


def cluster(nodes: int) -> Iterator[Object]:
    """The objects of a cluster. All launchers are copies of a few, with other names."""
    yield kubevirt(migrations={"bandwidthPerMigration": "64Mi"})
    features = {f"cpu-feature.node.kubevirt.io/f{number}": "true" for number in range(120)}
    for at in range(nodes):
        zone = {"topology.kubernetes.io/zone": f"z{at % 3}"}
        yield node(f"n{at}", labels=features | zone, allocatable={"cpu": "64", "memory": "512Gi"})
    templates = {memory: launcher(vmi("template", "n0", memory=memory)) for memory in ("2Gi", "4Gi", "8Gi")}
    number = 0
    for at in range(nodes):
        count = VMS_OF_THE_FIRST if at == 0 else VMS_PER_NODE
        for _ in range(count):
            machine = vmi(
                f"vm{number}", f"n{at}", memory=("2Gi", "4Gi", "8Gi")[number % 3], namespace=f"vms-{number % 20}"
            )
            yield vm(machine)
            yield machine
            yield renamed(templates[("2Gi", "4Gi", "8Gi")[number % 3]], machine)
            number += 1
        for pod in range(PODS_PER_NODE - count if count < PODS_PER_NODE else 0):
            yield other_pod(f"web-{at}-{pod}", f"n{at}", at)


def renamed(template: Object, machine: Object) -> Object:
    """The launcher of another VMI with the same resources."""
    meta = machine["metadata"]
    text = json.dumps(template).replace("uid-lab-template", meta["uid"]).replace("template", meta["name"])
    pod = json.loads(text)
    pod["metadata"]["namespace"] = meta["namespace"]
    pod["spec"]["nodeName"] = machine["status"]["nodeName"]
    return dict(pod)


def other_pod(name: str, on: str, at: int) -> Object:
    needs = {"requests": {"cpu": "100m", "memory": "256Mi"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": f"apps-{at % 50}", "labels": {"app": f"web-{at % 200}"}},
        "spec": {"nodeName": on, "containers": [{"name": "web", "resources": needs}]},
        "status": {"phase": "Running"},
    }


def measure(path: str) -> dict[str, float]:
    """The CPU seconds of each step in this process, and its peak memory."""
    figures: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = step()
        figures[name] = time.process_time() - start
        return result

    fleet = timed("read", lambda: read_paths([path])).fleet()
    figures["read MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    one = timed("one node", lambda: rehearse(fleet, Request(("n0",))))
    rolling = timed("rolling", lambda: rehearse(fleet, Request(mode="rolling")))
    figures["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcomes = {plan.outcome.value for report in (one, rolling) for plan in report.nodes}
    assert outcomes == {"moves"}, outcomes
    return figures


def main() -> None:
    """Prints one line for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or [100, 300, 1000]
    before: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        for nodes in sizes:
            path = Path(folder) / f"{nodes}.json"
            objects = list(cluster(nodes))
            path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
            command = [sys.executable, "-m", "benchmarks.drain", "--measure", str(path)]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            size = path.stat().st_size / MIB
            print(f"{nodes} nodes, {len(objects)} objects, {size:.0f} MiB of JSON")
            for name, value in figures.items():
                growth = f", {value / before[name]:.1f} times the size before" if before.get(name) else ""
                unit = "" if name.endswith("MiB") else " s CPU"
                print(f"  {name}: {value:.2f}{unit}{growth}")
            before = figures


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main()
