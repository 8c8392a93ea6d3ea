"""Compares N generated pairs, with an optional seed, and prints the agreement. Exit 1 on a difference."""

import json
import sys

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.quotas.comparison import compare


def main(pairs: int, seed: int) -> int:
    """Prints the number of equal answers and the differences."""
    with ControlPlane() as control_plane:
        comparison = compare(control_plane.client, pairs, seed)
    for outcome, count in sorted(comparison.equal.items()):
        print(f"{count:6} {outcome}")
    print(f"{comparison.equal.total():6} of {comparison.pairs} equal; {comparison.invalid} invalid pods left out")
    for difference in comparison.differences:
        print(json.dumps(difference))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
