"""
Reads the items of a JSON List from a stream, one item at a time.

A List of 20,000 pods has 100 to 300 MB, so neither its text nor its values are kept in memory. The stream can contain several
JSON values. Each item is returned as text, and the caller decodes it. This module opens no file.
"""

import re
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from webhook.errors import BadInput
from webhook.objects.json_depth import decode

CHUNK: Final = 1 << 20
MOST_BYTES: Final = 64 * 2**20
"""The maximum size of one item, and of the fields of a List beside its items."""
_MOST_GUESSES: Final = 64

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)
"""A string, a bracket, or the quote of a string whose end was not read yet."""
_PLAIN = re.compile(rb"[^\s,\]}]+")
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*"[^"\\]*"')
_anything: "msgspec.json.Decoder[msgspec.Raw]" = msgspec.json.Decoder(msgspec.Raw)
_header: "msgspec.json.Decoder[dict[str, msgspec.Raw]]" = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Source(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes:
        """Returns at most ``size`` bytes, and no bytes at the end."""
        ...


class Header(msgspec.Struct, frozen=True):
    """The fields of a List beside its items. Fields after the items are known only at the end of the List."""

    api_version: str = ""
    kind: str = ""
    is_partial: bool = False
    """Whether the API server has more items (``metadata.continue``)."""


class Item(msgspec.Struct, frozen=True):
    """An item of a List, or an object that is no List."""

    text: bytes
    document: int
    """The number of the JSON value in the stream, from 0."""
    index: int | None
    """The number of the item in the List, from 0. None for an object that is no List."""
    lines_before: int
    header: Header
    """The fields of the List before the items."""


class End(msgspec.Struct, frozen=True):
    """The end of a List."""

    header: Header


class JsonItems:
    """The items in a stream that begins with ``{``. Iteration raises BadInput for text that is not JSON."""

    def __init__(self, source: Source, name: str, begin: bytes = b"") -> None:
        """``name`` is the name of the stream in errors. ``begin`` is text that was read from the stream before."""
        self._source = source
        self._name = name
        self._text = begin
        self._at = 0
        self._lines = 0
        self._document = 0
        self._is_at_end = False
        self._between = b""
        """The text from the end of an item to the first key of the next item."""

    def __iter__(self) -> Iterator[Item | End]:
        while self._skip():
            yield from self._value()
            self._document += 1

    def _value(self) -> Iterator[Item | End]:
        """The items of one JSON value, or the value itself."""
        fields = b"{"
        start_line = self._lines
        self._expect(b"{")
        while self._next() != b"}":
            fields += b"\n" * (self._lines - start_line - fields.count(b"\n"))
            key, value = self._key(), self._next()
            if key == b'"items"' and value == b"[":
                yield from self._items(_header_of(self._checked(fields)))
                fields += b'"items":[],'
            else:
                fields += key + b":" + self._take(self._end_of_value()) + b","
                if len(fields) > MOST_BYTES:
                    raise self._error("an object is larger than 64 MiB")
            self._after_member(b"}")
        self._expect(b"}")
        text = self._checked(fields)
        header = _header_of(text)
        if header.kind.endswith("List"):
            yield End(header)
        else:
            yield Item(text, self._document, None, start_line, Header())

    def _items(self, header: Header) -> Iterator[Item]:
        self._expect(b"[")
        index = 0
        while self._next() != b"]":
            line = self._lines
            yield Item(self._take(self._end_of_item()), self._document, index, line, header)
            index += 1
            self._after_member(b"]")
        self._expect(b"]")

    def _end_of_item(self) -> int:
        """
        The offset after the item at the current place.

        Most items of a List begin with the same key after the same spaces. So the text between the last items is searched, and
        the text before it is decoded. Only complete JSON decodes, so a wrong guess cannot end an item.
        """
        if self._between:
            begin, guesses = self._at, 0
            while guesses < _MOST_GUESSES:
                found = self._text.find(self._between, begin)
                if found < 0:
                    break
                if _is_json(self._text[self._at : found + 1]):
                    return found + 1
                begin, guesses = found + 1, guesses + 1
        end = self._end_of_value()
        self._learn(end)
        return end

    def _learn(self, end: int) -> None:
        """Remembers the text between the item that ends at ``end`` and the first key of the next item."""
        comma = _match(_SPACE, self._text, end)
        start = _match(_SPACE, self._text, comma + 1)
        first = _FIRST_KEY.match(self._text, start)
        if self._text[comma : comma + 1] == b"," and first is not None:
            self._between = self._text[end - 1 : first.end()]

    def _end_of_value(self) -> int:
        """The offset after the JSON value at the current place. Reads on until the value is complete."""
        depth, at = 0, self._at
        while True:
            if depth == 0 and self._text[at : at + 1] not in (b"{", b"["):
                return self._end_of_scalar(at)
            for token in _TOKEN.finditer(self._text, at):
                found = token[0]
                if found == b'"':
                    break
                depth += 1 if found in b"{[" else -1 if found in b"}]" else 0
                at = token.end()
                if depth == 0:
                    return at
            consumed = at - self._at
            self._more("a value is larger than 64 MiB")
            at = self._at + consumed

    def _end_of_scalar(self, at: int) -> int:
        pattern = _STRING if self._text[at : at + 1] == b'"' else _PLAIN
        while True:
            found = pattern.match(self._text, self._at)
            if found is not None and (found.end() < len(self._text) or self._is_at_end):
                return found.end()
            self._more("a value is larger than 64 MiB")

    def _key(self) -> bytes:
        if self._next() != b'"':
            raise self._error("the name of a field is missing")
        key = self._take(self._end_of_scalar(self._at))
        if self._next() != b":":
            raise self._error("':' is missing after the name of a field")
        self._expect(b":")
        return key

    def _after_member(self, closing: bytes) -> None:
        found = self._next()
        if found == b",":
            self._expect(b",")
            if self._next() != closing:
                return
        elif found == closing:
            return
        raise self._error(f"',' or '{closing.decode()}' is missing")

    def _next(self) -> bytes:
        """The next byte that is not a space. Reads on if necessary."""
        if not self._skip():
            raise self._error("the text ends inside a value")
        return self._text[self._at : self._at + 1]

    def _skip(self) -> bool:
        """Skips spaces. Returns False at the end of the stream."""
        while True:
            self._advance(_match(_SPACE, self._text, self._at))
            if self._at < len(self._text):
                return True
            if self._is_at_end:
                return False
            self._read()

    def _expect(self, byte: bytes) -> None:
        if self._text[self._at : self._at + 1] != byte:
            raise self._error(f"'{byte.decode()}' is missing")
        self._advance(self._at + 1)

    def _take(self, end: int) -> bytes:
        text = self._text[self._at : end]
        self._advance(end)
        return text

    def _advance(self, end: int) -> None:
        self._lines += self._text.count(b"\n", self._at, end)
        self._at = end

    def _more(self, too_large: str) -> None:
        """Reads on inside a value."""
        if self._is_at_end:
            raise self._error("the text ends inside a value")
        if len(self._text) - self._at > MOST_BYTES:
            raise self._error(too_large)
        self._read()

    def _read(self) -> None:
        more = self._source.read(max(CHUNK, len(self._text) - self._at))
        self._is_at_end = not more
        if more:
            self._text, self._at = self._text[self._at :] + more, 0

    def _checked(self, fields: bytes) -> bytes:
        """The fields that were read so far, as an object."""
        text = fields.rstrip(b"\n").removesuffix(b",") + b"}"
        if not _is_json(text):
            raise self._error("invalid JSON")
        return text

    def _error(self, message: str) -> BadInput:
        remedy = "Write the objects again, for example with: kubectl get KIND -A -o json."
        return BadInput(
            f"not JSON: {message}", remedy=remedy, source=self._name, document=self._document, line=self._lines + 1
        )


def _match(pattern: "re.Pattern[bytes]", text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _is_json(text: bytes) -> bool:
    try:
        decode(_anything, text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _header_of(text: bytes) -> Header:
    fields = decode(_header, text)
    metadata = _parsed(fields.get("metadata"))
    api_version, kind = _parsed(fields.get("apiVersion")), _parsed(fields.get("kind"))
    return Header(
        api_version if isinstance(api_version, str) else "",
        kind if isinstance(kind, str) else "",
        isinstance(metadata, dict) and bool(metadata.get("continue")),
    )


def _parsed(raw: msgspec.Raw | None) -> object:
    return None if raw is None else decode(_values, raw)


_values: "msgspec.json.Decoder[object]" = msgspec.json.Decoder()
