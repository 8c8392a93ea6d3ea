"""Reads the files of a fleet: files, folders, patterns and standard input."""

import os
import stat
from collections.abc import Iterator, Sequence

from webhook.errors import BadInput
from webhook.manifests.fleet_files import MOST_BYTES, FleetInput, read_fleet
from webhook.manifests.search import File, find, is_within, shown
from webhook.manifests.streams import read_stream, utf_8_of


def read_paths(paths: Sequence[str]) -> FleetInput:
    """The objects in all files that ``paths`` name. A file that cannot be read becomes a problem."""
    problems: list[BadInput] = []
    read = read_fleet(_contents(paths, problems))
    read.problems[:0] = problems
    return read


def _contents(paths: Sequence[str], problems: list[BadInput]) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    real_folders: dict[str, str] = {}
    for path in paths:
        for entry in find(path, True, real_folders):
            if not isinstance(entry, File):
                problems.extend(entry.problems)
                continue
            if entry.real and entry.real in seen:
                continue
            seen.add(entry.real)
            try:
                yield shown(entry.path), _content(entry)
            except BadInput as problem:
                problems.append(problem)


def _content(file: File) -> bytes:
    name = shown(file.path)
    if file.path == "-" or file.path.startswith(("/dev/", "/proc/self/fd/")):
        return read_stream(file.path, name)[1]
    try:
        if file.is_link and file.root and not is_within(os.path.realpath(file.path, strict=True), file.root):
            raise _problem(name, "the symbolic link points outside the folder", "Name the file itself.")
        with open(file.path, "rb") as opened:  # noqa: PTH123 - a path is text, as in ``files``
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise _problem(name, "not a regular file", "Name a file of Kubernetes objects.")
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _problem(name, "no such file or folder", "Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: the name contains NUL
        reason = (error.strerror if isinstance(error, OSError) else "") or "invalid file name"
        raise _problem(name, f"cannot be read: {reason}", "Check the path and its permissions.") from None
    return utf_8_of(content, name)[1]


def _problem(name: str, message: str, remedy: str) -> BadInput:
    return BadInput(message, remedy=remedy, source=name)
