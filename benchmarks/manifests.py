"""
Manifest checkers side by side: CPU time, wall time and peak memory. `python -m benchmarks.manifests --help`.

All check the same folders of VMs with their claims, with default settings, on the same cores, in interleaved rounds, so that
other load on the computer changes all. Each must first find exactly the bad VMs among 100. CPU time is user and system time of a
checker and its processes (wait4). Peak memory is the largest resident set; for a checker with several processes, it is the sum of
their proportional sets in a run of its own, because counting takes time.
"""

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.contestants.checking import ALL, KUBECONFORM, OPA, OURS, Checker, ours
from benchmarks.figures import Figure, load_average
from benchmarks.generators.vms import name_of, violates
from benchmarks.generators.writing import GENERATORS, write
from benchmarks.launching import Ran, run
from benchmarks.manifest_goals import Cost, goals

SIZES = (1, 100, 1_000, 10_000)
PROVING = 100
LARGE, FEW = 10_000, 1
"""From so many VMs on, checkers without a goal at this size run so many rounds."""
_HAVE_GOALS = (OURS, KUBECONFORM, OPA)


@dataclass
class Measured:
    """A contestant and its runs with one folder, or the reason why it stopped."""

    name: str
    checker: Checker
    runs: list[Ran] = field(default_factory=list)
    watched_peak: float = 0
    stopped: str = ""

    @property
    def cost(self) -> Cost:
        """The medians, and the peak."""
        return Cost(
            median(ran.cpu for ran in self.runs),
            median(ran.wall for ran in self.runs),
            max(self.watched_peak, *(ran.peak for ran in self.runs)),
        )


def main() -> int:
    """Prints a table and the goals for each folder, and one JSON object. Returns 1 if a goal is missed."""
    options = _options()
    missed: list[str] = []
    rows: list[dict[str, object]] = []
    print(
        f"{options.cores} cores, Python {sys.version.split()[0]}, load average {load_average()}; CPU and wall time in seconds: "
        f"median of {options.rounds} rounds (lowest to highest); with {LARGE:,} VMs, {FEW} round for checkers without a goal"
    )
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place:
        for generator in options.generators:
            folder = Path(place) / f"{generator}-proof"
            write(folder, PROVING, generator)
            contestants = {
                name: checker for name, checker in _contestants(options).items() if _is_proven(name, checker, folder)
            }
            for size in options.sizes:
                folder = Path(place) / f"{generator}-{size}"
                files = write(folder, size, generator)
                measured = [Measured(name, checker) for name, checker in contestants.items()]
                _measure(measured, size, folder, options)
                print(f"\n{generator}, {size:,} VMs in {files:,} files")
                rows += _show(generator, size, measured)
                missed += [f"{generator} {size:,}: {figure.what}" for figure in _show_goals(size, measured)]
                contestants = {one.name: one.checker for one in measured if not one.stopped}
    print(f"\nload average {load_average()}; goals missed: {', '.join(missed) or 'none'}")
    print(json.dumps(rows))
    return int(bool(missed))


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS), choices=list(GENERATORS))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of VMs")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--cores", type=int, default=len(os.sched_getaffinity(0)), help="all run on the first so many cores"
    )
    parser.add_argument("--only", nargs="+", default=list(ALL), choices=list(ALL))
    parser.add_argument("--also-python", nargs="*", default=[], help="other interpreters to run Migratable with")
    return parser.parse_args()


def _contestants(options: Namespace) -> dict[str, Checker]:
    chosen = {name: checker for name, checker in ALL.items() if name in options.only}
    return {**chosen, **{f"migratable, {python}": ours(python) for python in options.also_python}}


def _is_proven(name: str, checker: Checker, folder: Path) -> bool:
    """Whether it finds the bad VMs, and only those. Prints the reason if it could not be built, and ends if it finds others."""
    try:
        ran = run(checker.argv(folder))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"{name}: left out, because it could not be built: {error}", file=sys.stderr)
        return False
    wanted = {name_of(number) for number in range(PROVING) if violates(number) in checker.checks}
    found = checker.found(ran.out) if not ran.has_failed else None
    if found != wanted:
        raise SystemExit(
            f"{name} found {sorted(found or ())}, not {sorted(wanted)}:\n{ran.out[-3000:]}\n{ran.err[-3000:]}"
        )
    return True


def _measure(running: list[Measured], size: int, folder: Path, options: Namespace) -> None:
    cores = sorted(os.sched_getaffinity(0))[: options.cores]
    for one in running:
        if one.checker.forks:
            one.watched_peak = run(one.checker.argv(folder), watched=True, cores=cores).peak
    for number in range(options.rounds):
        for one in running:
            if one.stopped or (
                size >= LARGE and number >= FEW and not one.name.startswith(("migratable", *_HAVE_GOALS))
            ):
                continue
            ran = run(one.checker.argv(folder), cores=cores)
            if ran.has_failed:
                one.stopped = (ran.err.strip() or ran.out.strip() or f"exit {ran.status}").splitlines()[-1][-160:]
                print(f"{one.name}: stopped at {size}: {one.stopped}", file=sys.stderr)
                continue
            one.runs.append(ran)
            print(f"{size:6} round {number + 1} {one.name}: {ran.cpu:.2f} s, {ran.wall:.2f} s", file=sys.stderr)


def _show(generator: str, size: int, measured: list[Measured]) -> list[dict[str, object]]:
    """Prints a table with the ratios of the first checker to each, and returns its rows."""
    first = measured[0].cost
    print(
        f"{'':28} {'CPU':>7} {'':17} {'wall':>7} {'':17} {'peak MiB':>8} {'CPU: ours/its':>14} {'wall: ours/its':>14}"
    )
    rows: list[dict[str, object]] = []
    for one in measured:
        if not one.runs:
            print(f"{one.name:28} {one.stopped}")
            continue
        cost = one.cost
        cpu, wall = first.cpu / cost.cpu, first.wall / cost.wall
        print(
            f"{one.name:28} {cost.cpu:7.3f} {_range([ran.cpu for ran in one.runs])} {cost.wall:7.3f} "
            f"{_range([ran.wall for ran in one.runs])} {cost.peak:8.0f} {cpu:14.2f} {wall:14.2f}"
        )
        row = {"generator": generator, "vms": size, "tool": one.name, "rounds": len(one.runs)}
        row |= {"cpu_s": round(cost.cpu, 3), "wall_s": round(cost.wall, 3), "peak_mib": round(cost.peak)}
        rows.append({**row, "cpu_ours_to_it": round(cpu, 2), "wall_ours_to_it": round(wall, 2)})
    return rows


def _range(values: list[float]) -> str:
    return f"({min(values):6.3f} to {max(values):6.3f})"


def _show_goals(size: int, measured: list[Measured]) -> list[Figure]:
    """Prints each figure that has a goal, and returns those that miss it."""
    costs = {one.name: one.cost for one in measured if one.runs}
    if OURS not in costs:
        return []
    figures = list(goals(size, costs))
    for figure in figures:
        print(f"  {figure.what:32} {figure.value:>12}   goal {figure.goal}: {'met' if figure.met else 'MISSED'}")
    return [figure for figure in figures if not figure.met]


if __name__ == "__main__":
    sys.exit(main())
