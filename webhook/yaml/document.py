"""
Manifests, YAML or JSON, as kubectl and the API server read them, strictly and with positions.

A value here is the value Kubernetes would see (``sigs.k8s.io/yaml``), or there is a ``BadInput`` that names the line.
Bombs, unknown tags, duplicate keys and whatever kubectl would pass over in silence are refused. This file does no I/O.
"""

from typing import TYPE_CHECKING, Final

from webhook.errors import BadInput
from webhook.yaml.fast_reader import read_fast
from webhook.yaml.text import JsonValue, Mark, Path, Place, Places, Text

if TYPE_CHECKING:
    from json import JSONDecodeError

__all__ = ["MAX_BYTES", "MAX_DOCUMENTS", "Document", "JsonValue", "Mark", "read_documents"]

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_DOCUMENTS: Final = 50_000

_BOM: Final = b"\xef\xbb\xbf"


class Document:
    """One YAML document or JSON value. Parts that share an anchor are the same object: treat the value as read-only."""

    __slots__ = ("_end", "_json", "_places", "_start", "_text", "index", "value")

    def __init__(self, value: JsonValue, index: int, text: Text, start: int, end: int, *, json: bool) -> None:
        self.value = value
        self.index = index
        self._text = text
        self._start = start
        self._end = end
        self._json = json
        self._places: Places | None = None

    @property
    def source(self) -> str:
        """Where the document was read from, in the caller's words."""
        return self._text.source

    @property
    def line(self) -> int:
        """The line on which the content begins, behind comments."""
        return self._text.mark(self._start).line

    @property
    def extent(self) -> tuple[int, int]:
        """Where the content begins and the document ends, in characters of the source behind any byte order mark."""
        return self._start, len(self._text.text) if self._json else self._end

    @property
    def is_json(self) -> bool:
        """Whether it was read as JSON."""
        return self._json

    def mark(self, path: Path) -> Mark:
        """
        Where the key or list item at ``path`` begins; of a path that is not there, its nearest ancestor.

        What an alias repeats stands at its anchor.
        """
        return self._text.mark(self._find(path).start)

    def span(self, path: Path) -> tuple[Mark, Mark]:
        """Where the key or list item at ``path`` begins, and where its value ends (the column behind the last)."""
        place = self._find(path)
        return self._text.mark(place.start), self._text.mark(place.end)

    def _find(self, path: Path) -> Place:
        if self._places is None:
            self._places = self._locate()
        place = self._places.root
        for step in path:
            child = self._places.within(place).get(step)
            if child is None:
                break
            place = child
        return place

    def _locate(self) -> Places:
        if self._json:
            from webhook.yaml.json_places import JsonPlaces  # noqa: PLC0415 - as below

            return JsonPlaces(self._text.text, self._start)
        from webhook.yaml.block_places import yaml_places  # noqa: PLC0415 - without findings nobody needs it

        return yaml_places(self._text.text, self._start, self._end)


def read_documents(content: bytes, source: str) -> list[Document]:
    """
    Every document of ``content`` that is not empty, in order; its ``index`` counts the empty ones too.

    ``source`` is only repeated in errors. Raises ``BadInput``, and nothing else, whatever the bytes.
    """
    text = Text(_decode(content, source), source)
    not_json: JSONDecodeError | None = None
    if text.text.lstrip(" \t\r\n").startswith(("{", "[")):  # YAML's flow style begins so too
        from webhook.yaml.json_reader import read_json  # noqa: PLC0415 - most runs do not need it

        values = read_json(text, MAX_DOCUMENTS)
        if isinstance(values, list):
            return [
                Document(value, index, text, start, start, json=True) for index, (value, start) in enumerate(values)
            ]
        not_json = values
    found = read_fast(text.text, MAX_DOCUMENTS)
    if found is None:
        from webhook.yaml.reader import read_carefully  # noqa: PLC0415 - most runs do not need it, nor PyYAML

        found = read_carefully(text, MAX_DOCUMENTS, not_json)
    return [Document(each.value, each.number, text, each.start, each.end, json=False) for each in found]


def _decode(content: bytes, source: str) -> str:
    if len(content) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES // 2**20} MiB", remedy="Split the file.", source=source)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput("this is UTF-16", remedy="Save the file as UTF-8.", source=source)
    content = content.removeprefix(_BOM)
    nul = content.find(b"\0")
    if nul >= 0:
        remedy = "Give a manifest: YAML or JSON, saved as UTF-8."
        message = "this is a binary file, or UTF-16"
        raise Text(content[:nul].decode(errors="replace"), source).refuse(message, remedy, nul)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        remedy = "Save the file as UTF-8."
        raise Text(before, source).refuse(
            f"byte 0x{content[error.start]:02x} is not UTF-8", remedy, len(before)
        ) from None
