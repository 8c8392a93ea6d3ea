"""
Fixes as replacements of a part of a text, for SARIF. This module does no I/O.

A fix is written as ``--fix`` writes it, and the two texts are compared. So both give the same text.
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
Bytes that are read to write fixes into a report. Each fix reads its file again, which takes about 0.4 s a MiB, and a dump of a
cluster may need thousands of fixes. Fixes beyond this limit are not in the report, but ``--fix`` writes them.
"""

_BOM = "\ufeff"


MOST_COUNTED: Final = 2 << 20
"""Bytes that are read to count the fixes that can be written: hundreds of fixes in a usual file, in less than a second."""


class _FixedTexts:
    """The texts before and after a fix. ``most`` limits the bytes that are read."""

    def __init__(self, texts: Mapping[str, bytes], most: int) -> None:
        self._texts = texts
        self._places: dict[str, dict[tuple[int, int], tuple[int, FieldPath]]] = {}
        self._left = most

    def apply(self, judged: ObjectReport, fix: FixReport) -> tuple[bytes, bytes] | None:
        """
        The text before and after the fix; None if the text is unknown, or if the fix would change other fields.

        Raises OverflowError beyond the limit.
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
        """The document and path of each object, by document and line."""
        if file not in self._places:
            objects = read_manifests(content, file).objects
            self._places[file] = {
                (found.document.index, found.line): (found.document.index, found.at) for found in objects
            }
        return self._places[file]


class FixReplacer:
    """A ``sarif.Replacer`` for texts by file name."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = _FixedTexts(texts, MOST_READ)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> Replacement | None:
        """The replacement; None if the fix cannot be written, or beyond the limit."""
        try:
            texts = self._texts.apply(judged, fix)
        except OverflowError:
            return None
        return replacement(texts[0].decode(), texts[1].decode()) if texts is not None else None


class FixWritable:
    """A ``text.Writable`` for texts by file name. Beyond the limit, a fix counts as writable, as most fixes are."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = _FixedTexts(texts, MOST_COUNTED)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> bool:
        """Whether the fix can be written without other changes."""
        try:
            return self._texts.apply(judged, fix) is not None
        except OverflowError:
            return True


def replacement(before: str, after: str) -> Replacement | None:
    """The part that differs, extended to whole words; None if the texts are equal."""
    if before == after:
        return None
    before, after = before.removeprefix(_BOM), after.removeprefix(_BOM)
    start, most = 0, min(len(before), len(after))
    while start < most and before[start] == after[start]:
        start += 1
    same_end = 0
    while same_end < most - start and before[-1 - same_end] == after[-1 - same_end]:
        same_end += 1
    while start and _is_in_word(before[start - 1]):
        start -= 1
    while same_end and _is_in_word(before[-same_end]):
        same_end -= 1
    text, end = Text(before, ""), len(before) - same_end
    first, last = text.mark(start), text.mark(end)
    return Replacement((first.line, first.column, last.line, last.column), after[start : len(after) - same_end])


def _is_in_word(character: str) -> bool:
    return character.isalnum() or character in "_-\"'"
