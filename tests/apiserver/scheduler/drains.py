"""
`python -m tests.apiserver.scheduler.drains [DRAINS [SEED]]`: generated drains, against a real kube-scheduler.

Creates all target pods of each drain in several orders, and prints the agreement with the rehearsal, and every difference as
JSON. Exit status 1 on a difference.
"""

import argparse
import sys
import time

import msgspec

from tests.apiserver.scheduler.runs import bench
from tests.apiserver.scheduler.sequences import Figures, run


def main() -> int:
    """Exit status: 0 no difference, 1 differences."""
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver.scheduler.drains", description=__doc__)
    parser.add_argument("drains", nargs="?", type=int, default=100, help="how many drains (default: 100)")
    parser.add_argument("seed", nargs="?", type=int, default=0, help="the first drain (default: 0)")
    arguments = parser.parse_args()
    figures = Figures()
    began = time.monotonic()
    count = 0
    with bench() as opened:
        for difference in run(opened, arguments.drains, arguments.seed, figures):
            count += 1
            sys.stdout.write(f"{msgspec.json.encode(difference).decode()}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{figures.text()}\ndifferences {count}\n{time.monotonic() - began:.0f} s\n")
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main())
