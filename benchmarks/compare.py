"""
Two checkouts in turn: `python -m benchmarks.compare OLD [NEW]`. Prints the ratio of the CPU times, NEW to OLD, with its spread.

OLD and NEW are working trees. The Python of a tree's own `.venv` runs it if there is one, else the Python that runs this program.
`--base auto` instead of OLD takes a commit of this repository: the newest tag before HEAD; without a tag, the commit where this
branch left the default branch; on the default branch, HEAD~100. If a shallow clone does not contain it, the comparison is left
out and the exit status is 0. A commit that does not exist is an error, and the exit status is 2.

Both do the same work with the same manifests in pairs of runs, so that other load on the computer changes both. The spread is
the interval that contains the median ratio with 95 % confidence. `--fail-above 15` ends with 1 if a whole spread is above 1.15.
"""

import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import pairs, workloads
from benchmarks.base_commit import AUTO, NoBase, UnknownBase, checked_out
from benchmarks.generators.writing import GENERATORS, write
from benchmarks.launching import ROOT
from benchmarks.pairs import Pair
from benchmarks.workloads import Checkout, Failed, Workload

SIZES = (100, 1_000)
STAGES = ("read the review", "judge (expansion and all rules)", "the whole door")
KINDS = ("start-up", *(f"check {name}" for name in GENERATORS), "reading", "admission")
READ_VMS = 40
SMALL = ROOT / "examples" / "vm-good.yaml"
ROUNDS, SECONDS = 9, 1_200.0
SHORT_SIZE, SHORT_SECONDS, FEWEST = 400, 60.0, 5
PATIENCE = 1.6
"""On a very busy computer, the rounds end after so many times the wanted time. Fewer than ``FEWEST`` pairs prove no slow-down."""


def main() -> int:
    options = _options()
    if options.base is None:
        return _compare(Checkout.at(options.old), Checkout.at(options.new or ROOT), options)
    new = Checkout.at(options.old or ROOT)
    try:
        with checked_out(new.folder, options.base) as (old, commit):
            print(f"OLD is {commit}")
            return _compare(Checkout.at(old, new.python), new, options)
    except NoBase as reason:
        print(f"compare: left out: {reason}")
        return 0
    except UnknownBase as reason:
        print(f"compare: --base {options.base}: {reason}", file=sys.stderr)
        return 2


def _options() -> Namespace:
    parser = ArgumentParser(prog="compare", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, nargs="?", metavar="OLD")
    parser.add_argument("new", type=Path, nargs="?", metavar="NEW", help="this tree if it is not given")
    parser.add_argument(
        "--base", metavar="COMMIT", help=f"compare with a commit of this repository; `{AUTO}` chooses it"
    )
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), help="workloads")
    parser.add_argument("--sizes", type=int, nargs="+", help=f"numbers of VMs (default: {SIZES})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="pairs for each workload (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help=f"no more rounds after this time, but {FEWEST} if possible")
    parser.add_argument(
        "--short", action="store_true", help=f"{SHORT_SIZE} VMs and {SHORT_SECONDS:.0f} seconds, for CI"
    )
    parser.add_argument(
        "--fail-above", type=float, metavar="PERCENT", help="end with 1 if a workload is slower than this"
    )
    options = parser.parse_args()
    if (options.old is None) == (options.base is None):
        parser.error("name OLD or --base")
    options.sizes = options.sizes or ([SHORT_SIZE] if options.short else list(SIZES))
    options.seconds = options.seconds or (SHORT_SECONDS if options.short else SECONDS)
    return options


def _compare(old: Checkout, new: Checkout, options: Namespace) -> int:
    for label, side in (("OLD", old), ("NEW", new)):
        print(f"{label}: {side.folder}, {side.python}, {side.compiled_modules} compiled modules")
    with tempfile.TemporaryDirectory(prefix="migratable-compare-") as place:
        measured = Measurements(old, new, options)
        measured.run(_workloads(Path(place), options))
    return measured.show()


def _workloads(place: Path, options: Namespace) -> Sequence[Workload]:
    chosen: list[Workload] = []
    if "start-up" in options.only:
        chosen.append(Workload("start-up", workloads.start_up(SMALL)))
    for generator in GENERATORS:
        for size in options.sizes if f"check {generator}" in options.only else ():
            name, folder = f"check {generator}, {size:,} VMs, without start-up", place / f"{generator}-{size}"
            write(folder, size, generator)
            chosen.append(Workload(name, workloads.check(name, folder, SMALL)))
    if "reading" in options.only:
        (place / "reading").mkdir()
        for generator in GENERATORS:
            write(place / "reading" / generator, READ_VMS, generator)
        chosen.append(Workload("reading", workloads.reading(place / "reading", 5)))
    if "admission" in options.only:
        chosen.append(Workload("admission", workloads.stages(40 if options.short else 100, STAGES)))
    return chosen


class Measurements:
    """The pairs of two checkouts by the name of the part."""

    def __init__(self, old: Checkout, new: Checkout, options: Namespace) -> None:
        self._old = old
        self._new = new
        self._options = options
        now = time.monotonic()
        self._ends, self._ends_at_once = now + options.seconds, now + PATIENCE * options.seconds
        self._pairs: dict[str, list[Pair]] = {}
        self._left_out: dict[str, str] = {}

    def run(self, chosen: Sequence[Workload]) -> None:
        """Runs each workload once for the bytecode, then in rounds. Undecided ones get as many rounds again."""
        for workload in chosen:
            self._warm(workload)
        running = [workload for workload in chosen if workload.name not in self._left_out]
        parts: dict[str, set[str]] = {workload.name: set() for workload in running}
        for number in range(2 * self._options.rounds):
            if number >= FEWEST and time.monotonic() > self._ends:
                break
            for workload in running:
                if time.monotonic() > self._ends_at_once:
                    self._left_out |= {name: "no time left" for name, measured in parts.items() if not measured}
                    return
                if number < self._options.rounds or self._is_undecided(parts[workload.name]):
                    parts[workload.name] |= self._pair(workload, number)

    def _warm(self, workload: Workload) -> None:
        """Raises SystemExit if NEW cannot do the work: that is no reason to leave it out."""
        try:
            workload.sample(self._new)
        except Failed as error:
            raise SystemExit(f"NEW failed: {error}") from None
        try:
            workload.sample(self._old)
        except Failed as error:
            self._left_out[workload.name] = str(error).splitlines()[-1]

    def _pair(self, workload: Workload, number: int) -> set[str]:
        """One pair. In every second round, NEW is first."""
        order = (self._old, self._new) if number % 2 == 0 else (self._new, self._old)
        samples = {id(side): workload.sample(side) for side in order}
        old, new = samples[id(self._old)], samples[id(self._new)]
        common = set(old) & set(new)
        for part in new:
            if part in common:
                self._pairs.setdefault(part, []).append(Pair(old[part], new[part]))
        for part in set(old) ^ set(new):
            self._left_out[part] = "only one of the checkouts has it"
        return common

    def _is_undecided(self, parts: set[str]) -> bool:
        limit = self._options.fail_above
        return limit is not None and any(pairs.is_undecided(self._pairs[part], limit) for part in parts)

    def show(self) -> int:
        """Prints the table. Returns 1 if a ratio is above the limit."""
        limit = self._options.fail_above
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"CPU time, NEW / OLD: median (95 % confidence); Python {sys.version.split()[0]}, load {load}")
        slower = False
        for part, measured in self._pairs.items():
            is_worse = limit is not None and len(measured) >= FEWEST and pairs.is_worse(measured, limit)
            slower |= is_worse
            print(f"  {part:44} {pairs.ratios(measured)!s:22} {len(measured):3} pairs{'  SLOWER' if is_worse else ''}")
        for name, reason in self._left_out.items():
            print(f"  {name:44} left out: {reason}")
        if slower:
            print(
                f"compare: slower by more than {limit:g} %. Measure again with `python -m benchmarks.compare`, or see"
            )
            print("benchmarks/README.md if the slow-down is accepted.")
        return int(slower)


if __name__ == "__main__":
    sys.exit(main())
