"""Lists the entries of a folder and its subfolders."""

import os
from collections.abc import Iterator
from operator import itemgetter
from typing import TypeAlias

from webhook.manifests.gitignore import NO_RULES, GitRules, rules_above
from webhook.manifests.ignored import Place
from webhook.manifests.search import LeaveOut, is_manifest

HISTORY_FOLDERS = frozenset({".git", ".hg", ".svn"})
"""Folders of version control systems, which are never searched."""
_Entry: TypeAlias = "tuple[str, bool, Iterator[_Entry] | None]"
"""A path, whether it is a link, and the entries below a folder that is searched."""
_Found: TypeAlias = tuple[str, bool, GitRules | None]
"""A name, whether it is a link, and the rules above the entries of a folder that is searched."""


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
        found: list[_Found] = []
        try:
            self._list(prefix, real, rules, found)
        except OSError as error:
            self.failures.append(error)
        for name, is_link, below in sorted(found, key=itemgetter(0)):
            path = prefix + name
            yield path, is_link, None if below is None else self._listed(f"{path}/", f"{real}/{name}", below)

    def _list(self, prefix: str, real: str, rules: GitRules, found: "list[_Found]") -> None:
        """Adds the entries of a folder to ``found``, in any order."""
        with os.scandir(prefix.rstrip("/") or ("/" if prefix else ".")) as scanned:
            listed = [*scanned] if self._leave_out is not None else scanned
            if self._leave_out is not None:
                own = [entry.name for entry in listed if entry.name.startswith(".git")]
                rules = rules.inside(real or "/", own) if own else rules
            for entry in listed:
                if entry.name in HISTORY_FOLDERS:
                    continue
                is_folder = (self._recursive or bool(rules.levels)) and entry.is_dir(follow_symlinks=False)
                if rules.levels and (is_folder or is_manifest(entry.name)):
                    if rules.ignores(f"{real}/{entry.name}", is_folder=is_folder):
                        self._ignore(prefix + entry.name, is_folder=is_folder)
                        continue
                found.append((entry.name, entry.is_symlink(), rules if self._recursive and is_folder else None))

    def _ignore(self, path: str, *, is_folder: bool) -> None:
        assert self._leave_out is not None  # noqa: S101 - otherwise there are no rules
        if is_folder and not self._recursive:
            return
        place = Place(path, is_folder)
        for file in _manifests_below(path) if is_folder else [path]:
            self.has_ignored = True
            self._leave_out(file, place)


def _manifests_below(folder: str) -> Iterator[str]:
    """The files below an ignored folder that have the names of manifests."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in HISTORY_FOLDERS]
        yield from (f"{parent}/{name}" for name in files if is_manifest(name))
