"""
Reads manifests from files, folders, patterns and standard input. A file that cannot be read becomes a problem.

Paths are ``str``, not ``Path``: 10,000 ``Path`` objects cost more than reading the files, and importing pathlib pulls in
urllib.
"""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from errno import ELOOP
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from webhook.errors import BadInput
from webhook.manifests.objects import Manifests, read_manifests
from webhook.manifests.search import (
    CONFIGURATIONS,
    KUSTOMIZATIONS,
    File,
    Listed,
    collected,
    collected_once,
    find,
    is_manifest,
    is_within,
    kustomizations_above,
    shown,
    unreadable,
)
from webhook.manifests.sources import Sources
from webhook.yaml.document import MAX_BYTES

if TYPE_CHECKING:
    from webhook.manifests.ignored import IgnorePatterns, Place

_STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16."""

MANY_FILES = 10_000
"""A check of more files is large: it keeps what it does not need at once in temporary files (docs/decisions/0039)."""
COMMENT = b"migratable:"
"""A text that every comment with an exemption contains."""
ANNOTATION = b"migratable.dev/allow"

Progress: TypeAlias = Callable[[int, int], None]
"""A function that is called before the first file and after each file, with the number of read files and of all files."""


class Inputs:
    """
    The files that ``paths`` name, in order: files, folders, shell patterns, and ``-`` for standard input.

    A file that has several names, such as a symbolic link, is read once, under its first name.

    ``ignore`` contains patterns of files and folders to leave out. ``sources.ignored`` counts the files that are left out.
    With ``gitignore``, a search leaves out the files that Git ignores.
    ``own_files`` are files that are not manifests, such as the configuration. Such files are read only if a path names them
    exactly. ``rendered`` contains manifests that were rendered before. The files that they were made from are left out of
    searched folders, but not with ``fixes``, because fixes are written to files.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        recursive: bool,
        sources: Sources,
        ignore: "IgnorePatterns | None" = None,
        gitignore: bool = False,
        own_files: Collection[str] = (),
        progress: Progress | None = None,
        rendered: Sequence[Manifests] = (),
        fixes: bool = False,
    ) -> None:
        own_paths = {os.path.realpath(path) for path in own_files}
        paths = [path for path in paths if not (isinstance(path, Listed) and _has_other_name(path, sources))]
        real_folders: dict[str, str] = {}

        def leave_out(file: str, place: "Place") -> None:
            own = ignore.find_place(file) if ignore is not None else None
            sources.leave_out(file, own or place, by_git=own is None)

        entries = (
            entry for path in paths for entry in find(path, recursive, real_folders, leave_out if gitignore else None)
        )
        found: Sequence[File | Manifests] = collected_once(
            (
                entry
                for entry in entries
                if isinstance(entry, Manifests) or not _is_left_out(entry, ignore, own_paths, sources)
            ),
            MANY_FILES,
            is_one_search=len(paths) == 1,
        )
        above = kustomizations_above(paths)
        if above or any(isinstance(entry, File) and entry.path.endswith(KUSTOMIZATIONS) for entry in found):
            from webhook.manifests.unrendered import without_patches  # noqa: PLC0415 - only for kustomizations

            found = collected(without_patches(found, above, sources), MANY_FILES)
        if not fixes and sources.parts:
            from webhook.manifests.origins import without_rendered  # noqa: PLC0415 - only with rendered texts

            found = collected(without_rendered(found, sources), MANY_FILES)
        self._entries = collected(chain(found, rendered), MANY_FILES) if rendered else found
        if self.is_large:
            sources.expect_many()
        self._sources = sources
        self._progress = progress

    def __iter__(self) -> Iterator[Manifests]:
        """Reads the files one by one."""
        if self._progress is not None:
            self._progress(0, len(self._entries))
        for number in range(len(self._entries)):
            yield self.read(number)
            if self._progress is not None:
                self._progress(number + 1, len(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_large(self) -> bool:
        """Whether a check of these files keeps what it does not need at once in temporary files."""
        return len(self._entries) > MANY_FILES

    def name(self, number: int) -> str:
        """The name of a file in messages, or an empty text for a number that no file has."""
        if number not in range(len(self._entries)):
            return ""
        entry = self._entries[number]
        if isinstance(entry, File):
            return shown(entry.path)
        sources = [manifest.document.source for manifest in entry.objects] + [each.source for each in entry.problems]
        return sources[0] if sources else ""

    def is_stream(self, number: int) -> bool:
        """Whether the entry is standard input or a pipe, which can be read only once."""
        entry = self._entries[number]
        return isinstance(entry, File) and _is_stream(entry)

    def forget(self, number: int, sources: Sources | None = None) -> None:
        """Drops the text of a file, unless it contains comments or annotations that exempt findings."""
        sources = sources if sources is not None else self._sources
        name = self._name_of_plain_text(number, sources)
        if name:
            sources.forget(name)

    def release(self, number: int, sources: Sources | None = None) -> None:
        """
        Drops the text of a file from memory, unless it contains comments or annotations that exempt findings. The file is read
        again when a report shows an excerpt.
        """
        sources = sources if sources is not None else self._sources
        name = self._name_of_plain_text(number, sources)
        if name:
            sources.release(name)

    def _name_of_plain_text(self, number: int, sources: Sources) -> str:
        """The name of a text in memory, or an empty text if it contains comments or annotations that exempt findings."""
        entry = self._entries[number]
        name = shown(entry.path) if isinstance(entry, File) else ""
        text = sources.texts.in_memory.get(name, COMMENT)
        return "" if COMMENT in text or ANNOTATION in text else name

    def read(self, number: int) -> Manifests:
        """Reads a file, which can be read several times. Standard input is read only once, and its text is kept."""
        return self.read_into(number, self._sources)

    def read_into(self, number: int, sources: Sources) -> Manifests:
        """Reads a file as ``read`` does, and records in ``sources`` what was read."""
        entry = self._entries[number]
        return entry if isinstance(entry, Manifests) else _read(entry, sources)


def read_all(
    paths: Sequence[str],
    *,
    recursive: bool,
    sources: Sources,
    ignore: "IgnorePatterns | None" = None,
    own_files: Collection[str] = (),
) -> list[Manifests]:
    """Returns the content of all ``Inputs``."""
    return list(Inputs(paths, recursive=recursive, sources=sources, ignore=ignore, own_files=own_files))


def _has_other_name(path: Listed, sources: Sources) -> bool:
    """Whether a file of a list has no name of a manifest. Such a file is only counted."""
    if is_manifest(path) or not os.path.isfile(path):
        return False
    sources.others[shown(path)] = None
    return True


def _is_left_out(file: File, ignore: "IgnorePatterns | None", own_paths: Collection[str], sources: Sources) -> bool:
    """Whether a pattern matches the file or one of its folders, or the file is one of Migratable's own files."""
    if own_paths and not file.is_named and os.path.realpath(file.path) in own_paths:
        return True
    place = ignore.find_place(file.path) if ignore is not None and file.path != "-" else None
    if place is not None:
        sources.leave_out(file.path, place)
    return place is not None


def _read(file: File, sources: Sources) -> Manifests:
    """
    Returns the manifests in one regular file of at most 10 MiB. The target of a link must be inside the folder that the user
    named.
    """
    path, root = file.path, file.root
    name = shown(path)
    if _is_stream(file):
        return _stream(path, sources.stdin_name if path == "-" else name, sources)
    try:
        if file.is_link and root and not is_within(os.path.realpath(path, strict=True), root):
            return unreadable(name, "the symbolic link points outside the folder", "Name the file itself.")
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return unreadable(name, "the path is a folder with the name of a manifest", "Rename the folder.")
        if not stat.S_ISREG(status.st_mode):
            return unreadable(name, "not a regular file", "Name a manifest file.")
        if status.st_size > MAX_BYTES:
            return unreadable(name, f"the file is larger than {MAX_BYTES // 2**20} MiB", "Split the file.")
        content = _content(path, status.st_size)
    except FileNotFoundError:
        return unreadable(name, "no such file or folder", "Check the path.")
    except (OSError, ValueError) as error:  # ValueError: the name contains NUL
        reason = (error.strerror if isinstance(error, OSError) else "") or "invalid file name"
        reason = "symbolic links form a loop" if isinstance(error, OSError) and error.errno == ELOOP else reason
        return unreadable(name, f"cannot be read: {reason}", "Check the path and its permissions.")
    if content.startswith(_UTF_16):
        from webhook.manifests.streams import utf_8_of  # noqa: PLC0415 - few runs read UTF-16

        try:
            sources.encodings[name], content = utf_8_of(content, name)
        except BadInput as problem:
            return Manifests((), (problem,))
    manifests = read_manifests(content, name)
    if manifests.problems and not file.is_named and path.rpartition("/")[2] in CONFIGURATIONS and not manifests.objects:
        return Manifests((), ())
    if manifests.problems or b"$patch" in content:
        from webhook.manifests.unrendered import judged_part  # noqa: PLC0415 - most files have no problems

        manifests = judged_part(file, content, manifests, sources)
        if not manifests.objects and not manifests.problems:
            return manifests
    sources.texts[name] = content
    sources.paths[name] = path
    return manifests


def _is_stream(file: File) -> bool:
    return (file.path == "-" and not file.root) or (file.is_named and file.path.startswith(_STREAMS))


def _content(path: str, size: int) -> bytes:
    """Returns the content of a file. One read suffices if the size of the file has not changed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    if len(content) == size:
        return content
    with open(path, "rb") as whole:
        return whole.read()


def _stream(path: str, name: str, sources: Sources) -> Manifests:
    """
    Returns the manifests in standard input or in a pipe that a shell opened (``<(command)``). Reads the stream once and keeps
    its text.

    The limit for a stream is larger than the limit for a file, because ``kubectl get -A -o json`` prints one List of all
    objects.
    """
    from webhook.manifests.streams import MAX_STREAM_BYTES, read_stream  # noqa: PLC0415 - most runs read files

    content = sources.texts.get(name)
    if content is None:
        try:
            sources.encodings[name], content = read_stream(path, name)
        except BadInput as problem:
            return Manifests((), (problem,))
        sources.texts[name] = content
    if not content.strip():  # an error, because the command before the pipe probably failed and no object was checked
        what = "standard input" if path == "-" else "the input"
        return unreadable(name, f"{what} is empty", "Check the output of the command before the pipe.")
    return read_manifests(content, name, most_bytes=MAX_STREAM_BYTES)
