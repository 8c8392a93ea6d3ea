"""Prints the differences between the surfaces as JSON lines, and the number of compared objects."""

import sys
import tempfile
from pathlib import Path

import msgspec

from tests.apiserver import crds
from tests.apiserver.agreement.compare import compare
from tests.apiserver.controlplane import ControlPlane


def main() -> None:
    """Exit status 1 if the surfaces disagree."""
    count, seed = (*map(int, sys.argv[1:]), 2000, 1)[:2] if len(sys.argv) > 2 else (int((*sys.argv[1:], 2000)[0]), 1)
    with tempfile.TemporaryDirectory() as folder, ControlPlane(crds=crds.OWN) as plane:
        compared = compare(plane, Path(folder), count, seed)
    for difference in compared.differences:
        print(msgspec.json.encode(difference).decode())
    print(f"{compared.objects} objects, compared {compared.compared}, {compared.denied} denied", file=sys.stderr)
    print(f"{len(compared.differences)} differences (seed {seed})", file=sys.stderr)
    sys.exit(bool(compared.differences))


if __name__ == "__main__":
    main()
