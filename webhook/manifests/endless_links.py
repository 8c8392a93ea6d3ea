"""Finds symbolic links to folders above them, which ``**`` in a pattern follows again and again."""

import os
from contextlib import suppress
from glob import glob, has_magic

_MOST_VISITS = 100
"""
Number of visits to each folder. A path can have 40 links, so ``**`` follows one link to a folder above it 40 times, and two such
links 2⁴⁰ times.
"""


def endless_link(pattern: str) -> str:
    """
    A link to a folder above it, if ``**`` in the pattern follows it and other links for hours, or an empty text.

    Like ``glob``, skips folders that cannot be listed, and hidden folders unless the pattern names one.
    """
    parts = pattern.split("/")
    before = "/".join(parts[: parts.index("**")])
    names = glob(before, recursive=True) if has_magic(before) else [before or ("/" if pattern.startswith("/") else "")]
    includes_hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    found = (_endless_link_below(name, includes_hidden=includes_hidden) for name in names)
    return next(filter(None, found), "")


def _endless_link_below(start: str, *, includes_hidden: bool) -> str:
    loop, visits = "", 0
    folders: set[str] = set()
    """The real paths of all folders."""
    above: list[str] = []
    """The real paths of the folders from ``start`` to the current one."""
    remaining = [(start, os.path.realpath(start), 0)]
    while remaining:
        path, real, depth = remaining.pop()
        del above[depth:]
        if not loop and real in folders and real in above:
            loop = path
        visits += 1
        folders.add(real)
        above.append(real)
        if loop and visits > _MOST_VISITS * len(folders):
            return loop
        with suppress(OSError), os.scandir(path or ".") as entries:
            for entry in entries:
                if entry.is_dir() and (includes_hidden or not entry.name.startswith(".")):
                    name, real_name = os.path.join(path, entry.name), os.path.join(real, entry.name)
                    remaining.append((name, os.path.realpath(name) if entry.is_symlink() else real_name, depth + 1))
    return ""
