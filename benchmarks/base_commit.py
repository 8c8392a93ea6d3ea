"""The commit of this repository that ``benchmarks.compare`` compares with, in a temporary folder."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AUTO = "auto"
BACK = 100
"""So many commits before HEAD, on the default branch of a repository without tags."""


class NoBase(Exception):
    """The history has no commit to compare with."""


def chosen(repository: Path) -> str:
    """
    The newest tag before HEAD; without a tag, the commit where HEAD left the default branch of ``origin``, or an earlier one.

    Raises NoBase.
    """
    tag = _git(repository, "describe", "--tags", "--abbrev=0", "HEAD^")
    if tag:
        return tag
    head = _git(repository, "rev-parse", "--verify", "HEAD")
    left = _git(repository, "merge-base", "HEAD", "origin/HEAD")
    if left and left != head:
        return left
    earlier = _git(repository, "rev-parse", "--verify", f"HEAD~{BACK}^{{commit}}")
    if not earlier:
        raise NoBase(f"the history has no tag before HEAD and no HEAD~{BACK}; fetch more of it to compare")
    return earlier


@contextmanager
def checked_out(repository: Path, commit: str) -> Iterator[tuple[Path, str]]:
    """The files of a commit, or of the one that ``AUTO`` chooses, in a temporary folder, and its description. Raises NoBase."""
    name = chosen(repository) if commit == AUTO else commit
    line = _git(repository, "log", "-1", "--format=%h %cs %s", f"{name}^{{commit}}")
    if not line:
        raise NoBase(f"the history has no commit {name}")
    with tempfile.TemporaryDirectory(prefix="migratable-base-") as place:
        with tempfile.TemporaryFile() as archive:
            subprocess.run(["git", "-C", str(repository), "archive", name], check=True, stdout=archive)
            archive.seek(0)
            subprocess.run(["tar", "-x", "-C", place], check=True, stdin=archive)
        yield Path(place), line if name == commit else f"{name} ({line})"


def _git(repository: Path, *arguments: str) -> str:
    """The output of git, or an empty string if it fails."""
    if shutil.which("git") is None:
        raise NoBase("git is not installed")
    argv = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.strip() if not done.returncode else ""
