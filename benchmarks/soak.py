"""
Half an hour under load (R19): `python -m benchmarks.soak [--minutes 30] [--rate 100] [--churn 20]`.

Two replicas behind a real API server judge creations of VirtualMachines with two claims, four of five of which are admitted.
Claims change all the time, and each minute a rotator replaces the serving certificate or the authority. Memory, open files and
threads of both replicas are read every five seconds; the first five minutes count for failures only.
"""

import json
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import linear_regression, median

from benchmarks.figures import Figure, load_average, show
from benchmarks.measuring import cpu_seconds, resident_mib
from benchmarks.rig import MACHINES, MACHINES_PATH, add_claims, changes, machine, milliseconds
from certs.authority import CertificateAuthority
from tests.apiserver import crds
from tests.apiserver.bench import SERVED_NAMES, Bench, bench
from tests.apiserver.calls import Call, Calls, Job, Outcome, quantile, to_apiserver
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import OBJECT, PATH, webhook_metrics
from webhook.surfaces.admission.endpoint import CONFIRMING_THREADS

SAMPLE_SECONDS = 5.0
GOAL_MIB = 2.0
"""By which the memory of a replica may grow in 30 minutes."""
FILES = 4
"""How many more open files at rest, after the load, still count as flat."""
REST_SECONDS = 130.0
"""After which no idle connection is left: API servers close theirs after 90 s, our listeners after 120 s."""


@dataclass
class Watcher:
    """Reads what processes use while the block lasts."""

    pids: Sequence[int]
    samples: list[list[tuple[float, float, int, int]]] = field(default_factory=list)
    """For each process: seconds, MiB, open files, threads."""
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Watcher":
        self.samples = [[] for _ in self.pids]
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(SAMPLE_SECONDS):
            for pid, samples in zip(self.pids, self.samples, strict=True):
                samples.append((time.monotonic() - began, resident_mib(pid), *open_files_and_threads(pid)))


def open_files_and_threads(pid: int) -> tuple[int, int]:
    """How many of each a process has."""
    files, threads = (len(list(Path(f"/proc/{pid}/{folder}").iterdir())) for folder in ("fd", "task"))
    return files, threads


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=5.0, metavar="MINUTES")
    parser.add_argument("--rate", type=float, default=100.0, help="creations a second")
    parser.add_argument("--churn", type=float, default=20.0, help="changes of claims a second")
    parser.add_argument("--rest", type=float, default=REST_SECONDS, metavar="SECONDS", help="after the load")
    parser.add_argument("--rotation", type=float, default=60.0, metavar="SECONDS", help="between two rotations")
    options = parser.parse_args()
    before = load_average()
    authority = CertificateAuthority.mint(datetime.now(UTC))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="migratable-benchmark-"))
        plane = stack.enter_context(ControlPlane(crds=crds.OWN))
        add_claims(plane)
        first = (authority.pair, authority.sign(SERVED_NAMES, datetime.now(UTC)))
        running = stack.enter_context(bench(plane, Path(folder), first, module="webhook"))
        return _soak(running, options, before)


def _soak(running: Bench, options: Namespace, before: str) -> int:
    seconds, rotations = options.minutes * 60, list[float]()
    pids = [replica.popen.pid for replica in running.replicas]
    at_rest = [open_files_and_threads(pid) for pid in pids]
    spent = [cpu_seconds(pid) for pid in pids]
    counted = webhook_metrics(running.plane)
    creations, churning = (
        _creations(running.plane, options.rate, seconds),
        changes(running.plane, options.churn, seconds),
    )
    with Watcher(pids) as watcher, Calls(creations) as load, Calls(churning) as churn:
        began = time.monotonic()
        while not load.ended:
            pause = began + options.rotation * (len(rotations) + 1) - time.monotonic()
            if pause > 0 or time.monotonic() - began > seconds - 30:
                time.sleep(min(max(pause, 0.1), 1.0))
                continue
            rotations.append(running.replace_authority() if len(rotations) % 2 else running.renew_leaf())
        made, changed = load.outcome(), churn.outcome()
    after = webhook_metrics(running.plane)
    after.subtract(counted)
    used = sum(cpu_seconds(pid) - spent_before for pid, spent_before in zip(pids, spent, strict=True))
    time.sleep(options.rest)
    ends = [(first, open_files_and_threads(pid)) for first, pid in zip(at_rest, pids, strict=True)]
    failed = made.failed + changed.failed + after["failed"] + after["let through"]
    figures = [
        *_load_figures(made, changed, rotations, used),
        Figure("failed or let through", f"{failed} of {made.calls}", "0", failed == 0),
        *chain(*(_growth(number, samples, options.warm_up) for number, samples in enumerate(watcher.samples))),
        *chain(*(_at_rest(number, *end) for number, end in enumerate(ends))),
    ]
    for text, number in (made.failures + changed.failures).most_common(5):
        print(f"{number} x {text}", file=sys.stderr)
    conditions = (
        f"{options.minutes:g} minutes, {options.rate:g} creations and {options.churn:g} changes of claims a second"
    )
    return show("R19", conditions, figures, before)


def _load_figures(made: Outcome, changed: Outcome, rotations: Sequence[float], used: float) -> list[Figure]:
    slowest = max(rotations, default=0.0)
    p50, p99 = (milliseconds(quantile(made.all_times, share)) for share in (0.5, 0.99))
    return [
        Figure("creations (two webhook calls each)", f"{made.calls}, {made.calls / made.took:.0f} a second"),
        Figure("p50, p99 of a creation", f"{p50}, {p99}"),
        Figure("changes of claims", f"{changed.calls}"),
        Figure("rotations of leaf and authority", f"{len(rotations)}, the slowest {slowest:.1f} s"),
        Figure("CPU of both replicas, per creation", milliseconds(used / made.calls)),
    ]


def _growth(number: int, samples: Sequence[tuple[float, float, int, int]], warm_up: float) -> list[Figure]:
    """How the memory of a replica grew after the warm-up, and what it used meanwhile."""
    late = [sample for sample in samples if sample[0] >= warm_up * 60]
    if len(late) < 4:
        return [Figure(f"replica {number}", "too short a run for a slope")]
    slope = linear_regression([sample[0] for sample in late], [sample[1] for sample in late]).slope * 30 * 60
    fifth = max(1, len(late) // 5)
    mib, mib_end = (median(sample[1] for sample in part) for part in (late[:fifth], late[-fifth:]))
    files, threads = ([sample[what] for sample in late] for what in (2, 3))
    return [
        Figure(
            f"replica {number}: memory",
            f"{mib:.1f} to {mib_end:.1f} MiB, slope {slope:+.1f} MiB in 30 min",
            f"<= {GOAL_MIB:g} MiB in 30 min",
            slope <= GOAL_MIB,
        ),
        Figure(
            f"replica {number}: under load",
            f"{min(files)} to {max(files)} files, {min(threads)} to {max(threads)} threads",
        ),
    ]


def _at_rest(number: int, before: tuple[int, int], after: tuple[int, int]) -> list[Figure]:
    """Open files and threads without load, before and after; a pool keeps the threads that it has started."""
    (files, threads), (files_after, threads_after) = before, after
    most = threads + CONFIRMING_THREADS
    return [
        Figure(
            f"replica {number}: files at rest", f"{files}, then {files_after}", "flat", files_after <= files + FILES
        ),
        Figure(
            f"replica {number}: threads at rest",
            f"{threads}, then {threads_after}",
            f"<= {most}",
            threads_after <= most,
        ),
    ]


def _creations(plane: ControlPlane, rate: float, seconds: float) -> Job:
    """Four machines that are admitted, then an instance that is denied, and so on."""
    calls = [Call("POST", MACHINES_PATH, json.dumps(machine(number))) for number in range(MACHINES)]
    for place in range(4, len(calls), 5):
        calls[place] = Call("POST", PATH, json.dumps(OBJECT))
    return to_apiserver(plane, calls, {201: "", 422: "hostDevices"}, rate=rate, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
