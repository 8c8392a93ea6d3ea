"""The paths that shell patterns match. Shells expand most patterns, so few checks need this module."""

import os
from collections.abc import Iterator
from glob import escape, glob

from webhook.manifests.search import is_within


def matching(pattern: str) -> list[str]:
    """
    The paths that a pattern matches, sorted. ``**`` matches folders at any depth.

    ``**`` does not follow a link to a folder that contains the link. ``glob`` follows such loops 40 times, and for two loops, the
    paths are more than it can ever list.
    """
    return sorted(set(_matching(pattern)))


def _matching(pattern: str) -> Iterator[str]:
    parts = pattern.split("/")
    if "**" not in parts:
        yield from glob(pattern)
        return
    at = parts.index("**")
    above, below = "/".join([*parts[:at], ""]), "/".join(parts[at + 1 :]) or "*"
    for top in glob(above) if above.strip("/") else [above]:
        for folder in _folders_from(top):
            yield from _matching(escape(folder) + below)


def _folders_from(top: str) -> Iterator[str]:
    """A folder and the folders below, without hidden ones, each with a slash at the end unless it is an empty text."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        yield folder
        try:
            with os.scandir(folder or ".") as entries:
                names = [each.name for each in entries if each.name[0] != "." and each.is_dir() and not _is_loop(each)]
        except OSError:  # as for ``glob``, the folder has no entries
            continue
        waiting += (f"{folder}{name}/" for name in names)


def _is_loop(entry: "os.DirEntry[str]") -> bool:
    """Whether a folder is a link to a folder that contains the link."""
    return entry.is_symlink() and is_within(
        os.path.realpath(os.path.dirname(entry.path) or "."), os.path.realpath(entry.path)
    )
