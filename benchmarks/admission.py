"""
Admission servers side by side: CPU time per review, rate, latency. `python -m benchmarks.admission --help`.

All stand ready on one core, the load comes from the other, and rounds are interleaved, so that what else a machine does
hits all alike. The same review of about 12 KB goes to each over kept TLS connections; before that, each must have
allowed it and denied five others. CPU time is what the kernel counted for the server's process.
"""

import json
import ssl
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError, Popen, TimeoutExpired

from benchmarks import reviews
from benchmarks.contestants import starting
from benchmarks.contestants.starting import Place
from benchmarks.measuring import Load, closed_loop, cpu_seconds, open_loop, resident_mib
from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS = 120.0
REST_SECONDS = 0.5


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
        plane = stack.enter_context(ControlPlane(crds=crds.OWN))
        place = _prepare(plane, Path(folder), options.claims)
        running = [
            stack.enter_context(each)
            for name, how in starting.ALL.items()
            if name in options.only
            for each in _started(name, how, place)
        ]
        for python in options.also_python:
            how = starting.ours(python)
            running += [stack.enter_context(each) for each in _started(f"migratable, {python}", how, place)]
        good = place.folder / "good.json"
        good.write_bytes(reviews.encoded(reviews.good()))
        for each in running:
            _hold_to_the_checks(each)
        _measure(running, good, options)
    _print(running, good_bytes=len(reviews.encoded(reviews.good())), options=options)


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load in each round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--claims", type=int, default=1000, help="claims in the cluster")
    parser.add_argument("--only", nargs="+", default=list(starting.ALL), choices=list(starting.ALL))
    parser.add_argument("--also-python", nargs="*", default=[], help="other interpreters to run our server with")
    parser.add_argument("--no-half-load", action="store_true", help="full speed alone")
    return parser.parse_args()


def _prepare(plane: ControlPlane, folder: Path, claims: int) -> Place:
    """Claims in the cluster and in a file, and a serving certificate."""
    pair = plane.ca.issue("benchmark", server_names=["127.0.0.1", "localhost"])
    (folder / "tls.crt").write_bytes(pair.cert_pem)
    (folder / "tls.key").write_bytes(pair.key_pem)
    for name in (reviews.NAMESPACE, "kubevirt"):
        plane.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    kubevirt = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}
    plane.client.create("/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts", kubevirt)
    modes = dict(reviews.CLAIMS) | {
        f"other-{number}": "ReadWriteMany" for number in range(claims - len(reviews.CLAIMS))
    }
    for name, mode in modes.items():
        spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
        plane.client.create(
            f"/api/v1/namespaces/{reviews.NAMESPACE}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": spec}
        )
    (folder / "claims.json").write_text(
        json.dumps({f"{reviews.NAMESPACE}/{name}": [mode] for name, mode in modes.items()})
    )
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
    """Nobody is measured who does not do the work; a constant answer is the floor and says so."""

    def says() -> bool:
        if contestant.popen.poll() is not None:
            raise SystemExit(f"{contestant.name} ended:\n{contestant.log.read_text()[-2000:]}")
        if _post(contestant, reviews.good()).get("allowed") is not True:
            return False
        denied = {name: _post(contestant, each).get("allowed") for name, each in reviews.bad().items()}
        return contestant.name == starting.CONSTANT or set(denied.values()) == {False}

    wait_until(says, START_SECONDS, f"{contestant.name} to give the right answers; its log is {contestant.log}")


def _measure(running: list[Contestant], good: Path, options: Namespace) -> None:
    for each in running:
        closed_loop(LOAD_CORE, each.url, good, options.connections, 2)  # warm
    for number in range(options.rounds):
        for each in running:
            time.sleep(REST_SECONDS)
            spent, load = each.cost(
                lambda each=each: closed_loop(LOAD_CORE, each.url, good, options.connections, options.seconds)
            )
            each.busy.append(spent)
            each.full.append(load)
            print(f"round {number + 1} {each.name}: {spent:.3f} ms", file=sys.stderr)
    if options.no_half_load:
        return
    for _ in range(options.rounds):
        for each in running:
            rate = max(10, round(median(load.per_second for load in each.full) / 2))
            time.sleep(REST_SECONDS)
            spent, load = each.cost(
                lambda each=each, rate=rate: open_loop(LOAD_CORE, each.url, good, rate, options.seconds)
            )
            each.steady.append(spent)
            each.half.append(load)


def _print(running: list[Contestant], good_bytes: int, options: Namespace) -> None:
    """A table, ratios to ours, and the same as JSON."""
    ours = median(running[0].busy)
    print(
        f"review of {good_bytes} bytes, {options.rounds} rounds of {options.seconds:g} s, {options.connections} connections, "
        f"{options.claims} claims, Python {sys.version.split()[0]}; median (lowest to highest)"
    )
    print(
        f"{'server':38} {'CPU ms per review':>24} {'ours is':>9} {'reviews/s':>10} "
        f"{'at half':>8} {'CPU ms':>7} {'p50 ms':>7} {'p99 ms':>7} {'RSS MiB':>8}"
    )
    rows = []
    for each in running:
        busy = median(each.busy)
        rate = median(load.per_second for load in each.full)
        row = defaultdict(
            lambda: float("nan"),
            server=each.name,
            cpu_ms=round(busy, 4),
            cpu_ms_lowest=round(min(each.busy), 4),
            cpu_ms_highest=round(max(each.busy), 4),
            ours_to_this=round(ours / busy, 3),
            per_second=round(rate),
            rss_mib=round(each.resident),
        )
        if each.half:
            row["half_per_second"] = round(median(load.per_second for load in each.half))
            row["half_cpu_ms"] = round(median(each.steady), 4)
            row["half_p50_ms"] = round(median(load.p50_ms for load in each.half), 2)
            row["half_p99_ms"] = round(median(load.p99_ms for load in each.half), 2)
        rows.append(dict(row))
        print(
            f"{each.name:38} {busy:7.3f} ({min(each.busy):.3f} to {max(each.busy):.3f}) {ours / busy:9.2f} {rate:10.0f} "
            f"{row['half_per_second']:8.0f} {row['half_cpu_ms']:7.3f} {row['half_p50_ms']:7.2f} {row['half_p99_ms']:7.2f} "
            f"{each.resident:8.0f}"
        )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
