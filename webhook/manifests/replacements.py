"""
Describes fixes as replacements of a part of a text, for SARIF. This module does no I/O.

The same code as for ``--fix`` applies a fix, and the texts before and after the fix are compared. The replacement therefore has
the same result as ``--fix``.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from webhook.errors import BadInput
from webhook.manifests.judged_objects import JudgedObjects
from webhook.manifests.objects import ManifestObject, read_manifests
from webhook.report.model import FixReport, ObjectReport
from webhook.report.sarif import Replacement
from webhook.yaml.editor import Operation, patch_text
from webhook.yaml.text import Text

MOST_READ: Final = 16 << 20
"""
Maximum number of bytes that are read to write fixes into a report.

Each fix reads its file again, which takes about 0.4 s per MiB, and a dump of a cluster may need thousands of fixes. Fixes
beyond this limit are not in the report, but ``--fix`` writes them.
"""

_BOM = "\ufeff"


MOST_COUNTED: Final = 2 << 20
"""Maximum number of bytes that are read to count writable fixes, which suffices for hundreds of fixes in a usual file."""


class _FixedTexts:
    """The texts before and after a fix. ``most`` limits the bytes that are read."""

    def __init__(self, texts: Mapping[str, bytes], most: int) -> None:
        self._texts = texts
        self._objects: dict[str, JudgedObjects] = {}
        self._left = most

    def apply(self, judged: ObjectReport, fix: FixReport) -> tuple[bytes, bytes] | None:
        """
        Returns the text before and after the fix. Returns None if the text is unknown, or if the fix would change other fields.

        Raises OverflowError if the limit is exceeded.
        """
        source = judged.source
        content = self._texts.get(source.file) if source is not None else None
        if source is None or content is None:
            return None
        if self._left < len(content):
            raise OverflowError
        self._left -= len(content)
        if source.file not in self._objects:
            self._objects[source.file] = JudgedObjects(read_manifests(content, source.file).objects)
        try:
            return content, patch_object(content, self._objects[source.file].candidates(judged), fix.patch)
        except BadInput:
            return None


def patch_object(content: bytes, candidates: Sequence[ManifestObject], patch: Sequence[Operation]) -> bytes:
    """
    Returns the text in which ``patch`` changes the first object that it matches.

    Raises BadInput if the patch matches no object, or if the patch cannot be written without other changes.
    """
    problem = BadInput("the object no longer exists", remedy="Make the change by hand.")
    for manifest in candidates:
        document = manifest.document
        try:
            written = patch_text(content, document.source, document.index, manifest.at, patch)
        except BadInput as error:
            problem = error
        else:
            if written != content:
                return written
    raise problem


class FixReplacer:
    """Implements ``sarif.Replacer`` for texts by file name. ``most`` limits the bytes that are read."""

    def __init__(self, texts: Mapping[str, bytes], most: int = MOST_READ) -> None:
        self._texts = _FixedTexts(texts, most)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> Replacement | None:
        """Returns the replacement, or None if the fix cannot be written or the limit is exceeded."""
        try:
            texts = self._texts.apply(judged, fix)
        except OverflowError:
            return None
        return replacement(texts[0].decode(), texts[1].decode()) if texts is not None else None


class FixWritable:
    """
    Implements ``text.Writable`` for texts by file name. Above the limit, every fix counts as writable, because most fixes are.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = _FixedTexts(texts, MOST_COUNTED)

    def __call__(self, judged: ObjectReport, fix: FixReport) -> bool:
        """Whether the fix can be written without other changes."""
        try:
            return self._texts.apply(judged, fix) is not None
        except OverflowError:
            return True


def replacement(before: str, after: str) -> Replacement | None:
    """Returns the part that differs, extended to whole words, or None if the texts are equal."""
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
