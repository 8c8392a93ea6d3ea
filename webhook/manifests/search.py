"""Finds the files that paths name. A path names a file, a folder or a pattern. Reads no file."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.manifests.objects import Manifests
from webhook.report.printable import escaped

if TYPE_CHECKING:
    from webhook.manifests.entries import Entries
    from webhook.manifests.ignored import Place

SUFFIXES = (".yaml", ".yml", ".json")

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names of a kustomization, in the order of kustomize (konfig.RecognizedKustomizationFileNames)."""

CONFIGURATIONS = ("migratable.yaml", "migratable.yml", ".migratable.yaml", ".migratable.yml")
"""The names of a configuration file of ``migratable check``."""

LeaveOut: TypeAlias = Callable[[str, "Place"], None]
"""Called for each file that Git ignores, with the file or folder that a pattern of ``.gitignore`` matches."""


class File(msgspec.Struct, frozen=True):
    """A file to read, and the folder that its real path must be in if the file is a symbolic link."""

    path: str
    """The path in the form that ``normalized`` returns."""
    root: str = ""
    is_named: bool = True
    """Whether the user named exactly this path."""
    is_link: bool = False
    """Whether the path is known to be a symbolic link."""
    real: str = ""
    """The path without symbolic links, which is the same for every name of the file (empty if it is not needed)."""


class Listed(str):
    """A path from a list of files, such as the output of ``git diff --name-only``. It may name any kind of file."""

    __slots__ = ()


def collected(entries: Iterable[File | Manifests], most: int) -> Sequence[File | Manifests]:
    """The entries in a list, or in ``Entries`` if there are more than ``most``."""
    remaining = iter(entries)
    found = [*islice(remaining, most + 1)]
    return found if len(found) <= most else _entries(chain(found, remaining))


def collected_once(
    entries: Iterable[File | Manifests], most: int, *, is_one_search: bool
) -> "list[File | Manifests] | Entries":
    """
    Each file once, collected as ``collected`` does.

    Ignored files must be left out before this function is called. Otherwise a file with several names is lost if its first name
    is ignored and another name is not.

    If all entries are from one search (``is_one_search``), no file repeats before the first link. So the paths that were found
    are needed only from there.
    """
    found: list[File | Manifests] | Entries = []
    seen: set[str] | None = None if is_one_search else set()
    for entry in entries:
        if isinstance(entry, File) and entry.real:
            if seen is None and not is_plain(entry):
                seen = {each.real for each in found if isinstance(each, File)}
            if seen is not None:
                if entry.real in seen:
                    continue
                # ``_read`` reports a problem for other links
                if not entry.is_link or is_within(entry.real, entry.root):
                    seen.add(entry.real)
        if len(found) == most:
            found = _entries(found)
        found.append(entry)
    return found


def _entries(entries: Iterable[File | Manifests]) -> "Entries":
    from webhook.manifests.entries import Entries  # noqa: PLC0415 - only for large checks

    return Entries(entries)


def is_plain(file: File) -> bool:
    """Whether the file was found in a searched folder, by a path that is not a link."""
    return bool(file.root) and not file.is_named and not file.is_link


def find(
    path: str, recursive: bool, real_folders: dict[str, str], leave_out: LeaveOut | None = None
) -> Iterator[File | Manifests]:
    """The files that one argument names, or a problem. With ``leave_out``, a search leaves out the files that Git ignores."""
    name = normalized(path)
    if isinstance(path, Listed) and not os.path.isdir(name):
        yield _listed(name, real_folders)
    elif path == "-":
        yield File(path, real=path)
    elif os.path.isdir(name):
        yield from _folder(name, recursive, leave_out)
    elif any(sign in path for sign in "*?[") and not os.path.exists(name):
        yield from _matches(path, real_folders)
    else:
        yield File(name, real=_real_path(name, real_folders))


def _matches(pattern: str, real_folders: dict[str, str]) -> Iterator[File | Manifests]:
    """The files that a pattern matches, or a problem."""
    from glob import glob  # noqa: PLC0415 - shells expand most patterns

    name = shown(normalized(pattern))
    if "**" in pattern.split("/"):  # glob has no limit of its own, so the folders are walked once before
        from webhook.manifests.endless_links import endless_path  # noqa: PLC0415 - as above

        path = endless_path(pattern)
        if path:
            what = f"** would follow symbolic links to folders above them again and again, as in {shown(path)}"
            yield unreadable(name, what, "Name the folder. A folder search does not follow symbolic links to folders.")
            return
    try:
        matches = sorted(glob(pattern, recursive=True))
    except RecursionError:  # glob calls itself for each folder
        yield unreadable(name, "folders are nested too deep for **", "Name the folder.")
        return
    for match in matches:
        if not os.path.isdir(match):
            file = normalized(match)
            yield File(file, is_named=False, real=_real_path(file, real_folders))
    if not matches:
        yield unreadable(name, "no file matches this pattern", "Check the pattern. ** matches any number of folders.")


def _listed(name: str, real_folders: dict[str, str]) -> File | Manifests:
    """A file of a list. It is read as in a search, so a file that is not a manifest is no problem."""
    if os.path.lexists(name):
        return File(name, is_named=False, real=_real_path(name, real_folders))
    remedy = "Leave deleted files out of the list, for example with: git diff --diff-filter=d."
    if name.startswith('"'):
        remedy = "Git quotes this name. Use: git diff -z."
    return unreadable(shown(name), "no such file or folder, but the list of files names it", remedy)


def _real_path(path: str, folders: dict[str, str]) -> str:
    """
    Returns the path of a file without links. ``folders`` caches the real paths of folders, because a shell can pass 10,000
    files of one folder.
    """
    folder, _, name = path.rpartition("/")
    folder = folder or ("/" if path.startswith("/") else ".")
    if os.path.islink(path):
        return _target(path)
    if folder not in folders:
        folders[folder] = _target(folder)
    return f"{folders[folder].rstrip('/')}/{name}" if folders[folder] else ""


def _target(link: str) -> str:
    """Returns the real path of a link, or '' for a broken link, a loop or an invalid name."""
    try:
        return os.path.realpath(link, strict=True)
    except (OSError, ValueError):
        return ""


def _folder(path: str, recursive: bool, leave_out: LeaveOut | None) -> Iterator[File | Manifests]:
    root = os.path.realpath(path)
    real, start = root.rstrip("/"), 0 if path == "." else len(path.rstrip("/")) + 1
    from webhook.manifests.folders import FolderSearch  # noqa: PLC0415 - a check of one file searches no folder

    search = FolderSearch(path, recursive, leave_out)
    failures, has_manifests = search.failures, False
    for file, is_link in search.entries():
        if is_manifest(file):
            has_manifests = True
            real_path = _target(file) if is_link else f"{real}/{file[start:]}"
            yield File(file, root, is_named=False, is_link=is_link, real=real_path)
        elif recursive and is_link and os.path.isdir(file) and not is_within(os.path.realpath(file), root):
            yield File(file, root, is_named=False, is_link=True)  # ``_read`` reports it as a problem
    for error in failures:
        yield unreadable(
            shown(normalized(error.filename)),
            f"cannot be read: {error.strerror}",
            "Check the permissions of the folder.",
        )
    if not has_manifests and not search.has_ignored and not failures:
        hint = "" if recursive else " Remove --no-recursive to include subfolders."
        yield unreadable(
            shown(path), "the folder contains no manifests", f"Name a folder with .yaml, .yml or .json files.{hint}"
        )


def is_manifest(path: str) -> bool:
    """Whether a file has the name of a manifest."""
    return _suffix(path).lower() in SUFFIXES or (path.endswith("Kustomization") and _name(path) == "Kustomization")


def kustomizations_above(paths: Iterable[str]) -> list[str]:
    """
    Returns the kustomizations in the folders above searched folders, up to the root of the repository. They can name files in
    these folders as patches.
    """
    found: list[str] = []
    for start in {os.path.realpath(path) for path in paths if path != "-" and os.path.isdir(path)}:
        folder = start
        while folder != "/" and not os.path.exists(f"{folder}/.git"):
            folder = folder.rpartition("/")[0] or "/"
            candidates = (f"{folder.rstrip('/')}/{name}" for name in KUSTOMIZATIONS)
            found += [path for path in candidates if os.path.isfile(path)]
    return list(dict.fromkeys(found))


def normalized(path: str) -> str:
    """
    Returns a path without redundant parts, as pathlib spells it. The file ``./-`` keeps its name, because ``-`` means standard
    input.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    root = "/" if path.startswith("/") else ""
    return "./-" if parts == ["-"] and path != "-" and not root else root + "/".join(parts) or "."


def is_within(path: str, folder: str) -> bool:
    """Whether a real path is the folder or is inside it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _suffix(path: str) -> str:
    """
    Returns the same suffix as ``Path.suffix``: the last dot of the name and the text after it, unless the name starts with that
    dot.
    """
    name = _name(path)
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def shown(path: str) -> str:
    """Returns the path as messages show it, which is printable even if the name in the file system is not UTF-8."""
    return escaped(path)


def unreadable(name: str, message: str, remedy: str) -> Manifests:
    """A file or folder that cannot be read."""
    return Manifests((), (BadInput(message, remedy=remedy, source=name),))
