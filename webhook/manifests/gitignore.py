"""
The ``.gitignore`` files of a repository, as Git reads them: nested ones, negated patterns, and ``.git/info/exclude``.

Files that Git tracks although a pattern matches them are left out, too: the index is not read.
"""

import os
import re
import warnings
from collections.abc import Collection, Iterable, Iterator

import msgspec

NAME = ".gitignore"
_NAMED_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \t",
    "digit": "0-9",
    "lower": "a-z",
    "space": " \t\n\v\f\r",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
"""POSIX character classes, which pathspec does not know."""


class Pattern(msgspec.Struct, frozen=True):
    """A pattern of a file."""

    regex: re.Pattern[str]
    is_ignoring: bool
    """False for a negated pattern."""
    only_folders: bool

    def matches(self, name: str, *, is_folder: bool) -> bool:
        """
        Whether it matches this entry.

        Patterns of pathspec also match the entries of a matching folder. Git decides about that folder before, so this is no
        match.
        """
        match = self.regex.search(name) if is_folder or not self.only_folders else None
        return match is not None and (_INSIDE not in self.regex.groupindex or match[_INSIDE] is None)


_INSIDE = "ps_d"
"""The group that a pattern of pathspec has for the slash behind a matching folder."""


class Patterns(msgspec.Struct, frozen=True):
    """The patterns of one file."""

    folder: str
    """The absolute folder that they are relative to, with a final slash."""
    last_first: tuple[Pattern, ...]

    def find(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the last pattern that matches ignores an entry. None if no pattern matches."""
        name = path[len(self.folder) :]
        matching = (one.is_ignoring for one in self.last_first if one.matches(name, is_folder=is_folder))
        return next(matching, None)


class GitRules(msgspec.Struct, frozen=True):
    """The patterns that apply to the entries of a folder, those of the outermost folder first."""

    levels: tuple[Patterns, ...] = ()

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether Git ignores an entry. ``path`` is absolute, and no folder above it is ignored."""
        found = (level.find(path, is_folder=is_folder) for level in reversed(self.levels))
        return next((is_ignored for is_ignored in found if is_ignored is not None), False)

    def inside(self, folder: str, names: Collection[str]) -> "GitRules":
        """
        The rules for the entries of a folder. ``names`` are the names in it. A repository inside has its own rules only.

        Raises OSError for a file that cannot be read.
        """
        rules = GitRules(tuple(_level(folder, exclude_file(folder)))) if ".git" in names else self
        if NAME not in names:
            return rules
        return GitRules((*rules.levels, *_level(folder, f"{folder.rstrip('/')}/{NAME}")))


NO_RULES = GitRules()


def rules_above(folder: str) -> GitRules:
    """
    The rules of the folders above an absolute folder, up to the root of the repository.

    None of them applies if they ignore the folder itself: it was named. Without a repository there are none.
    """
    parents = [folder]
    while not os.path.exists(f"{parents[-1].rstrip('/')}/.git"):
        if parents[-1] == "/":
            return NO_RULES
        parents.append(os.path.dirname(parents[-1]))
    rules = NO_RULES
    for parent, child in zip(parents[:0:-1], parents[-2::-1], strict=True):
        rules = rules.inside(
            parent, [name for name in (".git", NAME) if os.path.lexists(f"{parent.rstrip('/')}/{name}")]
        )
        if rules.ignores(child, is_folder=True):
            return NO_RULES
    return rules


def exclude_file(repository: str) -> str:
    """The path of ``info/exclude``. In a worktree or submodule ``.git`` is a file that names a folder."""
    git = f"{repository.rstrip('/')}/.git"
    if os.path.isfile(git):
        git = os.path.join(repository, _first_line(git).removeprefix("gitdir:").strip())
        common = f"{git}/commondir"
        git = os.path.join(git, _first_line(common)) if os.path.isfile(common) else git
    return f"{git}/info/exclude"


def _first_line(path: str) -> str:
    with open(path, "rb") as file:
        return os.fsdecode(file.readline()).strip()


def _level(folder: str, path: str) -> Iterator[Patterns]:
    """The patterns of a file. Git follows no symbolic link to it."""
    if not os.path.isfile(path) or os.path.islink(path):
        return
    with open(path, "rb") as file:
        content = file.read()
    lines = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).split("\n")
    patterns = [line for line in map(_plain, lines) if line and not line.startswith("#")]
    if patterns:
        yield Patterns(f"{folder.rstrip('/')}/", tuple(_compiled(patterns))[::-1])


def _plain(line: str) -> str:
    """The line without the blanks at its end, except for an escaped one."""
    line = line.removesuffix("\r")
    text = line.rstrip(" ")
    if len(text) < len(line) and (len(text) - len(text.rstrip("\\"))) % 2:
        text += " "
    if "[:" not in text:
        return text
    return re.sub(r"\[:(\w+):\]", lambda named: _NAMED_CLASSES.get(named[1], named[0]), text)


def _compiled(patterns: Iterable[str]) -> Iterator[Pattern]:
    """Compiles patterns. An invalid pattern matches nothing, as in Git."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - slow to import, and few checks search a folder with patterns

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unusual character classes
        for pattern in patterns:
            try:
                compiled = GitIgnoreSpec.from_lines([pattern.removesuffix("/")]).patterns
            except (ValueError, re.error):
                continue
            only_folders = pattern.endswith("/")
            for one in compiled:
                if one.include is not None and one.regex is not None:
                    yield Pattern(one.regex, one.include, only_folders)
