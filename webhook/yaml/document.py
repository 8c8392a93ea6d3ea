"""
Reads YAML and JSON manifests as kubectl and the API server read them (``sigs.k8s.io/yaml``), with positions.

The result is the value that Kubernetes reads, or a ``BadInput`` that names the line. Alias bombs, unknown tags, duplicate keys
and text that kubectl silently ignores are errors. This module does no I/O.
"""

import re
from typing import TYPE_CHECKING, Final

from webhook.errors import BadInput
from webhook.yaml.block_reader import read_blocks
from webhook.yaml.text import JsonValue, Mark, Parsed, Path, Place, Text

if TYPE_CHECKING:
    from json import JSONDecodeError

__all__ = ["MAX_BYTES", "MAX_DOCUMENTS", "Document", "JsonValue", "Mark", "read_documents"]

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_DOCUMENTS: Final = 50_000

_BOM: Final = b"\xef\xbb\xbf"
_BOM_AFTER_SEPARATOR: Final = r"(?m)^(---[^\r\n]*)(\r?\n)\ufeff"


class Document:
    """One YAML document or JSON value. Treat the value as read-only, because aliases share one object with their anchor."""

    __slots__ = ("_end", "_is_block", "_place", "_start", "_text", "index", "is_json", "source", "value")

    def __init__(self, parsed: Parsed, text: Text, *, json: bool = False, is_block: bool = False) -> None:
        """
        If ``json``, the document was read as JSON. If ``is_block``, ``block_reader`` has read the value, so that positions need
        no second read.
        """
        self.value = parsed.value
        self.index = parsed.number
        self.source = text.source
        self._text = text
        self._start = parsed.start
        self._end = parsed.end
        self.is_json = json
        self._is_block = is_block
        self._place: Place | None = None

    @property
    def line(self) -> int:
        """The line where the content starts, after comments."""
        return self._text.mark(self._start).line

    @property
    def extent(self) -> tuple[int, int]:
        """The character offsets of the start of the content and the end of the document, without the byte order mark."""
        return self._start, self._end

    def mark(self, path: Path) -> Mark:
        """
        Returns the position of the key or list item at ``path``, or of its nearest ancestor if ``path`` is absent.

        A value that an alias repeats has the position of the anchor.
        """
        return self._text.mark(self._find(path).start)

    def span(self, path: Path) -> tuple[Mark, Mark]:
        """
        Returns the start of the key or list item at ``path``, and the end of its value (the column after the last character).
        """
        place = self._find(path)
        return self._text.mark(place.start), self._text.mark(place.end)

    def _find(self, path: Path) -> Place:
        if self._place is None:
            self._place = self._root()
        place = self._place
        for step in path:
            child = place.child(step)
            if child is None:
                break
            place = child
        return place

    def _root(self) -> Place:
        """Returns the place of the document. The imports are here because only documents with findings need them."""
        text, start = self._text.text, self._start
        if self.is_json:
            from webhook.yaml.json_places import JsonPlace  # noqa: PLC0415

            return JsonPlace(text, start, start)
        from webhook.yaml.block_places import block_place  # noqa: PLC0415
        from webhook.yaml.texts import UnclearError  # noqa: PLC0415

        base = text.rfind("\n", 0, start) + 1  # only an LF ends the line of a document separator
        try:
            return block_place(text, base, start, self._end, self.value if self._is_block else None)
        except UnclearError:
            from webhook.yaml.composed_places import composed_place  # noqa: PLC0415 - imports PyYAML

            return composed_place(text, base, start, self._end)


def read_documents(content: bytes, source: str, *, most_bytes: int = MAX_BYTES) -> list[Document]:
    """
    Returns the documents in ``content`` that are not empty. ``Document.index`` also counts empty documents.

    ``source`` is the name of the content in errors. Raises only ``BadInput``, for any bytes.
    """
    text = Text(_decode(content, source, most_bytes), source)
    not_json: JSONDecodeError | None = None
    if text.text.lstrip(" \t\r\n").startswith(("{", "[")):  # YAML in flow style can also start with these characters
        from webhook.yaml.json_reader import read_json  # noqa: PLC0415 - few runs read JSON

        values = read_json(text, MAX_DOCUMENTS)
        if isinstance(values, list):
            return [Document(part, text, json=True) for part in values]
        not_json = values
    parsed = read_blocks(text.text, MAX_DOCUMENTS)
    is_block = parsed is not None
    if parsed is None:
        from webhook.yaml.reader import read_exactly  # noqa: PLC0415 - imports PyYAML

        parsed = read_exactly(text, MAX_DOCUMENTS, not_json)
    return [Document(part, text, is_block=is_block) for part in parsed]


def move_inner_boms(text: str) -> str:
    """
    Removes byte order marks after separator lines. Adds a space to the end of each such separator line, so that offsets stay
    the same.

    kubectl splits a stream at separators before it parses YAML, so it ignores a byte order mark at the start of each part.
    """
    return re.sub(_BOM_AFTER_SEPARATOR, r"\1 \2", text) if "\ufeff" in text else text


def _decode(content: bytes, source: str, most_bytes: int) -> str:
    if len(content) > most_bytes:
        raise BadInput(f"the input is larger than {most_bytes // 2**20} MiB", remedy="Split the file.", source=source)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput("the input is UTF-16", remedy="Save the file as UTF-8.", source=source)
    content = content.removeprefix(_BOM)
    nul = content.find(b"\0")
    if nul >= 0:
        remedy = "Name a YAML or JSON manifest in UTF-8."
        message = "the input is a binary file or UTF-16"
        raise Text(content[:nul].decode(errors="replace"), source).error(message, remedy, nul)
    try:
        return move_inner_boms(content.decode())
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        remedy = "Save the file as UTF-8."
        raise Text(before, source).error(
            f"byte 0x{content[error.start]:02x} is not valid UTF-8", remedy, len(before)
        ) from None
