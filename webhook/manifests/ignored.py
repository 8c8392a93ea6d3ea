"""Finds files that patterns leave out, and counts them by folder in notes. Reads no file."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from webhook.manifests.inherited import Inherited, parent_of
from webhook.report.printable import escaped

MAX_PLACES = 5
"""Maximum number of folders and files in a note."""


class Pattern(msgspec.Struct):
    """
    A pattern of files and folders to leave out, relative to ``folder``.

    A pattern without a slash matches the name of a file or folder. A pattern with a slash matches the last parts of a path. A
    pattern that begins with a slash is an absolute path.
    """

    text: str
    folder: str
    """The absolute path of the folder."""
    origin: str = "--ignore"
    """The option or file that contains the pattern."""
    is_used: bool = False
    """Whether the pattern matched a file."""

    def matches(self, path: str) -> bool:
        """Whether the pattern matches an absolute path. Folders above ``folder`` never match."""
        text = self.text.removeprefix("./").removeprefix("**/").rstrip("/")
        if text.startswith("/"):
            return fnmatchcase(path, text)
        if _contains(path, self.folder):
            return False
        if "/" not in text:
            return fnmatchcase(path.rpartition("/")[2], text)
        parts = _relative(path, self.folder).split("/")
        return any(fnmatchcase("/".join(parts[index:]), text) for index in range(len(parts)))


class Place(msgspec.Struct, frozen=True):
    """A file or folder that a pattern matches."""

    path: str
    is_folder: bool


class _Folder(msgspec.Struct, frozen=True):
    """A folder with files, and what the patterns mean for them."""

    typed: str
    """The path as the user typed it."""
    path: str
    """The absolute path."""
    place: str
    """The outermost of this folder and its parents that a pattern matches, or an empty text."""
    has_patterns: bool
    """Whether there are patterns for the entries of the folder."""


class IgnorePatterns:
    """The patterns of a check. ``patterns_of`` returns the patterns for the entries of an absolute folder."""

    def __init__(self, patterns_of: Callable[[str], Sequence[Pattern]]) -> None:
        self._patterns_of = patterns_of
        self._here = working_directory()
        self._places = Inherited("")
        self._last: _Folder | None = None
        """The folder of the last file. A folder may have 10,000 files, which follow each other."""

    def find_place(self, path: str) -> Place | None:
        """
        Returns the outermost folder of a file that a pattern matches, or the file if a pattern matches only the file. Returns
        None if no pattern matches.
        """
        typed, _, name = path.rpartition("/")
        folder = self._last
        if folder is None or folder.typed != typed or not typed:  # '' is the folder of 'vm.yaml' and of '/vm.yaml'
            folder = self._last = self._folder(typed, is_absolute=path.startswith("/"))
        if folder.place:
            return Place(self._name(folder.place, path), is_folder=True)
        absolute = f"{folder.path.rstrip('/')}/{name}"
        if not folder.has_patterns or not self._is_matched(absolute, folder.path):
            return None
        return Place(self._name(absolute, path), is_folder=False)

    def _folder(self, typed: str, *, is_absolute: bool) -> _Folder:
        path = os.path.normpath(f"{typed}/" if is_absolute else os.path.join(self._here, typed))
        place = self._places.of(path, self._place_of)
        return _Folder(typed, path, place, has_patterns=not place and bool(self._patterns_of(path)))

    def _place_of(self, folder: str, place_of_parent: str) -> str:
        """The outermost of a folder and its parents that a pattern matches."""
        return place_of_parent or (folder if self._is_matched(folder, parent_of(folder)) else "")

    def _is_matched(self, path: str, folder: str) -> bool:
        is_matched = False
        for pattern in self._patterns_of(folder):
            if pattern.matches(path):
                pattern.is_used = is_matched = True
        return is_matched

    def _name(self, place: str, path: str) -> str:
        return place if path.startswith("/") else _relative(place, self._here)


class LeftOut(msgspec.Struct):
    """Files that were left out, by folder."""

    files: dict[str, set[str]] = msgspec.field(default_factory=dict)
    """Files that were left out one by one, by their folder."""
    folders: dict[str, set[str]] = msgspec.field(default_factory=dict)
    """The files below folders that were left out as a whole."""

    def add(self, file: str, place: Place) -> None:
        """Adds a file. ``place`` is the file itself, or the folder that was left out."""
        if place.is_folder:
            self.folders.setdefault(place.path, set()).add(file)
        else:
            self.files.setdefault(place.path.rpartition("/")[0], set()).add(place.path)

    def __bool__(self) -> bool:
        """Whether a file was left out."""
        return bool(self.files or self.folders)

    def __str__(self) -> str:
        """Returns a text such as ``501 files in node_modules, a.yaml``, sorted, with at most ``MAX_PLACES`` places."""
        counted = sorted([*self._counted()])
        shown = [text for _, text, _ in counted[:MAX_PLACES]]
        if len(counted) > MAX_PLACES:
            more = sum(count for _, _, count in counted[MAX_PLACES:])
            shown.append(f"{_files(more)} in other folders")
        return ", ".join(shown)

    def _counted(self) -> Iterator[tuple[str, str, int]]:
        for folder, files in self.folders.items():
            yield folder, f"{_files(len(files))} in {escaped(folder)}", len(files)
        for folder, files in self.files.items():
            text = (
                escaped(next(iter(files))) if len(files) == 1 else f"{_files(len(files))} in {escaped(folder or '.')}"
            )
            yield folder, text, len(files)


def unused(patterns: Iterable[Pattern]) -> Iterator[str]:
    """Yields a note for each pattern that matched no file."""
    for pattern in patterns:
        if not pattern.is_used:
            hint = ". A pattern that begins with / is an absolute path" if pattern.text.startswith("/") else ""
            yield (
                f"the pattern {escaped(repr(pattern.text))} ({pattern.origin}) ignores nothing: it matches no .yaml, .yml "
                f"or .json file{hint}"
            )


def working_directory() -> str:
    """Returns the absolute path of the working directory, or the root if the working directory was removed."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _contains(path: str, folder: str) -> bool:
    """Whether ``path`` is the folder or one of its parents."""
    return folder == path or folder.startswith(path.rstrip("/") + "/")


def _relative(path: str, folder: str) -> str:
    """
    Returns the path relative to a folder. For files below the folder, this takes little time, because a check can have 10,000
    files.
    """
    prefix = folder.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else os.path.relpath(path, folder)
