"""
The latency that the webhook adds to creations: `python -m benchmarks.through_apiserver [--rate 200] [--seconds 60]`.

VirtualMachines of about 3 KB with two claims each are created in dry runs through a real kube-apiserver at a steady rate:
without webhooks, and with the configurations of deploy/kustomize (defaults and verdict: two calls each) in front of two
replicas. A call that is not answered 201 is a failure. All processes share the cores of the computer.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Load, cpu_seconds, open_loop
from benchmarks.rig import MACHINES, MACHINES_PATH, machine, rig

LOAD_CORE = 1


def main() -> None:
    """Prints a line for each, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="admissions a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with rig() as running:
        bodies = list(_bodies(running.folder))
        client = [running.plane.client.folder / "administrator.pem"] * 2

        def send(seconds: float) -> Load:
            url = f"{running.plane.url}{MACHINES_PATH}"
            return open_loop(LOAD_CORE, url, bodies, options.rate, seconds, wanted=201, client=client)

        send(2)
        without = send(options.seconds)
        with running.serving() as replicas:
            send(2)
            before = sum(cpu_seconds(replica.popen.pid) for replica in replicas)
            present = send(options.seconds)
            spent = sum(cpu_seconds(replica.popen.pid) for replica in replicas) - before
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


def _bodies(folder: Path) -> Iterator[Path]:
    """Machines in files."""
    for number in range(MACHINES):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(machine(number)))
        yield path


if __name__ == "__main__":
    main()
