"""
Where a value stands in its text: lines, columns, and the way from a path to them.

Nothing here is built before someone asks: most documents have no finding. This file does no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

import msgspec

from webhook.errors import BadInput

Step: TypeAlias = str | int
Path: TypeAlias = Sequence[Step]
JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"

#: What to do about a template that was given instead of a manifest.
RENDER: Final = "Render the chart first: helm template ... | migratable check -f -"

_LONE_RETURN = re.compile(r"\r(?!\n)")
_CHUNK: Final = 1 << 16
_LONGEST_SHOWN: Final = 60
_DEEPEST_SPELT: Final = 32


def shown(word: str) -> str:
    """A name from the input, quoted, escaped and cut, fit for a message."""
    return ascii(word if len(word) <= _LONGEST_SHOWN else word[: _LONGEST_SHOWN - 3] + "...")


def spelt(path: Path) -> str:
    """A path as Kubernetes spells it: ``spec.volumes[0]``, ``metadata.labels[app.kubernetes.io/name]``."""
    parts: list[str] = []
    for step in path[:_DEEPEST_SPELT]:
        if isinstance(step, int) or not step.isidentifier():
            parts.append(f"[{step}]")
        else:
            parts.append(f".{step}")
    return "".join(parts).removeprefix(".")


class Mark(msgspec.Struct, frozen=True):
    """A position as editors count it: from 1, the column in characters."""

    line: int
    column: int


class Text:
    """The text of one source; lines end at LF, CRLF or CR, as they do for editors."""

    __slots__ = ("_counted", "_lines", "source", "text")

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self._lines = ""  # the text with every line ended by LF, at the same offsets
        self._counted = [0]  # line ends before each chunk: a list of all lines could outweigh the text many times

    def mark(self, offset: int) -> Mark:
        """The position of a character offset."""
        if not self._lines:
            self._lines = _LONE_RETURN.sub("\n", self.text)
        chunk = offset // _CHUNK
        for begin in range((len(self._counted) - 1) * _CHUNK, chunk * _CHUNK, _CHUNK):
            self._counted.append(self._counted[-1] + self._lines.count("\n", begin, begin + _CHUNK))
        line = self._counted[chunk] + self._lines.count("\n", chunk * _CHUNK, offset) + 1
        return Mark(line, offset - self._lines.rfind("\n", 0, offset))

    def refuse(
        self, message: str, remedy: str, offset: int | None = None, *, document: int | None = None, path: Path = ()
    ) -> BadInput:
        """The error to raise for what stands at ``offset``."""
        mark = None if offset is None else self.mark(offset)
        return BadInput(
            message,
            remedy=remedy,
            source=self.source,
            document=document,
            line=mark.line if mark else None,
            column=mark.column if mark else None,
            path=spelt(path),
        )


class Place(NamedTuple):
    """A key with its value, or a list item: first and last offset, and where to look further inside."""

    start: int
    end: int
    inside: object


class Places(Protocol):
    """What a document's positions are asked."""

    root: Place

    def within(self, place: Place, /) -> Mapping[Step, Place]:
        """The children of a mapping or list, by key or index; nothing for a scalar."""


class OnePlace:
    """All that is known of a text in which nothing can be looked for."""

    def __init__(self, start: int, end: int) -> None:
        self.root = Place(start, end, None)

    def within(self, _place: Place) -> Mapping[Step, Place]:
        """Nothing."""
        return {}
