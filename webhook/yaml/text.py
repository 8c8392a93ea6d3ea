"""
Defines the text of a source, with lines and columns, the limits of its size, and the types of values, paths and places.

Lines are counted on demand, because most documents have no finding. This module does no I/O.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.objects.path import dotted

Step: TypeAlias = str | int
Path: TypeAlias = Sequence[Step]
JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"

#: The remedy for a template that was passed instead of a manifest.
RENDER: Final = "Render the chart first: helm template ... | migratable check -f -"

MAX_DEPTH: Final = 512
MAX_NODES: Final = 1_000_000

_LONE_RETURN: Final = r"\r(?!\n)"
_CHUNK: Final = 1 << 16
_LONGEST_PATH: Final = 32
"""Maximum number of steps of a path in a message."""


class Mark(msgspec.Struct, frozen=True):
    """A line and column as editors count them, from 1 and in characters."""

    line: int
    column: int


class Parsed(msgspec.Struct, frozen=True):
    """
    A document with its value, its number in the stream, the offset of its first character, and the offset after its last
    character.
    """

    value: JsonValue
    number: int
    start: int
    end: int


class Text:
    """The text of one source. Lines end at LF, CRLF or CR, as in editors."""

    __slots__ = ("_lines", "_lines_before_chunk", "source", "text")

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self._lines = ""  # The text with LF at the end of every line, at the same offsets.
        # Counts per chunk, because a list of all lines could take more memory than the text.
        self._lines_before_chunk = [0]

    def mark(self, offset: int) -> Mark:
        """Returns the position of a character offset."""
        if not self._lines:
            self._lines = re.sub(_LONE_RETURN, "\n", self.text) if "\r" in self.text else self.text
        chunk, counts = offset // _CHUNK, self._lines_before_chunk
        for begin in range((len(counts) - 1) * _CHUNK, chunk * _CHUNK, _CHUNK):
            counts.append(counts[-1] + self._lines.count("\n", begin, begin + _CHUNK))
        line = counts[chunk] + self._lines.count("\n", chunk * _CHUNK, offset) + 1
        return Mark(line, offset - self._lines.rfind("\n", 0, offset))

    def error(
        self, message: str, remedy: str, offset: int | None = None, *, document: int | None = None, path: Path = ()
    ) -> BadInput:
        """Returns an error with the position of ``offset``. The caller raises this error."""
        mark = None if offset is None else self.mark(offset)
        return BadInput(
            message,
            remedy=remedy,
            source=self.source,
            document=document,
            line=mark.line if mark else None,
            column=mark.column if mark else None,
            path=dotted(tuple(path[:_LONGEST_PATH])),
        )


class Place(Protocol):
    """The place of a key with its value, or of a list item."""

    start: int

    @property
    def end(self) -> int:
        """The offset after the value."""

    def child(self, step: Step, /) -> "Place | None":
        """Returns the place of a member of a mapping or list. Returns None for an absent member, and for a scalar."""
