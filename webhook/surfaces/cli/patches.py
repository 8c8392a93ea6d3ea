"""Unified diffs that ``patch -p1`` and ``git apply`` accept, for any file name."""

import io
import os
import sys
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import Final

from webhook.errors import BadInput
from webhook.manifests.sources import Sources
from webhook.report.sentences import file_of
from webhook.surfaces.cli.status import write_stdout

FROM_ROOT: Final = (
    "some files are outside the working folder, so the paths in the patch start at /. Apply the patch there: "
    "cd / && patch -p1 < PATCH"
)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


class Patches:
    """
    Patches for the files of a check, by their names in the report.

    patch and git refuse ``..`` and symbolic links. So a patch contains the path of the file that ``--fix`` writes. Paths
    are relative to the working folder, or to ``/`` if a file is outside that folder.
    """

    def __init__(self, names: Iterable[str], sources: Sources) -> None:
        self._encodings = sources.encodings
        self._paths = {name: os.path.realpath(sources.paths[name]) for name in names if name in sources.paths}
        here = os.path.realpath(".").rstrip("/") + "/"
        self.is_from_root = not all(path.startswith(here) for path in self._paths.values())
        self._base = "/" if self.is_from_root else here

    def patch(self, name: str, before: bytes, after: bytes) -> str:
        """The patch for a file. Raises BadInput if a patch cannot change the file."""
        if self._encodings.get(name, "utf-8") != "utf-8":
            remedy = "Use --fix, or save the file as UTF-8."
            raise BadInput("the file is UTF-16, which a patch cannot change", remedy=remedy, source=name)
        path = self._paths[name].removeprefix(self._base) if name in self._paths else file_of(name).lstrip("/")
        return diff(path, before, after)

    def all_changes(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, list[str]]:
        """The patches for all files, and a line for each file that a patch cannot change."""
        shown, refused = [], [FROM_ROOT] if self.is_from_root else []
        for name, content in sorted(after.items()):
            try:
                shown.append(self.patch(name, before[name], content))
            except BadInput as error:
                refused.append(f"{file_of(name)} is not in the patch: {error.message}. {error.remedy}")
        return "".join(shown), refused


def write_patch(text: str) -> None:
    """Writes a patch to stdout in UTF-8, the encoding of the files."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    write_stdout(text)


def diff(path: str, before: bytes, after: bytes) -> str:
    """The change to a file as a unified diff. Both texts are UTF-8."""
    old, new = (
        [*io.StringIO(text.decode(), newline="\n")] for text in (before, after)
    )  # ``patch`` splits lines only at \n
    lines = unified_diff(old, new, _header(f"a/{path}"), _header(f"b/{path}"))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _header(path: str) -> str:
    """
    The path, quoted like in git if necessary (``quote_c_style`` in git's quote.c).

    ``patch`` ends an unquoted path at the first blank, unless a tab follows. ``patch`` also drops blanks at the end.
    """
    if not path.isprintable() or '"' in path or path.endswith(" "):
        return '"' + "".join(map(_escape, path)) + '"'
    return f"{path}\t" if " " in path else path


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(char))
