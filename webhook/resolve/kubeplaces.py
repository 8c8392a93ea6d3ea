"""
Where a value stands in its text: lines, columns, and the way from a path to them.

Nothing here is built before someone asks: most documents have no finding. This file does no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in name, not in the stubs
from typing import Final, NamedTuple, Protocol, TypeAlias, cast

import msgspec

from webhook.errors import BadInput

Step: TypeAlias = str | int
Path: TypeAlias = Sequence[Step]

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

    def within(self, place: Place) -> Mapping[Step, Place]:
        """The children of a mapping or list, by key or index; nothing for a scalar."""


class OnePlace:
    """All that is known of a text in which nothing can be looked for."""

    def __init__(self, start: int, end: int) -> None:
        self.root = Place(start, end, None)

    def within(self, _place: Place) -> Mapping[Step, Place]:
        """Nothing."""
        return {}


_SPACE = re.compile(r"[ \t\r\n]*")


class JsonPlaces:
    """Positions in one JSON value; a container's children are found when it is asked for, at the C decoder's speed."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._decode = JSONDecoder(parse_int=float).raw_decode
        self._known: dict[int, dict[Step, Place]] = {}
        self.root = Place(start, self._decode(text, start)[1], start)

    def within(self, place: Place) -> Mapping[Step, Place]:
        """The children of an object or array."""
        start = cast("int", place.inside)
        if start not in self._known:
            self._known[start] = self._children(start)
        return self._known[start]

    def _children(self, start: int) -> dict[Step, Place]:
        children: dict[Step, Place] = {}
        if (opening := self._text[start]) not in "{[":
            return children
        offset = self._skip(start + 1)
        while self._text[offset] not in "}]":
            name: Step = len(children)
            value = offset
            if opening == "{":
                name, value = scanstring(self._text, offset + 1, True)
                value = self._skip(self._skip(value) + 1)  # behind the colon
            end = self._decode(self._text, value)[1]
            children[name] = Place(offset, end, value)
            offset = self._skip(end)
            if self._text[offset] == ",":
                offset = self._skip(offset + 1)
        return children

    def _skip(self, offset: int) -> int:
        space = _SPACE.match(self._text, offset)
        return space.end() if space else offset
