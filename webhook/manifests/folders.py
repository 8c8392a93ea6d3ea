"""Lists the entries of a folder and its subfolders."""

import os
from collections.abc import Iterator

from webhook.manifests.gitignore import NO_RULES, GitRules, rules_above
from webhook.manifests.ignored import Place
from webhook.manifests.search import LeaveOut, is_manifest

HISTORY_FOLDERS = frozenset({".git", ".hg", ".svn"})
"""Folders of version control systems, which are never searched."""


class FolderSearch:
    """
    The entries of a folder, sorted by the parts of their paths, and whether each entry is a link. Does not follow links.

    ``failures`` are the folders that cannot be listed. The patterns of pathlib skip them silently.
    """

    def __init__(self, folder: str, recursive: bool, leave_out: LeaveOut | None) -> None:
        self.failures: list[OSError] = []
        self.has_ignored = False
        """Whether Git ignores a file that has the name of a manifest."""
        self._recursive = recursive
        self._leave_out = leave_out
        self._root = os.path.realpath(folder).rstrip("/")
        self._depth = 0 if folder == "." else 1
        """The number of parts in ``entries`` that stand for the folder itself."""
        self._entries: list[tuple[list[str], bool]] = []
        self._waiting: list[tuple[list[str], GitRules]] = []
        try:
            rules = NO_RULES if leave_out is None else rules_above(self._root or "/")
        except OSError as error:
            rules = NO_RULES
            self.failures.append(error)
        self._waiting.append(([] if folder == "." else [folder.rstrip("/")], rules))
        while self._waiting:
            parts, rules = self._waiting.pop()
            try:
                self._list(parts, rules)
            except OSError as error:
                self.failures.append(error)

    @property
    def entries(self) -> list[tuple[str, bool]]:
        """The paths."""
        return [("/".join(parts), is_link) for parts, is_link in sorted(self._entries)]

    def _list(self, parts: list[str], rules: GitRules) -> None:
        with os.scandir("/".join(parts) or ("/" if parts else ".")) as scanned:
            listed = [*scanned] if self._leave_out is not None else scanned
            real = "/".join((self._root, *parts[self._depth :]))
            if self._leave_out is not None:
                own = [entry.name for entry in listed if entry.name.startswith(".git")]
                rules = rules.inside(real or "/", own) if own else rules
            for entry in listed:
                if entry.name in HISTORY_FOLDERS:
                    continue
                is_folder = (self._recursive or bool(rules.levels)) and entry.is_dir(follow_symlinks=False)
                if rules.levels and (is_folder or is_manifest(entry.name)):
                    if rules.ignores(f"{real}/{entry.name}", is_folder=is_folder):
                        self._ignore("/".join([*parts, entry.name]), is_folder=is_folder)
                        continue
                self._entries.append(([*parts, entry.name], entry.is_symlink()))
                if self._recursive and is_folder:
                    self._waiting.append(([*parts, entry.name], rules))

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
