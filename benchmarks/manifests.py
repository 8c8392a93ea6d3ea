"""
Manifest checkers side by side: CPU time and peak memory. `python -m benchmarks.manifests --help`.

All check the same folders, of 1, 100, 1,000 and 10,000 machines with their claims, one file each, with default settings, in
interleaved rounds, so that what else the machine does hits all alike. Before that each must have found exactly the bad ones
among 100. CPU time is user and system time of the process and its threads as the kernel counts it (wait4), peak memory its
largest resident set; none of them starts other processes.
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

from benchmarks.contestants.checking import ALL, OURS, Checker, ours
from benchmarks.generators import tidy
from benchmarks.generators.vms import name_of, violates
from benchmarks.generators.writing import write
from benchmarks.launching import run

SIZES = (1, 100, 1_000, 10_000)
PROVING = 100
LARGE, FEW = 10_000, 3
"""So many machines are checked in so few rounds."""
_NONE = float("nan")


@dataclass
class Measured:
    """A contestant and what was measured, by number of machines; a text where it could not go on."""

    name: str
    checker: Checker
    cpu: dict[int, list[float]] = field(default_factory=dict)
    peak: dict[int, float] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)


def main() -> None:
    """Runs the rounds and prints a table and one JSON object."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place:
        folders = {size: Path(place) / f"{size}" for size in {*options.sizes, PROVING}}
        for size, folder in folders.items():
            write(folder, size)
        running = [
            Measured(name, checker)
            for name, checker in _contestants(options).items()
            if _has_proven_itself(name, checker, folders[PROVING])
        ]
        for size in options.sizes:
            _measure(running, size, folders[size], options)
    _print(running, options)


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of machines")
    parser.add_argument("--rounds", type=int, default=7, help=f"at most {FEW} with {LARGE:,} machines or more")
    parser.add_argument("--only", nargs="+", default=list(ALL), choices=list(ALL))
    parser.add_argument("--also-python", nargs="*", default=[], help="other interpreters to run ours with")
    return parser.parse_args()


def _contestants(options: Namespace) -> dict[str, Checker]:
    chosen = {name: checker for name, checker in ALL.items() if name in options.only}
    return {**chosen, **{f"migratable, {python}": ours(python) for python in options.also_python}}


def _has_proven_itself(name: str, checker: Checker, folder: Path) -> bool:
    """Whether it is here and finds the bad machines, and only those; prints why not, and ends where it finds others."""
    try:
        ran = run(checker.argv(folder))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"{name}: left out, because it could not be built: {error}", file=sys.stderr)
        return False
    wanted = {name_of(number) for number in range(PROVING) if violates(number) in checker.checks}
    found = checker.found(ran.out) if not ran.has_failed else None
    if found != wanted:
        raise SystemExit(f"{name} found {sorted(found or ())}, not {sorted(wanted)}:\n{ran.out}\n{ran.err}")
    return True


def _measure(running: list[Measured], size: int, folder: Path, options: Namespace) -> None:
    for number in range(options.rounds if size < LARGE else min(options.rounds, FEW)):
        for measured in running:
            if measured.stopped or size > measured.checker.most:
                continue
            ran = run(measured.checker.argv(folder))
            if ran.has_failed:
                measured.stopped[size] = (ran.err.strip() or ran.out.strip()).splitlines()[-1][-160:]
                print(f"{measured.name}: stopped at {size}: {measured.stopped[size]}", file=sys.stderr)
                continue
            measured.cpu.setdefault(size, []).append(ran.cpu)
            measured.peak[size] = max(measured.peak.get(size, 0), ran.peak)
            print(f"{size:6} round {number + 1} {measured.name}: {ran.cpu:.2f} s, {ran.peak:.0f} MiB", file=sys.stderr)


def _print(running: list[Measured], options: Namespace) -> None:
    """A table for each size with ratios to ours, and all of it as JSON."""
    reference = next((measured for measured in running if measured.name == OURS), None)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"one file a machine: a VirtualMachine and its claim, {len(tidy.manifest(0))} bytes; "
        f"{options.rounds} rounds ({FEW} with {LARGE:,} or more), Python {sys.version.split()[0]}, load {load}; "
        "median (lowest to highest)"
    )
    rows = []
    for size in options.sizes:
        mine = median(reference.cpu[size]) if reference is not None and reference.cpu.get(size) else _NONE
        print(f"\n{size:6} machines{'':19} {'CPU s':>8} {'':>18} {'is ours x':>10} {'peak MiB':>9}")
        for measured in running:
            spent = measured.cpu.get(size)
            if not spent:
                print(f"{measured.name:34} {measured.stopped.get(size, 'not run')}")
                rows.append({"tool": measured.name, "machines": size, "stopped": measured.stopped.get(size, "")})
                continue
            row = {
                "cpu_s": round(median(spent), 3),
                "cpu_s_lowest": round(min(spent), 3),
                "cpu_s_highest": round(max(spent), 3),
                "to_ours": round(median(spent) / mine, 2),
                "peak_mib": round(measured.peak[size]),
            }
            rows.append({"tool": measured.name, "machines": size, **row})
            print(
                f"{measured.name:34} {row['cpu_s']:8.2f} ({row['cpu_s_lowest']:6.2f} to {row['cpu_s_highest']:6.2f}) "
                f"{row['to_ours']:10.2f} {row['peak_mib']:9}"
            )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
