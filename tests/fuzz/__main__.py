"""Fuzzes all targets: `python -m tests.fuzz 1000000`, or repeats one input: `python -m tests.fuzz --only review-bytes 17`."""

import sys
import time
from argparse import ArgumentParser
from collections import Counter

from tests.fuzz.doors import KINDS, Corpus, Doors, seeds


def main() -> int:
    """Prints what was found and what it took."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("total", nargs="?", type=int, default=20_000)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "SEED"), help=f"one of {', '.join(KINDS)}")
    chosen = parser.parse_args()
    inputs = [(chosen.only[0], int(chosen.only[1]))] if chosen.only else seeds(chosen.total)
    tried, failed, began = Counter[str](), 0, time.process_time()
    with Doors(Corpus.gathered()) as doors:
        for kind, seed in inputs:
            tried[kind] += 1
            if wrong := doors.try_one(kind, seed):
                failed += 1
                print(f"{kind} {seed}: {wrong}", flush=True)
        took = time.process_time() - began
        print(f"{sum(tried.values())} inputs ({dict(tried)}), {failed} failed, in {took:.0f} s of CPU")
        print(f"the slowest took {doors.slowest * 1000:.0f} ms of CPU; answers: {dict(doors.answers)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
