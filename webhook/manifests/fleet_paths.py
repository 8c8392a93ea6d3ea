"""Reads the files of a fleet: files, folders, patterns and standard input."""

import codecs
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO, Final

from webhook.errors import BadInput
from webhook.manifests.fleet_files import MOST_BYTES, FleetInput, Seen, Stream, is_snapshot, read_fleet
from webhook.manifests.search import File, find, is_within, shown
from webhook.manifests.streams import utf_8_of
from webhook.manifests.yaml_items import begins_list

_FIRST_BYTES: Final = 4 * 2**20
"""Files of this size or more are read as streams if possible. The errors in smaller files name the column, too."""
_STREAMS: Final = ("/dev/", "/proc/self/fd/")
_NOT_REGULAR: Final = "not a regular file"
_NAME_A_FILE: Final = "Name a file of Kubernetes objects."


def read_paths(paths: Sequence[str], seen: Seen | None = None) -> FleetInput:
    """The objects in all files that ``paths`` name. A file that cannot be read becomes a problem."""
    problems: list[BadInput] = []
    contents = _contents(paths, problems)
    read = read_fleet(contents) if seen is None else read_fleet(contents, seen)
    read.problems[:0] = problems
    return read


def _contents(paths: Sequence[str], problems: list[BadInput]) -> Iterator[tuple[str, bytes | Stream]]:
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
            name = shown(entry.path)
            try:
                with _opened(entry, name) as opened:
                    yield name, _content(opened, name)
            except BadInput as problem:
                problems.append(problem)
            except OSError as error:
                problems.append(_unreadable(name, error))


def _opened(file: File, name: str) -> AbstractContextManager[BinaryIO]:
    """Standard input, or the open file. Raises BadInput if it cannot be opened."""
    if file.path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        if file.is_link and file.root and not is_within(os.path.realpath(file.path, strict=True), file.root):
            raise _problem(name, "the symbolic link points outside the folder", "Name the file itself.")
        # an open FIFO would wait for a writer
        if not file.is_named and not stat.S_ISREG(os.stat(file.path).st_mode):  # noqa: PTH116 - a path is text
            raise _problem(name, _NOT_REGULAR, _NAME_A_FILE)
        opened = open(file.path, "rb")  # noqa: PTH123, SIM115 - a path is text, as in ``files``; the caller closes it
    except FileNotFoundError:
        raise _problem(name, "no such file or folder", "Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: the name contains NUL
        raise _unreadable(name, error) from None
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode) and not file.path.startswith(_STREAMS):
        opened.close()
        raise _problem(name, _NOT_REGULAR, _NAME_A_FILE)
    return opened


def _content(opened: BinaryIO, name: str) -> bytes | Stream:
    """The content, or a stream if the file is large, and is JSON or a List in kubectl's YAML."""
    begin = opened.read(_FIRST_BYTES)
    if len(begin) == _FIRST_BYTES:
        begin = begin.removeprefix(codecs.BOM_UTF8)
        if (begin.lstrip().startswith(b"{") or begins_list(begin)) and not is_snapshot(begin):
            return Stream(begin, opened)
        if b"\0" not in begin or begin.startswith(
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        ):  # a device can be endless
            begin += opened.read(MOST_BYTES + 1 - len(begin))
    return utf_8_of(begin, name)[1]


def _unreadable(name: str, error: OSError | ValueError) -> BadInput:
    reason = (error.strerror if isinstance(error, OSError) else "") or "invalid file name"
    return _problem(name, f"cannot be read: {reason}", "Check the path and its permissions.")


def _problem(name: str, message: str, remedy: str) -> BadInput:
    return BadInput(message, remedy=remedy, source=name)
