"""
Fixes as replacements of a part of a text, as editors and code scanning take them. This file does no I/O.

They are found by writing the fix as ``--fix`` does, and comparing: so both write the same.
"""

from collections.abc import Mapping
from typing import Final

from webhook.errors import BadInput
from webhook.objects.path import FieldPath
from webhook.report.model import FixReport, ObjectReport
from webhook.report.sarif import Replacement
from webhook.resolve.editing import patch_text
from webhook.resolve.kubeplaces import Text
from webhook.resolve.manifests import read_manifests

MOST_READ: Final = 16 << 20
"""
Bytes that are read to write fixes, each of which has its file read anew (about 0.4 s a MiB): a dump of a cluster may need
fixing all over, and a report of it is to come all the same. What is left has no fix in the report, and ``--fix`` writes it.
"""

_BOM = "\ufeff"


class Replacing:
    """Knows the texts by file name; a ``sarif.Replacer``."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._places: dict[str, dict[tuple[int, int], tuple[int, FieldPath]]] = {}
        self._left = MOST_READ

    def __call__(self, judged: ObjectReport, fix: FixReport) -> Replacement | None:
        """None where the text is not known, or the fix cannot be written without touching something else."""
        source = judged.source
        content = self._texts.get(source.file) if source is not None else None
        if source is None or content is None or self._left < len(content):
            return None
        self._left -= len(content)
        place = self._places_in(source.file, content).get((source.document, source.line))
        if place is None:
            return None
        try:
            written = patch_text(content, source.file, *place, fix.patch)
        except BadInput:
            return None
        return replacement(content.decode(), written.decode())

    def _places_in(self, file: str, content: bytes) -> dict[tuple[int, int], tuple[int, FieldPath]]:
        """Document and path of each object, by document and line."""
        if file not in self._places:
            given = read_manifests(content, file).given
            self._places[file] = {(each.document.index, each.line): (each.document.index, each.at) for each in given}
        return self._places[file]


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
