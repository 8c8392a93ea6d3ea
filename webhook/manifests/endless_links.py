"""Finds symbolic links to folders above them, which ``**`` in a pattern follows again and again."""

import os
from contextlib import suppress
from glob import glob, has_magic

_MOST_VISITS_OF_FOLDER = 100
"""
Largest average number of visits to a folder. Linux follows at most 40 symbolic links in a path. So ``**`` visits a folder about
40 times because of one link to a folder above it, and about 2⁴⁰ times because of two.
"""
_MOST_VISITS = 10_000
"""Number of visits below which a search is never refused."""


def endless_path(pattern: str) -> str:
    """
    A path that leads back to a folder above it, if ``**`` would visit folders too often because of such paths, or an empty text.

    Skips hidden folders, as ``**`` does, unless the pattern names one between two ``**``.
    """
    parts = pattern.split("/")
    first, last = parts.index("**"), len(parts) - parts[::-1].index("**")
    includes_hidden = any(part.startswith(".") and part not in (".", "..") for part in parts[first:last])
    before = "/".join(parts[:first])
    root = "/" if pattern.startswith("/") else ""
    starts = glob(before, recursive=True) if has_magic(before) else [before or root]
    found = (_endless_path_below(start, includes_hidden=includes_hidden) for start in starts)
    return next(filter(None, found), "")


def _endless_path_below(start: str, *, includes_hidden: bool) -> str:
    loop, visits = "", 0
    folders: set[str] = set()
    """The real paths of all folders."""
    above: list[str] = []
    """The real paths of the folders from ``start`` to the current one."""
    remaining = [(start, os.path.realpath(start), 0)]
    while remaining:
        path, real, depth = remaining.pop()
        del above[depth:]
        if not loop and real in folders and real in above:  # most folders are not in the set, which is fast to find
            loop = path
        visits += 1
        folders.add(real)
        above.append(real)
        if loop and visits > _MOST_VISITS + _MOST_VISITS_OF_FOLDER * len(folders):
            return loop
        with suppress(OSError), os.scandir(path or ".") as entries:
            for entry in entries:
                with suppress(OSError):  # a link to itself
                    if entry.is_dir() and (includes_hidden or not entry.name.startswith(".")):
                        name, plain = os.path.join(path, entry.name), os.path.join(real, entry.name)
                        remaining.append((name, os.path.realpath(name) if entry.is_symlink() else plain, depth + 1))
    return ""
