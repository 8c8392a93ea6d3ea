"""
Fixes as replacements of a part of a text, as editors and code scanning take them. This file does no I/O.

They are found by writing the fix as ``--fix`` does, and comparing: so both write the same.
"""

from collections.abc import Mapping
from typing import Final

from webhook.errors import BadInput
from webhook.manifests.objects import read_manifests
from webhook.objects.path import FieldPath
from webhook.report.model import FixReport, ObjectReport
from webhook.report.sarif import Replacement
from webhook.yaml.editor import patch_text
from webhook.yaml.text import Text

MOST_READ: Final = 16 << 20
"""
Bytes that are read to write fixes, each of which has its file read anew (about 0.4 s a MiB): a dump of a cluster may need
fixing all over, and a report of it is to come all the same. What is left has no fix in the report, and ``--fix`` writes it.
"""

_BOM = "\ufeff"


MOST_LOOKED_AT: Final = 2 << 20
"""Bytes that are read to say how many fixes can be written: some hundred fixes of a usual file, and less than a second."""


class _Reader:
    """Knows the texts by file name; ``most`` is how many bytes it reads before it gives up."""

    def __init__(self, texts: Mapping[str, bytes], most: int) -> None:
        self._texts = texts
        self._places: dict[str, dict[tuple[int, int], tuple[int, FieldPath]]] = {}
        self._left = most

    def written(self, judged: ObjectReport, fix: FixReport) -> tuple[bytes, bytes] | None:
        """
        The text before and after; None where it is not known, or the fix cannot be written without touching something else.

        Raises OverflowError where too much was read.
        """
        source = judged.source
        content = self._texts.get(source.file) if source is not None else None
        if source is None or content is None:
            return None
        if self._left < len(content):
            raise OverflowError
        self._left -= len(content)
        place = self._places_in(source.file, content).get((source.document, source.line))
        if place is None:
            return None
        try:
            return content, patch_text(content, source.file, *place, fix.patch)
        except BadInput:
            return None

    def _places_in(self, file: str, content: bytes) -> dict[tuple[int, int], tuple[int, FieldPath]]:
        """Document and path of each object, by document and line."""
        if file not in self._places:
            given = read_manifests(content, file).objects
            self._places[file] = {(each.document.index, each.line): (each.document.index, each.at) for each in given}
        return self._places[file]


class Replacing:
    """A ``sarif.Replacer`` for texts by file name."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._reader = _Reader(texts, MOST_READ)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> Replacement | None:
        """None where nothing can be written, or too much was read."""
        try:
            texts = self._reader.written(judged, fix)
        except OverflowError:
            return None
        return replacement(texts[0].decode(), texts[1].decode()) if texts is not None else None


class Writing:
    """A ``text.Writable`` for texts by file name; what it does not come to is taken to be writable, as most is."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._reader = _Reader(texts, MOST_LOOKED_AT)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> bool:
        """Whether the fix can be written without touching something else."""
        try:
            return self._reader.written(judged, fix) is not None
        except OverflowError:
            return True


def replacement(before: str, after: str) -> Replacement | None:
    """The one part that differs, as whole words; None where nothing does."""
    if before == after:
        return None
    before, after = before.removeprefix(_BOM), after.removeprefix(_BOM)
    start, most = 0, min(len(before), len(after))
    while start < most and before[start] == after[start]:
        start += 1
    behind = 0
    while behind < most - start and before[-1 - behind] == after[-1 - behind]:
        behind += 1
    while start and _is_inside(before[start - 1]):
        start -= 1
    while behind and _is_inside(before[-behind]):
        behind -= 1
    text, end = Text(before, ""), len(before) - behind
    first, last = text.mark(start), text.mark(end)
    return Replacement((first.line, first.column, last.line, last.column), after[start : len(after) - behind])


def _is_inside(character: str) -> bool:
    return character.isalnum() or character in "_-\"'"
