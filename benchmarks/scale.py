"""
How costs grow with size: `python -m benchmarks.scale check|apart|audit|serve`.

- `check` reads folders of 12,500 to 100,000 VMs with their claims, and one of 10,000 (`--generator`).
- `apart` checks 1,000 to 8,000 VMs that must run on different nodes, with two nodes: each VM is compared with all others.
- `audit` judges 12,500 to 100,000 VMs of a real API server. etcd is filled without the API server.
- `serve` starts with 125,000 to 1,000,000 claims, and fewer DataVolumes and networks, of a small HTTP server.

Prints a table with the ratio for each doubling of the size. `!` marks a ratio above 2.2. The exit status is 1 if there is one, or
if a goal is missed: 100,000 manifests take at most 11 times the time and 1.5 times the memory of 10,000.
"""

import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.contestants.checking import ALL, OURS
from benchmarks.figures import Figure, load_average, show
from benchmarks.generators import apart
from benchmarks.generators.vms import name_of
from benchmarks.generators.writing import GENERATORS, write
from benchmarks.growth import Point, table
from benchmarks.launching import run

CPU, WALL, PEAK = "CPU s", "wall s", "peak MiB"
SIZES = {
    "check": (10_000, 12_500, 25_000, 50_000, 100_000),
    "apart": (1_000, 2_000, 4_000, 8_000),
    "audit": (12_500, 25_000, 50_000, 100_000),
    "serve": (125_000, 250_000, 500_000, 1_000_000),
}
NAMES = {"check": "VMs", "apart": "VMs", "audit": "VMs", "serve": "claims"}
SMALL, LARGE = 10_000, 100_000
MOST_TIME, MOST_MEMORY = 11, 1.5


def main() -> int:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(SIZES))
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many runs (default: %(default)s)")
    parser.add_argument("--generator", choices=list(GENERATORS), default="tidy", help="for check")
    options = parser.parse_args()
    before = load_average()
    measure = {"check": _check, "apart": _apart, "audit": _audit, "serve": _serve}[options.what]
    points: list[Point] = []
    for size in options.sizes or SIZES[options.what]:
        points.append(_medians(size, measure, options))
        print(f"{size:,}: {points[-1].costs}", file=sys.stderr)
    lines, flagged = table(NAMES[options.what], points)
    print("\n".join(lines))
    figures = [Figure("ratios for each doubling above 2.2", ", ".join(flagged) or "none", "none", not flagged)]
    figures += _goals(points) if options.what == "check" else []
    conditions = f"{options.rounds} rounds, Python {sys.version.split()[0]}"
    return show(f"scale {options.what}", conditions, figures, before)


def _medians(size: int, measure: "Measure", options: Namespace) -> Point:
    with measure(size, options) as once:
        runs = [once() for _ in range(options.rounds)]
    return Point(size, {cost: median(one[cost] for one in runs) for cost in runs[0]})


def _goals(points: Sequence[Point]) -> Iterator[Figure]:
    costs = {point.size: point.costs for point in points}
    if SMALL not in costs or LARGE not in costs:
        return
    for cost, most in ((CPU, MOST_TIME), (WALL, MOST_TIME), (PEAK, MOST_MEMORY)):
        ratio = costs[LARGE][cost] / costs[SMALL][cost]
        yield Figure(f"{cost.split()[0]} of 100,000, of 10,000's", f"{ratio:.2f}", f"at most {most}", ratio <= most)


Once = Callable[[], dict[str, float]]
Measure = Callable[[int, Namespace], "contextmanager[Once]"]  # type: ignore[valid-type]


@contextmanager
def _check(vms: int, options: Namespace) -> Iterator[Once]:
    with tempfile.TemporaryDirectory(prefix="migratable-scale-") as place:
        folder = Path(place) / "vms"
        write(folder, vms, options.generator)
        yield _checking(ALL[OURS].argv(folder))


@contextmanager
def _apart(vms: int, _: Namespace) -> Iterator[Once]:
    with tempfile.TemporaryDirectory(prefix="migratable-scale-") as place:
        folder, nodes = Path(place) / "vms", Path(place) / "nodes.yaml"
        folder.mkdir()
        nodes.write_text(apart.NODES)
        for number in range(vms):
            (folder / f"{name_of(number)}.yaml").write_text(apart.manifest(number))
        yield _checking([*ALL[OURS].argv(folder), "--facts", nodes])


def _checking(argv: Sequence[object]) -> Once:
    def once() -> dict[str, float]:
        peak = run(argv, watched=True).peak
        ran = run(argv)
        if ran.status != 1:
            raise SystemExit(f"check ended with {ran.status}: {ran.err[-2000:]}")
        return {CPU: ran.cpu, WALL: ran.wall, PEAK: max(peak, ran.peak)}

    return once


@contextmanager
def _audit(vms: int, _: Namespace) -> Iterator[Once]:
    from benchmarks.audit import cluster
    from benchmarks.contestants import auditing

    with tempfile.TemporaryDirectory(prefix="migratable-scale-") as place, cluster(vms, Path(place)) as it:
        [argv] = auditing.ALL["migratable audit"].commands(it.kubeconfig, Path(place))

        def once() -> dict[str, float]:
            ran = run(argv, watched=True)
            if ran.has_failed or auditing.ALL["migratable audit"].found(ran.out) != it.bad():
                raise SystemExit(f"audit ended with {ran.status}, or found other VMs: {ran.err[-2000:]}")
            return {CPU: ran.cpu, WALL: ran.wall, PEAK: ran.peak}

        yield once


@contextmanager
def _serve(claims: int, _: Namespace) -> Iterator[Once]:
    from benchmarks import start_up

    with tempfile.TemporaryDirectory(prefix="migratable-scale-") as place:
        folder = Path(place)
        start_up.write_certificates(folder)
        with start_up.cluster(claims, folder) as kubeconfig:

            def once() -> dict[str, float]:
                started = start_up.once(folder, "--kubeconfig", str(kubeconfig))
                return {CPU: started["cpu_seconds"], "ready s": started["ready_seconds"], PEAK: started["peak_mib"]}

            yield once


if __name__ == "__main__":
    sys.exit(main())
