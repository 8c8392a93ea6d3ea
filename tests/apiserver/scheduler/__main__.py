"""
`python -m tests.apiserver.scheduler [PAIRS [SEED]]`: generated pods on generated clusters, against a real kube-scheduler.

Prints the agreement, and every difference as JSON with the least cluster that shows it. Exit status 1 on a difference.
"""

import argparse
import sys
import time

import msgspec

from tests.apiserver.scheduler.generated.worlds import world
from tests.apiserver.scheduler.runs import Difference, Figures, bench, run, smaller

MADE_SMALLER = 5
HIDDEN = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation")


def main() -> int:
    """Exit status: 0 no difference, 1 differences."""
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver.scheduler", description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=5000, help="how many pairs (default: 5000)")
    parser.add_argument("seed", nargs="?", type=int, default=0, help="the first cluster (default: 0)")
    arguments = parser.parse_args()
    figures = Figures()
    began = time.monotonic()
    with bench() as opened:
        differences = list(run(opened, arguments.pairs, arguments.seed, figures))
        sys.stdout.write(f"{figures.text()}\n{time.monotonic() - began:.0f} s\n")
        for index, difference in enumerate(differences):
            made = world(difference.seed)
            name = difference.pair.pod["metadata"]["name"]
            pod = next(item for item in made.probes if item["metadata"]["name"] == name)
            shown = smaller(opened, difference, made.objects, pod) if index < MADE_SMALLER else difference
            sys.stdout.write(f"{_text(shown, is_whole=index < MADE_SMALLER)}\n")
            sys.stdout.flush()
    return int(bool(differences))


def _text(difference: Difference, *, is_whole: bool) -> str:
    shown = {"seed": difference.seed, "differences": difference.pair.differences}
    if is_whole:
        shown |= {"pod": difference.pair.pod, "cluster": difference.cluster}
    return msgspec.json.encode(_without_metadata(msgspec.to_builtins(shown))).decode()


def _without_metadata(value: object) -> object:
    """Without the fields that the API server adds to every object."""
    match value:
        case dict():
            return {key: _without_metadata(item) for key, item in value.items() if key not in HIDDEN}
        case list():
            return [_without_metadata(item) for item in value]
    return value


if __name__ == "__main__":
    sys.exit(main())
