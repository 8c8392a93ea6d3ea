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


class UnknownBase(Exception):
    """The history is complete, and does not have the named commit."""


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
    """
    The files of a commit, or of the one that ``AUTO`` chooses, in a temporary folder, and its description.

    Raises NoBase and UnknownBase.
    """
    name = chosen(repository) if commit == AUTO else commit
    found = _git(repository, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    if not found:
        raise _missing(repository, name)
    line = _git(repository, "log", "-1", "--format=%h %cs %s", found)
    with tempfile.TemporaryDirectory(prefix="migratable-base-") as place:
        with tempfile.TemporaryFile() as archive:
            subprocess.run(["git", "-C", str(repository), "archive", found], check=True, stdout=archive)
            archive.seek(0)
            subprocess.run(["tar", "-x", "-C", place], check=True, stdin=archive)
        yield Path(place), line if name == commit else f"{name} ({line})"


def _missing(repository: Path, name: str) -> NoBase | UnknownBase:
    """The error for a name without a commit. A shallow clone or an archive of the files may lack the commit."""
    message = f"the history has no commit {name}"
    is_whole = _git(repository, "rev-parse", "--is-shallow-repository") == "false"
    has_commits = bool(_git(repository, "rev-parse", "--verify", "HEAD"))
    return UnknownBase(message) if is_whole and has_commits else NoBase(f"{message}; fetch more of it to compare")


def _git(repository: Path, *arguments: str) -> str:
    """The output of git, or an empty string if it fails."""
    if shutil.which("git") is None:
        raise NoBase("git is not installed")
    argv = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.strip() if not done.returncode else ""
