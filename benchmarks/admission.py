"""
Admission servers side by side: CPU time per review, rate, latency. `python -m benchmarks.admission --help`.

All stand ready on one core, the load comes from the other, and rounds are interleaved, so that what else a machine does
hits all alike. The same review of about 12 KB goes to each over kept TLS connections; before that, each must have
allowed it and denied five others. CPU time is what the kernel counted for the server's process.

The load and the API server that answers live reads share a core. So latencies are measured at half of the full rate, and at a
rate (--rate) at which the API server is not saturated, as if it had a core of its own.

At full speed, a server that waits for live reads sleeps between reviews, and others do not. A server that sleeps takes more CPU
time for each review. So the table also has the CPU time at --rate.
"""

import json
import ssl
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError, Popen, TimeoutExpired
from typing import Any

from benchmarks import reviews
from benchmarks.contestants import starting
from benchmarks.contestants.starting import Place
from benchmarks.measuring import Load, closed_loop, cpu_seconds, open_loop, pin, resident_mib
from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

SERVER_CORE, LOAD_CORE = 0, 1
PROGRESS = "--watch-progress-notify-interval=5s"
"""
As kubeadm sets it. Without progress, an API server sends no bookmark for a quiet kind. The watches then count as stale from 90
to 135 seconds after the start, and all reviews read with the client.
"""
START_SECONDS = 120.0
REST_SECONDS = 0.5
RUST_MS = 0.05
"""CPU milliseconds per review of a Rust server (hyper) with five checks, the lower limit."""
AT_HAND_TO_GO, AT_HAND_TO_OPA, LIVE_TO_GO = 1.0, 0.2, 2.5
"""Goals: the largest ratio of our CPU time to that of another server."""
LIVE_P99_MS = 30.0
"""Goal with live reads."""
_NONE = float("nan")


@dataclass
class Contestant:
    """A server that runs, and what was measured of it, one entry a round."""

    name: str
    url: str
    popen: Popen[bytes]
    log: Path
    busy: list[float] = field(default_factory=list)
    """CPU milliseconds per review at full speed."""
    steady: list[float] = field(default_factory=list)
    """The same at half load."""
    full: list[Load] = field(default_factory=list)
    half: list[Load] = field(default_factory=list)
    fixed: list[Load] = field(default_factory=list)
    """At the rate that is the same for all."""
    fixed_cpu: list[float] = field(default_factory=list)
    """CPU milliseconds per review at this rate."""
    resident: float = 0.0

    def cost(self, load: Callable[[], Load]) -> tuple[float, Load]:
        """CPU milliseconds per answer under a load, and what the load saw."""
        before = cpu_seconds(self.popen.pid)
        seen = load()
        spent = cpu_seconds(self.popen.pid) - before
        if seen.failures or not seen.answers:
            raise SystemExit(f"{self.name}: {seen.failures} of {seen.answers} requests failed; see {self.log}")
        self.resident = max(self.resident, resident_mib(self.popen.pid))
        return spent / seen.answers * 1000, seen


def main() -> None:
    """Runs the rounds and prints a table and one JSON object."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as folder, ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(crds=crds.OWN, etcd_flags=(PROGRESS,)))
        place = _prepare(plane, Path(folder), options.machines)
        running = [
            stack.enter_context(contestant)
            for name, how in starting.ALL.items()
            if name in options.only
            for contestant in _started(name, how, place)
        ]
        for python in options.also_python:
            how = starting.ours(python)
            running += [stack.enter_context(contestant) for contestant in _started(f"migratable, {python}", how, place)]
        bodies = [place.folder / f"{number}.json" for number in range(options.machines)]
        for number, path in enumerate(bodies):
            path.write_bytes(reviews.encoded(reviews.good(number)))
        for contestant in running:
            _hold_to_the_checks(contestant)
        _measure(running, bodies, options)
    _print(running, options)


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3, help="of each load in each round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--machines", type=int, default=500, help="different ones, each with two claims of its own")
    parser.add_argument("--only", nargs="+", default=list(starting.ALL), choices=list(starting.ALL))
    parser.add_argument("--also-python", nargs="*", default=[], help="other interpreters to run our server with")
    parser.add_argument("--rate", type=int, default=100, help="reviews a second for latencies at the same rate")
    parser.add_argument("--no-half-load", action="store_true", help="full speed alone")
    return parser.parse_args()


def _prepare(plane: ControlPlane, folder: Path, machines: int) -> Place:
    """Claims in the cluster and in a file, and a serving certificate."""
    pair = plane.ca.issue("benchmark", server_names=["127.0.0.1", "localhost"])
    (folder / "tls.crt").write_bytes(pair.cert_pem)
    (folder / "tls.key").write_bytes(pair.key_pem)
    for name in (reviews.NAMESPACE, "kubevirt"):
        plane.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}
    plane.client.create("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts", kubevirt)
    modes = reviews.claims(machines)
    for name, mode in modes.items():
        spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
        plane.client.create(
            f"/api/v1/namespaces/{reviews.NAMESPACE}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": spec}
        )
    (folder / "claims.json").write_text(
        json.dumps({f"{reviews.NAMESPACE}/{name}": [mode] for name, mode in modes.items()})
    )
    for process in plane.processes.values():
        pin(process.popen.pid, LOAD_CORE)  # they answer live reads; what they take is not the server's
    return Place(folder, plane)


@contextmanager
def _ended(contestant: Contestant) -> Iterator[Contestant]:
    try:
        yield contestant
    finally:
        contestant.popen.terminate()
        try:
            contestant.popen.wait(5)
        except TimeoutExpired:
            contestant.popen.kill()
            contestant.popen.wait()


def _started(name: str, how: starting.Start, place: Place) -> Iterator["contextmanager[Contestant]"]:  # type: ignore[valid-type]
    """The contestant, unless it cannot be built here."""
    (port,) = free_ports(1)
    log = place.folder / f"{port}.log"
    try:
        popen, path = how(place, SERVER_CORE, port, log)
    except CalledProcessError as error:
        print(f"{name}: left out, because `{' '.join(map(str, error.cmd[:4]))} ...` failed", file=sys.stderr)
        return
    yield _ended(Contestant(name, f"https://127.0.0.1:{port}{path}", popen, log))


def _post(contestant: Contestant, review: object) -> dict[str, object]:
    """One review; an empty answer where there is none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(contestant.url, reviews.encoded(review), {"Content-Type": "application/json"})
    try:
        with opener.open(request, timeout=10) as answer:
            response: dict[str, object] = json.loads(answer.read()).get("response", {})
            return response
    except OSError:
        return {}


def _hold_to_the_checks(contestant: Contestant) -> None:
    """Stops if a server does not run the checks. The server with a constant answer is the lower bound, and named so."""

    def says() -> bool:
        if contestant.popen.poll() is not None:
            raise SystemExit(f"{contestant.name} ended:\n{contestant.log.read_text()[-2000:]}")
        if _post(contestant, reviews.good()).get("allowed") is not True:
            return False
        denied = {name: _post(contestant, review).get("allowed") for name, review in reviews.bad().items()}
        return contestant.name == starting.CONSTANT or set(denied.values()) == {False}

    wait_until(says, START_SECONDS, f"{contestant.name} to give the right answers; its log is {contestant.log}")


def _measure(running: list[Contestant], bodies: list[Path], options: Namespace) -> None:
    for contestant in running:
        closed_loop(LOAD_CORE, contestant.url, bodies, options.connections, 2)  # warm
    for number in range(options.rounds):
        for contestant in running:
            time.sleep(REST_SECONDS)
            spent, load = contestant.cost(
                lambda contestant=contestant: closed_loop(
                    LOAD_CORE, contestant.url, bodies, options.connections, options.seconds
                )
            )
            contestant.busy.append(spent)
            contestant.full.append(load)
            print(f"round {number + 1} {contestant.name}: {spent:.3f} ms", file=sys.stderr)
    if options.no_half_load:
        return
    for _ in range(options.rounds):
        for contestant in running:
            rate = max(10, round(median(load.per_second for load in contestant.full) / 2))
            for per_second, loads, costs in (
                (rate, contestant.half, contestant.steady),
                (options.rate, contestant.fixed, contestant.fixed_cpu),
            ):
                time.sleep(REST_SECONDS)
                spent, load = contestant.cost(
                    lambda contestant=contestant, per_second=per_second: open_loop(
                        LOAD_CORE, contestant.url, bodies, per_second, options.seconds
                    )
                )
                loads.append(load)
                costs.append(spent)


def _print(running: list[Contestant], options: Namespace) -> None:
    """A table with ratios to ours, and the same as JSON."""
    ours = {
        contestant.name: median(contestant.busy)
        for contestant in running
        if contestant.name in (starting.LIVE, starting.AT_HAND)
    }
    print(
        f"review of {len(reviews.encoded(reviews.good()))} bytes, {options.rounds} rounds of {options.seconds:g} s, "
        f"{options.connections} connections, {options.machines} machines with two claims each, "
        f"Python {sys.version.split()[0]}; median (lowest to highest)"
    )
    print(
        f"{'server':30} {'CPU ms per review':>24} {'live is':>8} {'at hand':>8} {'reviews/s':>10} "
        f"{'at half':>8} {'CPU ms':>7} {'p50 ms':>7} {'p99 ms':>7} "
        f"{f'at {options.rate}/s: CPU ms':>17} {'p50 ms':>7} {'p99 ms':>7} {'RSS MiB':>8}"
    )
    rows: list[dict[str, Any]] = []
    for contestant in running:
        row = _row(contestant)
        ratios = {name: round(mine / row["cpu_ms"], 2) for name, mine in ours.items()}
        rows.append({"server": contestant.name, **row, "ours_to_this": ratios})
        shown = {"live": ratios.get(starting.LIVE, _NONE), "at hand": ratios.get(starting.AT_HAND, _NONE)}
        print(
            f"{contestant.name:30} {row['cpu_ms']:7.3f} ({row['cpu_ms_lowest']:.3f} to {row['cpu_ms_highest']:.3f}) "
            f"{shown['live']:8.2f} {shown['at hand']:8.2f} {row['per_second']:10.0f} {row['half_per_second']:8.0f} "
            f"{row['half_cpu_ms']:7.3f} {row['half_p50_ms']:7.2f} {row['half_p99_ms']:7.2f} "
            f"{row['fixed_cpu_ms']:17.3f} {row['fixed_p50_ms']:7.2f} {row['fixed_p99_ms']:7.2f} {row['rss_mib']:8.0f}"
        )
    measured = {contestant.name: row for contestant, row in zip(running, rows, strict=True)}
    for line in goals(measured, options.rate):
        print(line)
    print(json.dumps(rows))


def goals(rows: Mapping[str, Mapping[str, Any]], rate: int) -> Iterator[str]:
    """Each goal with its figure, as far as its servers were measured, and the distance to the limit."""
    ratios = (
        (starting.AT_HAND, starting.GO, AT_HAND_TO_GO),
        (starting.AT_HAND, starting.OPA, AT_HAND_TO_OPA),
        (starting.LIVE, starting.GO, LIVE_TO_GO),
    )
    for ours, other, most in ratios:
        if ours in rows and other in rows:
            ratio = rows[ours]["cpu_ms"] / rows[other]["cpu_ms"]
            yield f"{ours}: {ratio:.2f} x {other} in CPU time (goal: {most:g}, {_met(ratio <= most)})"
            if not isnan(same := rows[ours]["fixed_cpu_ms"] / rows[other]["fixed_cpu_ms"]):
                yield f"  at the same rate, {rate}/s: {same:.2f} x"
    if starting.LIVE in rows:
        for name, where in (("half", "half load"), ("fixed", f"{rate}/s, as if the API server had a core of its own")):
            p99 = rows[starting.LIVE][f"{name}_p99_ms"]
            yield f"{starting.LIVE}: p99 {p99:.1f} ms at {where} (goal: {LIVE_P99_MS:g} ms, {_met(p99 <= LIVE_P99_MS)})"
    for ours in (starting.AT_HAND, starting.LIVE):
        if ours in rows:
            yield f"{ours}: {rows[ours]['cpu_ms'] / RUST_MS:.1f} x the lower limit (Rust hyper, {RUST_MS:g} ms)"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"


def _row(contestant: Contestant) -> dict[str, float]:
    half = contestant.half
    return {
        "cpu_ms": round(median(contestant.busy), 4),
        "cpu_ms_lowest": round(min(contestant.busy), 4),
        "cpu_ms_highest": round(max(contestant.busy), 4),
        "per_second": round(median(load.per_second for load in contestant.full)),
        "half_per_second": round(median(load.per_second for load in half)) if half else _NONE,
        "half_cpu_ms": round(median(contestant.steady), 4) if half else _NONE,
        "half_p50_ms": round(median(load.p50_ms for load in half), 2) if half else _NONE,
        "half_p99_ms": round(median(load.p99_ms for load in half), 2) if half else _NONE,
        "fixed_cpu_ms": round(median(contestant.fixed_cpu), 4) if half else _NONE,
        "fixed_p50_ms": round(median(load.p50_ms for load in contestant.fixed), 2) if half else _NONE,
        "fixed_p99_ms": round(median(load.p99_ms for load in contestant.fixed), 2) if half else _NONE,
        "rss_mib": round(contestant.resident),
    }


if __name__ == "__main__":
    main()
