"""
Reads a List in the form of ``kubectl get -o yaml`` from a stream, some items at a time.

In this form the items begin in the first column, so a List can be divided without parsing it. Each part is a List of its own.
This module opens no file.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from webhook.errors import BadInput
from webhook.manifests.json_items import CHUNK, MOST_BYTES, Source

HEAD: Final = b"apiVersion: v1\nitems:\n"
"""The first lines that kubectl writes."""
_ITEM: Final = b"- apiVersion: "
_END = re.compile(rb"^(?:[^ #\r\n-]|-(?! ))", re.MULTILINE)
"""The first line after the items. A comment, an empty line or a line of an item does not match."""
_SEPARATOR = re.compile(rb"^---[ \t]*\r?\n", re.MULTILINE)


class Part(msgspec.Struct, frozen=True):
    """A part of a stream that is YAML."""

    text: bytes
    lines_before: int
    """The number to add to a line in ``text`` for the line in the stream. It is negative for the first part."""


def begins_list(begin: bytes) -> bool:
    """Whether a stream that begins with these bytes can be divided."""
    return begin.startswith(HEAD + _ITEM)


class YamlItems:
    """The parts of a stream that begins with a List. Documents after the List are the last part."""

    def __init__(self, source: Source, name: str, begin: bytes, part_bytes: int = CHUNK // 2) -> None:
        """``name`` is the name of the stream in errors. ``begin`` is text that was read from the stream before."""
        self._source = source
        self._name = name
        self._text = begin
        self._lines = 0
        self._is_at_end = False
        self._part_bytes = part_bytes

    def __iter__(self) -> Iterator[Part]:
        while self._fills(len(HEAD + _ITEM)) and begins_list(self._text):
            self._drop(len(HEAD))
            yield from self._items()
            self._to_next_document()
        while self._read():
            pass
        if self._text.strip():
            yield Part(self._text, self._lines)

    def _items(self) -> Iterator[Part]:
        """The items of a List, up to the line after the last item."""
        while True:
            self._fills(self._part_bytes)
            end = _END.search(self._text)
            if end is not None and end.start() <= self._part_bytes:
                if end.start():
                    yield self._part(end.start())
                return
            last = self._text.rfind(b"\n" + _ITEM, 0, self._part_bytes)
            if last < 0:
                last = self._text.find(b"\n" + _ITEM)
            if end is not None and not 0 <= last < end.start():
                yield self._part(end.start())
                return
            if last >= 0:
                yield self._part(last + 1)
            elif self._is_at_end:
                yield self._part(len(self._text))
                return
            else:
                self._grow()

    def _part(self, size: int) -> Part:
        part = Part(HEAD + self._text[:size] + b"kind: List\n", self._lines - HEAD.count(b"\n"))
        self._drop(size)
        return part

    def _to_next_document(self) -> None:
        """Drops the fields after the items, and a separator."""
        while (separator := _SEPARATOR.search(self._text)) is None:
            if self._is_at_end:
                self._drop(len(self._text))
                return
            self._grow()
        self._drop(separator.end())

    def _fills(self, size: int) -> bool:
        """Reads until ``size`` bytes are known, and the first bytes of the last line. Returns False if nothing is left."""
        while len(self._text) < size or self._text.endswith((b"\n", b"\n-")):
            if not self._read():
                break
        return bool(self._text)

    def _grow(self) -> None:
        if len(self._text) > MOST_BYTES:
            raise BadInput(
                "an object is larger than 64 MiB",
                remedy="Write the objects again, for example with: kubectl get KIND -A -o json.",
                source=self._name,
                line=self._lines + 1,
            )
        self._part_bytes = max(self._part_bytes, len(self._text))
        self._read()

    def _read(self) -> bool:
        more = self._source.read(CHUNK)
        self._is_at_end = not more
        self._text += more
        return bool(more)

    def _drop(self, size: int) -> None:
        self._lines += self._text.count(b"\n", 0, size)
        self._text = self._text[size:]
