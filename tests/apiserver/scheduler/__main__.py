"""
`python -m tests.apiserver.scheduler [PAIRS [SEED]]`: generated pods on generated clusters, against a real kube-scheduler.

Prints the agreement, and every difference as a line of JSON with the smallest cluster that shows it. With `--replay FILE`, the
pairs are those of such lines. Exit status 1 on a difference.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.apiserver.scheduler.clusters import Bench
from tests.apiserver.scheduler.runs import Difference, Figures, bench, compared, run, smaller

MADE_SMALLER = 5


def main() -> int:
    """Exit status: 0 no difference, 1 differences."""
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver.scheduler", description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=5000, help="how many pairs (default: 5000)")
    parser.add_argument("seed", nargs="?", type=int, default=0, help="the first cluster (default: 0)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="lines of JSON that an earlier run printed")
    arguments = parser.parse_args()
    figures = Figures()
    began = time.monotonic()
    with bench() as opened:
        if arguments.replay:
            differences = list(replay(opened, arguments.replay, figures))
        else:
            differences = list(run(opened, arguments.pairs, arguments.seed, figures))
        sys.stdout.write(f"{figures.text()}\n{time.monotonic() - began:.0f} s\n")
        for index, difference in enumerate(differences):
            shown = smaller(opened, difference) if index < MADE_SMALLER else difference
            sys.stdout.write(f"{text(shown)}\n")
            sys.stdout.flush()
    return int(bool(differences))


def replay(opened: Bench, file: Path, figures: Figures) -> Iterator[Difference]:
    """Compares the pairs of a file, and yields the differences. Lines that are not JSON are ignored."""
    for line in file.read_text().splitlines():
        if line.startswith("{"):
            read = msgspec.json.decode(line)
            for pair in compared(opened, read["cluster"], read["pod"]):
                figures.add(pair)
                if pair.differences:
                    yield Difference(read["seed"], read["cluster"], read["pod"], pair)


def text(difference: Difference) -> str:
    """A difference as a line of JSON."""
    shown = {
        "seed": difference.seed,
        "differences": difference.pair.differences,
        "pod": difference.pod,
        "cluster": difference.cluster,
    }
    return msgspec.json.encode(shown).decode()


if __name__ == "__main__":
    sys.exit(main())
