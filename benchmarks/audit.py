"""
Audits of a running cluster side by side: `python -m benchmarks.audit [--vms 10000] [--only NAME...]`.

One API server has VMs with PVCs and VMIs. A fifth of the VMs violates one of the five checks. Each tool must find exactly these
VMs. CPU time and peak memory are those of the tool's own processes (wait4). Requests are from the audit log of the API server.
Bytes are the size of all keys and values that etcd stored.
"""

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants.auditing import ALL, Auditor
from benchmarks.launching import Ran, run
from tests.apiserver import crds
from tests.apiserver.audit_log import AuditLog
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import Shape, machine_name
from tests.apiserver.clusters.stored import Etcd
from tests.apiserver.controlplane import ControlPlane

MIB = 2**20
MANY = 20_000
"""For more VMs, the API server runs without its cache, which needs 30 MB for 100 VMs."""
REPORTS = Path(__file__).resolve().parents[1] / "tests" / "audit" / "crds"
STYLES = ("plain", "network", "instancetype")
"""The checks of the other tools do not follow DataVolumes."""
_WRITES = {"create", "update", "patch", "delete", "deletecollection"}
_RULES = ({"level": "None", "userGroups": ["system:nodes"]}, {"level": "Metadata"})


@dataclass(frozen=True, slots=True)
class Measured:
    """A run of a tool."""

    name: str
    cpu: float
    peak: float
    requests: Counter[str]
    """By verb."""
    written: int
    """Bytes in etcd."""

    @property
    def writes(self) -> int:
        """The number of requests that write."""
        return sum(count for verb, count in self.requests.items() if verb in _WRITES)


class Cluster:
    """A control plane with the VMs of a shape."""

    def __init__(self, plane: ControlPlane, shape: Shape, log: AuditLog) -> None:
        self.plane = plane
        self.shape = shape
        self.kubeconfig = plane.client.kubeconfig()
        self._log = log

    def measure(self, name: str, step: Callable[[], Sequence[Ran]]) -> Measured:
        """CPU time, memory, requests and writes of a step."""
        with Etcd(self.plane.etcd_url) as etcd:
            before = etcd.bytes_put()
            self._log.skip()
            ran = step()
            written = etcd.bytes_put() - before
        events = [event for event in self._log.events() if event["user"]["username"] != "system:apiserver"]
        requests = Counter(str(event["verb"]) for event in events)
        return Measured(name, sum(one.cpu for one in ran), max(one.peak for one in ran), requests, written)

    def bad(self) -> set[str]:
        """The names of the VMs that violate a check."""
        return {machine_name(number) for number in self.shape.bad()}


@contextmanager
def cluster(vms: int, folder: Path) -> Iterator[Cluster]:
    """A control plane with this number of VMs."""
    log = AuditLog(folder, answered=True, rules=_RULES)
    flags = [*log.flags, *(["--watch-cache=false"] if vms > MANY else [])]
    shape = Shape(vms, styles=STYLES)
    quota = ["--quota-backend-bytes=8589934592"]
    definitions = (*crds.OWN, *sorted(REPORTS.glob("*.yaml")))
    with ControlPlane(crds=definitions, apiserver_flags=flags, etcd_flags=quota) as plane:
        size = load(plane, shape)
        print(f"{vms:,} VMs in {shape.namespaces} namespaces, {size / MIB:.0f} MiB in etcd", file=sys.stderr)
        yield Cluster(plane, shape, log)


def main() -> None:
    """Prints one line for each tool, and one JSON object."""
    options = _options()
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place, cluster(options.vms, Path(place)) as it:
        for name in options.only:
            try:
                measured.append(_measure(it, name, ALL[name], Path(place)))
            except (subprocess.CalledProcessError, FileNotFoundError) as error:
                print(f"{name}: left out: {error}", file=sys.stderr)
                continue
            print(_row(measured[-1], measured[0]), flush=True)
    load_average = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{options.vms:,} VMs, Python {sys.version.split()[0]}, load {load_average}")
    print(json.dumps([{"tool": one.name, "cpu_s": round(one.cpu, 2), "peak_mib": round(one.peak)} for one in measured]))


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--vms", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", default=list(ALL), choices=list(ALL))
    return parser.parse_args()


def _measure(it: Cluster, name: str, auditor: Auditor, folder: Path) -> Measured:
    outputs: list[Ran] = []

    def step() -> Sequence[Ran]:
        for argv in auditor.commands(it.kubeconfig, folder):
            outputs.append(run(argv))
            if outputs[-1].has_failed:
                raise SystemExit(f"{name} failed:\n{outputs[-1].err[-3000:]}")
        return outputs

    measured = it.measure(name, step)
    found = auditor.found(outputs[-1].out)
    if found != it.bad():
        more, less = sorted(found - it.bad()), sorted(it.bad() - found)
        raise SystemExit(
            f"{name}: {len(more)} too many {more[:3]}, {len(less)} too few {less[:3]}\n{outputs[-1].err[-900:]}"
        )
    return measured


def _row(one: Measured, first: Measured) -> str:
    return (
        f"{one.name:38} {one.cpu:7.2f} s CPU ({one.cpu / first.cpu:5.2f})  {one.peak:6.0f} MiB  "
        f"{one.requests.total():6} requests, {one.writes:5} writes, {one.written / MIB:6.2f} MiB written"
    )


if __name__ == "__main__":
    main()
