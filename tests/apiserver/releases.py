"""
The admission tests against several Kubernetes releases: `python -m tests.apiserver.releases [v1.30.14 v1.34.2 v1.37.2]`.

`tools/kube-*` names the releases: the oldest and the newest that can be built from published modules, and the one of every
other run. The first use of a release builds its kube-apiserver, which takes five minutes of two idle cores.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from tests.apiserver.binaries import TOOLS

ROOT = Path(__file__).resolve().parents[2]
PINNED = sorted(folder.name.removeprefix("kube-") for folder in TOOLS.glob("kube-*"))
NOT_ABOUT_ADMISSION = frozenset(
    f"test_{name}.py"
    for name in ("binaries", "calls", "consistency", "crds", "main", "processes", "replicas", "rotation", "yaml")
)
SUITES = (
    *sorted(str(path) for path in Path(__file__).parent.glob("test_*.py") if path.name not in NOT_ABOUT_ADMISSION),
    *(
        "tests/deploy/test_apply.py",
        "tests/deploy/test_match_conditions.py",
        "tests/deploy/test_match_conditions_update.py",
        "tests/nasty/test_apiserver.py",
    ),
)


def main() -> int:
    """Prints a line for each release; exit status 1 where a test fails."""
    parser = ArgumentParser(prog="python -m tests.apiserver.releases", description=__doc__)
    parser.add_argument("releases", nargs="*", default=PINNED, metavar="RELEASE", help=f"of {', '.join(PINNED)}")
    parser.add_argument("--suite", action="append", help="a test file or node id (default: the admission suites)")
    options = parser.parse_args()
    ended = {release: _run(release, options.suite or SUITES) for release in options.releases}
    for release, (_, summary) in ended.items():
        print(f"Kubernetes {release}: {summary}")
    return int(any(status for status, _ in ended.values()))


def _run(release: str, suites: list[str] | tuple[str, ...]) -> tuple[int, str]:
    """The exit status of pytest, and its last line."""
    environment = {**os.environ, "MIGRATABLE_KUBERNETES": release, "MIGRATABLE_REQUIRE_APISERVER": "1"}
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", *suites]
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = list(map(_echoed, running.stdout))
    summary = [line.strip() for line in lines if " in " in line and ("passed" in line or "failed" in line)]
    return running.returncode, summary[-1] if summary else f"pytest ended with {running.returncode}"


def _echoed(line: str) -> str:
    sys.stdout.write(line)
    return line


if __name__ == "__main__":
    sys.exit(main())
