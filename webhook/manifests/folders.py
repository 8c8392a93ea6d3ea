"""Lists the entries of a folder and its subfolders."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

from webhook.manifests.gitignore import NO_RULES, GitRules, rules_above
from webhook.manifests.ignored import Place
from webhook.manifests.search import LeaveOut, is_manifest

HISTORY_FOLDERS = frozenset({".git", ".hg", ".svn"})
"""Folders of version control systems, which are never searched."""
_Entry: TypeAlias = "tuple[str, bool, Iterator[_Entry] | None]"
"""A path, whether it is a link, and the entries below a folder that is searched."""


class FolderSearch:
    """
    The entries of a folder, sorted by the parts of their paths, and whether each entry is a link. Does not follow links.

    ``failures`` are the folders that cannot be listed. The patterns of pathlib skip them silently.
    """

    def __init__(self, folder: str, recursive: bool, leave_out: LeaveOut | None) -> None:
        self.failures: list[OSError] = []
        self.has_ignored = False
        """Whether Git ignores a file that has the name of a manifest, of those before the current entry."""
        self._recursive = recursive
        self._leave_out = leave_out
        self._prefix = "" if folder == "." else f"{folder.rstrip('/')}/"
        self._root = os.path.realpath(folder).rstrip("/")
        try:
            self._rules = NO_RULES if leave_out is None else rules_above(self._root or "/")
        except OSError as error:
            self._rules = NO_RULES
            self.failures.append(error)

    def entries(self) -> Iterator[tuple[str, bool]]:
        """The paths. Each folder is listed when it is reached, so only the names of the folders above it are in memory."""
        open_folders = [self._listed(self._prefix, self._root, self._rules)]
        while open_folders:
            for path, is_link, below in open_folders[-1]:
                yield path, is_link
                if below is not None:
                    open_folders.append(below)
                    break
            else:
                open_folders.pop()

    def _listed(self, prefix: str, real: str, rules: GitRules) -> "Iterator[_Entry]":
        """The entries of the folder ``real``, whose paths begin with ``prefix``."""
        names, folders, links = list[str](), set[str](), set[str]()
        try:
            _list(prefix, names, folders, links)
            rules = rules if self._leave_out is None else rules.inside(real or "/", names)
        except OSError as error:
            self.failures.append(error)
            return
        names.sort()
        for name in names:
            path, is_folder = prefix + name, name in folders
            if name in HISTORY_FOLDERS:
                continue
            if (
                rules.levels
                and (is_folder or is_manifest(name))
                and rules.ignores(f"{real}/{name}", is_folder=is_folder)
            ):
                self._ignore(path, is_folder=is_folder)
                continue
            is_searched = self._recursive and is_folder
            yield path, name in links, self._listed(f"{path}/", f"{real}/{name}", rules) if is_searched else None

    def _ignore(self, path: str, *, is_folder: bool) -> None:
        assert self._leave_out is not None  # noqa: S101 - otherwise there are no rules
        if is_folder and not self._recursive:
            return
        place = Place(path, is_folder)
        for file in _manifests_below(path) if is_folder else [path]:
            self.has_ignored = True
            self._leave_out(file, place)


def _list(prefix: str, names: list[str], folders: set[str], links: set[str]) -> None:
    """
    Adds the names in a folder, in any order. Keeps only names: a tuple for each of 100,000 entries would leave memory that
    Python cannot free.
    """
    with os.scandir(prefix.rstrip("/") or ("/" if prefix else ".")) as entries:
        for entry in entries:
            names.append(entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.add(entry.name)
            elif entry.is_symlink():
                links.add(entry.name)


def _manifests_below(folder: str) -> Iterator[str]:
    """
    The manifests below an ignored folder, by name. Skips folders that cannot be listed. Is no recursion, because ``os.walk`` of
    Python 3.11 nests a call for each folder.
    """
    remaining = [folder]
    while remaining:
        parent = remaining.pop()
        names, folders, links = list[str](), set[str](), set[str]()
        with suppress(OSError):
            _list(f"{parent}/", names, folders, links)
        for name in names:
            path = f"{parent}/{name}"
            if name in folders:
                if name not in HISTORY_FOLDERS:
                    remaining.append(path)
            elif is_manifest(name) and not (name in links and os.path.isdir(path)):
                yield path
