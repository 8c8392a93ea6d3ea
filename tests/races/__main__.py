"""
Stress of the cache, of live reads and of the active configuration (R30): `python -m tests.races [--seconds 600] [--seed 1]`.
"""

import os
import sys
import sysconfig
import time
from argparse import ArgumentParser
from datetime import UTC, datetime

from tests.races import STRESSES


def main() -> int:
    """Prints what was done and found; exit status 1 where something was found."""
    parser = ArgumentParser(prog="python -m tests.races", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="of all together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    threaded = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with its global lock"
    now, load = datetime.now(UTC), " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"R30: Python {sys.version.split()[0]} {threaded}, {now:%d %B %Y %H:%M} UTC, load average {load}, seed {options.seed}"
    )
    violations = 0
    for name, stress in STRESSES.items():
        run = stress(options.seconds / len(STRESSES), options.seed)
        rounds = ", ".join(f"{what} {number:,}" for what, number in sorted(run.rounds.items()))
        print(f"  {name}: {len(run.problems)} violations in {run.seconds:.0f} s ({rounds})")
        for problem in run.problems[:5]:
            print(f"    {problem}")
        violations += len(run.problems)
    return int(violations > 0)


if __name__ == "__main__":
    sys.exit(main())
