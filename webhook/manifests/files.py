"""
Manifests from files, folders, patterns and standard input. A file that was not read is a problem, never a silent skip.

Paths are text here: a ``Path`` for each of ten thousand files takes longer than to read them, and pathlib brings urllib along.
"""

import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from errno import ELOOP
from fnmatch import fnmatchcase
from typing import TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.manifests.objects import Manifests, read_manifests
from webhook.report.printable import escaped
from webhook.yaml.document import MAX_BYTES

SUFFIXES = (".yaml", ".yml", ".json")

COMMENT = b"migratable:"
"""Without it there is no exempting comment in a text."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told at the beginning and after each file how many of how many were read."""


class Sources(msgspec.Struct):
    """The text of what was read, by name, for code frames; and the names of what was left out as asked."""

    texts: dict[str, bytes] = msgspec.field(default_factory=dict)
    paths: dict[str, str] = msgspec.field(default_factory=dict)
    """Where each of these is; standard input is nowhere."""
    forgotten: set[str] = msgspec.field(default_factory=set)
    """Names of what was read and is not needed any more."""
    ignored: list[str] = msgspec.field(default_factory=list)

    @property
    def names(self) -> Collection[str]:
        """Everything that was read."""
        return self.texts.keys() | self.forgotten

    @property
    def lines(self) -> Mapping[str, Sequence[str]]:
        """Lines by file name."""
        return Lines(self.texts)

    def forget(self, name: str) -> None:
        """Lets go of a text that can be read again."""
        if self.paths.pop(name, None) is not None:
            del self.texts[name]
            self.forgotten.add(name)


class Lines(Mapping[str, Sequence[str]]):
    """Lines by file name; those of one file at a time, for there may be ten thousand."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._last: tuple[str, Sequence[str]] | None = None

    def __getitem__(self, name: str) -> Sequence[str]:
        if self._last is None or self._last[0] != name:
            self._last = name, self._texts[name].decode("utf-8", "replace").splitlines()
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


class _Wanted(msgspec.Struct, frozen=True):
    """A file to read, and the folder that a link in its place may not lead out of."""

    path: str
    """As ``written`` writes it."""
    root: str = ""
    is_named: bool = True
    """Whether the user wrote this very path."""
    is_link: bool = False
    """Whether it is known to be a symbolic link."""
    real: str = ""
    """The same for every name of one file: its path without links. Empty where it is not to be compared."""


class Inputs:
    """
    Every file that ``paths`` name, in order; folders by name, ``-`` is standard input, patterns as a shell has them.

    A file that is named more than once, also by a folder or a symbolic link, is one file, under the first of its names.

    ``ignore`` are patterns of files and folders to leave out; their names are in ``sources.ignored``. ``ours`` are files
    that are no manifests, such as the configuration: they are read only where a path names them outright.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        recursive: bool,
        sources: Sources,
        ignore: Sequence[str] = (),
        ours: Collection[str] = (),
        progress: Progress | None = None,
    ) -> None:
        known = {os.path.realpath(each) for each in ours}
        real_folders: dict[str, str] = {}
        found = (each for path in paths for each in _find(path, recursive, real_folders))
        self._wanted = _once(
            each for each in found if isinstance(each, Manifests) or not _is_left_out(each, ignore, known, sources)
        )
        sources.ignored = list(dict.fromkeys(sources.ignored))
        self._sources = sources
        self._progress = progress

    def __iter__(self) -> Iterator[Manifests]:
        """Reads one after the other."""
        if self._progress is not None:
            self._progress(0, len(self._wanted))
        for number in range(len(self._wanted)):
            yield self.read(number)
            if self._progress is not None:
                self._progress(number + 1, len(self._wanted))

    def forget(self, number: int) -> None:
        """Lets go of the text of one, unless it holds comments that somebody has to look at."""
        wanted = self._wanted[number]
        name = _named(wanted.path) if isinstance(wanted, _Wanted) else ""
        if COMMENT not in self._sources.texts.get(name, COMMENT):
            self._sources.forget(name)

    def read(self, number: int) -> Manifests:
        """Reads one, also once more; standard input is read once, and then known."""
        wanted = self._wanted[number]
        return wanted if isinstance(wanted, Manifests) else _read(wanted, self._sources)


def read_all(
    paths: Sequence[str],
    *,
    recursive: bool,
    sources: Sources,
    ignore: Sequence[str] = (),
    ours: Collection[str] = (),
) -> list[Manifests]:
    """All of ``Inputs`` at once."""
    return list(Inputs(paths, recursive=recursive, sources=sources, ignore=ignore, ours=ours))


def _once(found: Iterable[_Wanted | Manifests]) -> list[_Wanted | Manifests]:
    """
    Each file once. What is left out as asked has to be left out before: no file may be lost for the sake of its other name.
    """
    wanted: list[_Wanted | Manifests] = []
    seen: set[str] = set()
    for each in found:
        if isinstance(each, _Wanted) and each.real:
            if each.real in seen:
                continue
            if not each.is_link or _is_within(each.real, each.root):  # else it will be refused
                seen.add(each.real)
        wanted.append(each)
    return wanted


def _find(path: str, recursive: bool, real_folders: dict[str, str]) -> Iterator[_Wanted | Manifests]:
    """The files that one argument names, or why there are none."""
    named = written(path)
    if path == "-":
        yield _Wanted(path, real=path)
    elif os.path.isdir(named):
        yield from _folder(named, recursive)
    elif any(sign in path for sign in "*?[") and not os.path.exists(named):
        from glob import glob  # noqa: PLC0415 - shells do it for most

        matching = sorted(glob(path, recursive=True))
        for each in matching:
            if not os.path.isdir(each):
                found = written(each)
                yield _Wanted(found, is_named=False, real=_real(found, real_folders))
        if not matching:
            yield _refused(
                _named(named), "no file matches this pattern", "Check the pattern. ** matches any number of folders."
            )
    else:
        yield _Wanted(named, real=_real(named, real_folders))


def _real(path: str, folders: dict[str, str]) -> str:
    """The path of a file without links; ``folders`` keeps those of folders, for a shell may have named ten thousand files."""
    folder, _, name = path.rpartition("/")
    folder = folder or ("/" if path.startswith("/") else ".")
    if os.path.islink(path):
        return _behind(path)
    if folder not in folders:
        folders[folder] = _behind(folder)
    return f"{folders[folder].rstrip('/')}/{name}" if folders[folder] else ""


def _behind(link: str) -> str:
    """Where it leads; empty where it leads nowhere, or in a circle, or is no name."""
    try:
        return os.path.realpath(link, strict=True)
    except (OSError, ValueError):
        return ""


def _folder(path: str, recursive: bool) -> Iterator[_Wanted | Manifests]:
    root = os.path.realpath(path)
    real, start = root.rstrip("/"), 0 if path == "." else len(path.rstrip("/")) + 1
    closed: list[OSError] = []
    found = False
    for each, is_link in _inside(path, recursive, closed):
        if _suffix(each).lower() in SUFFIXES:
            found = True
            same = _behind(each) if is_link else f"{real}/{each[start:]}"
            yield _Wanted(each, root, is_named=False, is_link=is_link, real=same)
        elif recursive and is_link and os.path.isdir(each) and not _is_within(os.path.realpath(each), root):
            yield _Wanted(each, root, is_named=False, is_link=True)  # refused below, not left out in silence
    for error in closed:
        yield _refused(
            _named(written(error.filename)), f"cannot be read: {error.strerror}", "Check the permissions of the folder."
        )
    if not found and not closed:
        hint = "" if recursive else " Add -R to include subfolders."
        yield _refused(
            _named(path), "the folder contains no manifests", f"Name a folder with .yaml, .yml or .json files.{hint}"
        )


def _inside(folder: str, recursive: bool, closed: list[OSError]) -> list[tuple[str, bool]]:
    """
    What a folder holds, sorted by the parts of the path, and which of it are links; links to folders are not followed.

    What may not be listed is added to ``closed``: pathlib's patterns pass over it in silence.
    """
    found: list[tuple[list[str], bool]] = []
    waiting: list[list[str]] = [[] if folder == "." else [folder.rstrip("/")]]
    while waiting:
        parts = waiting.pop()
        try:
            with os.scandir("/".join(parts) or ("/" if parts else ".")) as entries:
                for each in entries:
                    found.append(([*parts, each.name], each.is_symlink()))
                    if recursive and each.is_dir(follow_symlinks=False):
                        waiting.append([*parts, each.name])
        except OSError as error:
            closed.append(error)
    return [("/".join(parts), is_link) for parts, is_link in sorted(found)]


def written(path: str) -> str:
    """A path without what changes nothing in it, as pathlib writes it; a file ``./-`` is not standard input."""
    parts = [each for each in path.split("/") if each not in ("", ".")]
    root = "/" if path.startswith("/") else ""
    return "./-" if parts == ["-"] and path != "-" and not root else root + "/".join(parts) or "."


def _is_within(path: str, folder: str) -> bool:
    """Whether a real path is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _suffix(path: str) -> str:
    """As ``Path.suffix``: what follows the last dot of the name, unless that is its first character."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def _is_left_out(wanted: _Wanted, patterns: Sequence[str], ours: Collection[str], sources: Sources) -> bool:
    """Whether it is a file of ours, or a pattern matches the path, its end, its name, or a folder that it lies in."""
    if ours and not wanted.is_named and os.path.realpath(wanted.path) in ours:
        return True
    if not any(_matches(wanted.path, pattern) for pattern in patterns):
        return False
    sources.ignored.append(_named(wanted.path))
    return True


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.removeprefix("./").rstrip("/")
    if "/" not in wanted:
        return any(fnmatchcase(part, wanted) for part in parts)
    starts = ("/".join(parts[at:]) for at in range(len(parts)))
    return any(fnmatchcase(start, wanted) or fnmatchcase(start, f"{wanted}/*") for start in starts)


def _read(wanted: _Wanted, sources: Sources) -> Manifests:
    """One regular file of at most 10 MiB; a link may not lead out of the folder that was named."""
    path, root = wanted.path, wanted.root
    if not root and path == "-":
        return _stdin(sources)
    name = _named(path)
    try:
        if wanted.is_link and root and not _is_within(os.path.realpath(path, strict=True), root):
            return _refused(name, "the symbolic link points outside the folder", "Name the file itself.")
        about = os.stat(path)
        if stat.S_ISDIR(about.st_mode):
            return _refused(name, "a folder has the name of a manifest", "Rename the folder.")
        if not stat.S_ISREG(about.st_mode):
            return _refused(name, "not a regular file", "Name a manifest file.")
        if about.st_size > MAX_BYTES:
            return _refused(name, f"the file is larger than {MAX_BYTES // 2**20} MiB", "Split the file.")
        content = _content(path, about.st_size)
    except FileNotFoundError:
        return _refused(name, "no such file or folder", "Check the path.")
    except (OSError, ValueError) as error:  # ValueError: a name with NUL
        reason = (error.strerror if isinstance(error, OSError) else "") or "invalid file name"
        reason = "symbolic links form a loop" if isinstance(error, OSError) and error.errno == ELOOP else reason
        return _refused(name, f"cannot be read: {reason}", "Check the path and its permissions.")
    sources.texts[name] = content
    sources.paths[name] = path
    return read_manifests(content, name)


def _content(path: str, size: int) -> bytes:
    """All of a file, in one read if it is as large as it was."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(file, size + 1)
    finally:
        os.close(file)
    if len(content) == size:
        return content
    with open(path, "rb") as whole:
        return whole.read()


def _stdin(sources: Sources) -> Manifests:
    content = sources.texts.get("-")
    if content is None:
        content = sources.texts["-"] = sys.stdin.buffer.read(MAX_BYTES + 1)
    if not content.strip():  # what stood before the pipe has failed: nothing was checked, and that is no success
        return _refused("-", "standard input is empty", "Check the output of the command before the pipe.")
    return read_manifests(content, "-")


def _named(path: str) -> str:
    """The path as text that every report and terminal can hold, also where the file system's name is not UTF-8."""
    return escaped(path)


def _refused(name: str, message: str, remedy: str) -> Manifests:
    return Manifests((), (BadInput(message, remedy=remedy, source=name),))
