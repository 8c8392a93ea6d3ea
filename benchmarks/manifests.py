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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import machines
from benchmarks.contestants.checking import ALL, OURS, Checker, ours

SIZES = (1, 100, 1_000, 10_000)
PROVING = 100
LARGE, FEW = 10_000, 3
"""So many machines are checked in so few rounds."""
_NONE = float("nan")
_LAUNCH = """
import json, os, sys
pid = os.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print("\\n" + json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""A small process between: what is started from a large one is counted as large (the peak outlives exec)."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a tool."""

    status: int
    cpu: float
    """Seconds."""
    peak: float
    """MiB."""
    out: str
    err: str

    @property
    def has_failed(self) -> bool:
        """Whether it could not do its work; 1 says that it found something."""
        return self.status not in (0, 1)


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
            machines.write(folder, size)
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


def run(command: Sequence[object]) -> Ran:
    """Runs a command in a small process of its own, without a terminal."""
    argv = [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, command)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        subprocess.run(argv, check=True, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment)
        out.seek(0)
        err.seek(0)
        said, _, last = out.read().decode().rstrip("\n").rpartition("\n")
        status, cpu, peak = json.loads(last)
        return Ran(status, cpu, peak, said, err.read().decode(errors="replace"))


def _has_proven_itself(name: str, checker: Checker, folder: Path) -> bool:
    """Whether it is here and finds the bad machines, and only those; prints why not, and ends where it finds others."""
    try:
        ran = run(checker.argv(folder))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"{name}: left out, because it could not be built: {error}", file=sys.stderr)
        return False
    wanted = {machines.name_of(number) for number in range(PROVING) if machines.violates(number) in checker.checks}
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
        f"one file a machine: a VirtualMachine and its claim, {len(machines.manifest(0))} bytes; "
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
