"""
Shows that a refactoring changes nothing but wording: `python -m benchmarks.agreement OLD [NEW]`.

OLD and NEW are checkouts with their own `.venv`; NEW is this one if it is not given. Both get the same questions, which are made
from the rules and generators of this checkout. The program uses the command line and the admission port only, so that modules
may have other places in the two. It prints one line for each kind of difference and all changed sentences. The exit status is
1 if any difference is not wording.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from pathlib import Path

from benchmarks.agreement.asking import Answer, Checkout
from benchmarks.agreement.counting import Comparison
from benchmarks.agreement.inputs import ROOT, reviews, write


def main() -> int:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--manifests", type=int, default=2000, help="generated manifests (default: 2000)")
    parser.add_argument("--reviews", type=int, default=500, help="generated reviews (default: 500)")
    parser.add_argument("--samples", type=int, default=3, help="samples of each kind (default: 3)")
    options = parser.parse_args()
    old, new = Checkout(options.old), Checkout(options.new)
    comparison = Comparison()

    def compare(pair: tuple[Iterable[Answer], Iterable[Answer]]) -> None:
        for (name, first), (_, second) in zip(*pair, strict=True):
            comparison.add(name, first, second, options.samples)

    with tempfile.TemporaryDirectory(prefix="migratable-agreement-") as place:
        folder = Path(place)
        inputs, scratches = folder / "inputs", [folder / "old", folder / "new"]
        for new_folder in (inputs, *scratches):
            new_folder.mkdir()
        sides = list(zip((old, new), scratches, strict=True))
        checks = write(inputs, options.manifests)
        files = list(dict.fromkeys(check.file for check in checks))
        _say(f"{len(files)} files, {len(checks)} runs of check")
        compare((old.checks(inputs, checks, scratches[0]), new.checks(inputs, checks, scratches[1])))
        _say("check -o sarif")
        compare((old.sarif(inputs, files), new.sarif(inputs, files)))
        asked = list(reviews(options.reviews))
        for name, flags in (("plain", ()), ("policy", ("--policy", str(inputs / "policy.yaml")))):
            _say(f"{len(asked)} reviews, {name}")
            first, second = (side.admission(inputs / "facts", flags, asked, scratch / name) for side, scratch in sides)
            compare((first, second))
    _say("done")
    print("\n".join(comparison.lines()))
    return 0 if comparison.is_wording_only else 1


def _say(text: str) -> None:
    print(f"{time.strftime('%X')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
