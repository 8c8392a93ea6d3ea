"""`python -m tests.apiserver build` and `python -m tests.apiserver up`: the control plane by hand."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.apiserver import crds
from tests.apiserver.binaries import KNOWN, TESTED, MissingBinaryError, find_binary
from tests.apiserver.controlplane import ControlPlane


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 a binary can neither be found nor built."""
    arguments = _parser().parse_args(argv)
    try:
        return _build(arguments.names) if arguments.command == "build" else _up(arguments.crds)
    except MissingBinaryError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="find or build binaries and print their paths")
    build.add_argument("names", nargs="*", default=TESTED, metavar="NAME", help=f"of {', '.join(KNOWN)}")
    up = commands.add_parser("up", help="start, print the path of a kubeconfig, run until Ctrl-C")
    up.add_argument(
        "--crds", nargs="*", type=Path, default=list(crds.OWN), help="files or folders (default: the project's own)"
    )
    return parser


def _build(names: Sequence[str]) -> int:
    if unknown := sorted(set(names) - set(KNOWN)):
        raise MissingBinaryError(f"no such binary here: {', '.join(unknown)}; there are {', '.join(KNOWN)}")
    for name in names:
        began = time.monotonic()
        path = find_binary(name)
        sys.stdout.write(f"{path}  ({time.monotonic() - began:.1f} s)\n")
        sys.stdout.flush()
    return 0


def _up(places: Sequence[Path]) -> int:
    files = [file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: the servers are stopped
    with suppress(KeyboardInterrupt), ControlPlane(crds=files) as control_plane:
        sys.stdout.write(f"{control_plane.client.kubeconfig()}\n")
        sys.stdout.flush()
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
