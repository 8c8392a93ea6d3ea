"""
Manifests, YAML or JSON, as kubectl and the API server read them, strictly and with positions.

A value here is the value Kubernetes would see (``sigs.k8s.io/yaml``), or there is a ``BadInput`` that names the line.
Bombs, unknown tags, duplicate keys and whatever kubectl would pass over in silence are refused. This file does no I/O.
"""

import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Final

import yaml

from webhook.errors import BadInput
from webhook.resolve.fastyaml import read_fast
from webhook.resolve.kubebuild import Builder
from webhook.resolve.kubejson import JsonValue, is_json, read_json
from webhook.resolve.kubeplaces import RENDER, JsonPlaces, Mark, Path, Place, Places, Text, YamlPlaces

__all__ = ["MAX_BYTES", "MAX_DOCUMENTS", "Document", "JsonValue", "Mark", "read_documents"]

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_DOCUMENTS: Final = 50_000

_BOM: Final = b"\xef\xbb\xbf"
# What YAML allows is far more: written as what it does not allow, the pattern is compiled in a tenth of the time.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# kubectl splits a stream at these lines before any YAML is read (apimachinery, YAMLReader.Read).
_BAD_SEPARATOR = re.compile(r"^---(?!(?:[ \t]+#[^\r\n]*|[ \t]*)\r?$)", re.MULTILINE)
# ... and of what it split, it reads the first document only: behind "..." all is passed over up to the next "---".
_END = re.compile(r"^\.\.\.[ \t]*(?:#.*)?\r?\n(?:(?:\.\.\.)?[ \t]*(?:#.*)?\r?\n)*+", re.MULTILINE)
# At the beginning of a line libyaml passes over it, and go-yaml takes it for a letter.
_INNER_BOM = re.compile("(?:^|[\r\x85\u2028\u2029])\ufeff", re.MULTILINE)
_MEANT_AS_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"\d])')

_REMEDIES: Final = (
    ("tab", "Indent with spaces; YAML takes no tabs there."),
    ("cannot start any token", "Indent with spaces, not tabs, and put quotes around a value that begins so."),
    ("mapping values are not allowed", "Put quotes around a value that holds ': ', or check the indentation."),
    ("expected ':'", "Write 'key: value', with a space behind the colon, or check the indentation."),
    ("unexpected end of stream", "Close the quotation mark."),
    ("expected ',' or", "Close the bracket or brace, or put the comma."),
    ("escape", "Double the backslash, or use single quotes, in which a backslash is itself."),
    ("directive", "Remove the line that begins with '%'."),
    ("", "Check the indentation here and in the line above."),
)


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
            try:
                self._places = self._locate()
            except (yaml.YAMLError, RecursionError):  # only without libyaml, and far below any Kubernetes object
                return Place(self._start, self._end, None)
        place = self._places.root
        for step in path:
            child = self._places.within(place).get(step)
            if child is None:
                break
            place = child
        return place

    def _locate(self) -> Places:
        if self._json:
            return JsonPlaces(self._text.text, self._start)
        return YamlPlaces(self._text.text, self._start, self._end)


def read_documents(content: bytes, source: str) -> list[Document]:
    """
    Every document of ``content`` that is not empty, in order; its ``index`` counts the empty ones too.

    ``source`` is only repeated in errors. Raises ``BadInput``, and nothing else, whatever the bytes.
    """
    text = Text(_decode(content, source), source)
    not_json: JSONDecodeError | None = None
    if is_json(text.text):
        try:
            values = read_json(text, MAX_DOCUMENTS)
            return [
                Document(value, index, text, start, start, json=True) for index, (value, start) in enumerate(values)
            ]
        except JSONDecodeError as error:
            not_json = error
    try:
        return list(_read_yaml(text))
    except yaml.YAMLError as error:
        if not_json is not None and _MEANT_AS_JSON.match(text.text):
            raise _not_json(text, not_json) from None
        raise _not_yaml(text, error) from None
    except (RecursionError, ValueError, OverflowError):  # the pure parser's; libyaml's are all YAMLError
        raise text.refuse(
            "this is not YAML that can be read", "Check it with: kubectl create --dry-run=client"
        ) from None


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


def _read_yaml(text: Text) -> Iterator[Document]:
    fast = read_fast(text.text, MAX_DOCUMENTS)
    if fast is None:
        yield from _read_carefully(text)
    else:
        for each in fast:
            yield Document(each.value, each.number, text, each.start, each.end, json=False)


def _read_carefully(text: Text) -> Iterator[Document]:
    separator = "---" in text.text and _BAD_SEPARATOR.search(text.text)
    if separator:
        raise text.refuse(
            "kubectl does not read what stands behind the document separator ---",
            "Leave '---' alone on its line; the document begins on the next.",
            separator.start(),
        )
    _check_ends(text)
    bom = "\ufeff" in text.text and _INNER_BOM.search(text.text)
    if bom:
        raise text.refuse("a byte order mark stands inside the file", "Remove the character U+FEFF.", bom.end() - 1)
    for index, (value, start, end) in enumerate(Builder(text).documents()):
        if index == MAX_DOCUMENTS:
            raise text.refuse(f"more than {MAX_DOCUMENTS:,} documents", "Split the file.", start)
        if value is not None:
            yield Document(value, index, text, start, end, json=False)


def _check_ends(text: Text) -> None:
    """Refuses text behind the end of a document."""
    end = _END.search(text.text) if "..." in text.text else None
    while end:
        behind = end.end()
        if behind < len(text.text) and not text.text.startswith("---", behind):
            raise text.refuse(
                "kubectl passes over what stands behind the end of a document (...)",
                "Put a line with '---' between two documents.",
                behind,
            )
        end = _END.search(text.text, behind)


def _not_yaml(text: Text, error: yaml.YAMLError) -> BadInput:
    if not isinstance(error, yaml.MarkedYAMLError):
        found = _UNPRINTABLE.search(text.text)
        message = "control characters and byte order marks are not YAML"
        return text.refuse(message, "Remove the character, or write it as an escape.", found.start() if found else None)
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "not understood"
    remedy = next(remedy for part, remedy in _REMEDIES if part in problem)
    offset = min(mark.index, len(text.text)) if mark else None
    if offset is not None and text.text.startswith("\\'", offset):  # go-yaml alone knows this one
        remedy = "Write ' without a backslash."
    line = f"line {text.mark(offset).line}" if offset is not None else "this"
    return text.refuse(f"{line} is not YAML: {problem}", RENDER if "{{" in text.text else remedy, offset)


def _not_json(text: Text, error: JSONDecodeError) -> BadInput:
    return text.refuse(
        f"line {text.mark(error.pos).line} is not JSON: {error.msg}",
        RENDER if "{{" in text.text else "Check commas, quotation marks and brackets up to here.",
        error.pos,
    )
