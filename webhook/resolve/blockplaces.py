"""
Positions in plain block YAML, line by line, without PyYAML, whose import takes as long as looking through a hundred files.

It knows the few forms of a line that nearly all manifests are made of. Wherever a line has another form, or does not stand
where such a line must stand, ``Unclear`` is raised, and the composing pass of ``composed`` says where things are. The text
has been read before: it is known to be YAML. A differential test holds the two equal. This file does no I/O.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from webhook.resolve.kubeplaces import Place, Places, Step

_LINE = re.compile(
    r"""
    ([ ]*)                                              # 1: indentation
    (-[ ]+)?                                            # 2: the dash of a list item
    (?:([A-Za-z_][A-Za-z0-9_./-]*):(?=[ \n]|\Z))?       # 3: a key
    [ ]*
    (?:
        (                                               # 4: a value that ends in its line
            (?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|[\-?:](?=[^\s,\[\]{}]))(?:[^\n\#]|(?<![ ])\#)*
          | "(?:[^"\\\n]|\\[^\n])*"
          | '(?:[^'\n]|'')*'
          | [\[{][^\n"'\#]*[\]}]
        )
      | ([|>][+-]?)                                     # 5: what begins a block of text
    )?
    [ ]*(?:(?<![^ \n])\#[^\n]*)?(?:\n|\Z)
    """,
    re.VERBOSE,
)
_place = tuple.__new__  # in half the time of Place(...), and there is one for each line
_TEXT_LINE = re.compile(r"( *)([^\n]*)\n?")
_ODD = re.compile("[\x85\u2028\u2029\ufeff]")
_NO_NAMES: Final = frozenset(
    form(word)
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    for form in (str.lower, str.upper, str.capitalize)
)
"""Keys that are no text: they have other names."""


class Unclear(Exception):
    """There is something in the text that is not looked through here."""


class Flow(NamedTuple):
    """A value in brackets or braces, which is not looked through here: its first and last offset."""

    start: int
    end: int


def yaml_places(text: str, start: int, end: int) -> Places:
    """Where everything stands in the document between two offsets."""
    base = text.rfind("\n", 0, start) + 1  # only LF ends a separator's line
    try:
        return BlockPlaces(text, base, start, end)
    except Unclear:
        return _composed(text, base, start, end)


def _composed(text: str, base: int, start: int, end: int) -> Places:
    from webhook.resolve.composed import composed  # noqa: PLC0415 - most runs do not need it, nor PyYAML

    return composed(text, base, start, end)


class BlockPlaces:
    """Positions of one document of plain block YAML; raises Unclear where it is not one."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        if "\t" in text or "\r" in text or not (text.isascii() or _ODD.search(text, base, end) is None):
            raise Unclear
        self._text = text
        self._composed: dict[Flow, Places] = {}
        self.root = _Lines(text, base, start, end).root

    def within(self, place: Place) -> Mapping[Step, Place]:
        """The children of a mapping or list; what is in brackets or braces is composed."""
        inside = place.inside
        if isinstance(inside, dict):
            return inside
        if isinstance(inside, Flow):
            places = self._composed[inside] = _composed(self._text, inside.start, inside.start, inside.end)
            return places.within(places.root)
        for flow, places in self._composed.items():
            if flow.start <= place.start < flow.end:
                return places.within(place)
        return {}


class _Block:
    """A mapping or list that more lines may belong to, and its last child, which the next lines belong to."""

    __slots__ = ("children", "column", "inside", "is_list", "name", "start")

    def __init__(self, column: int, is_list: bool) -> None:
        self.column = column
        self.is_list = is_list
        self.children: dict[Step, Place] = {}
        self.name: Step = ""
        self.start = -1
        self.inside: object = None


class _Lines:
    """One pass over the lines of a document."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        root = _Block(start - base, text.startswith("- ", start))
        self._open = [root]
        self._behind = 0
        """Where the last value ended."""
        self._awaits = False
        """Whether the last key has no value yet."""
        at = base
        match = _LINE.match
        while at < end:
            found = match(text, at, end)
            if found is None:
                raise Unclear
            indent, dash, key, value, opens = found.groups()
            if dash is None and key is None:
                if value is None and opens is None:
                    at = found.end()
                    continue  # empty, or a comment
                raise Unclear
            column = len(indent)
            block = self._open[-1]
            if column != block.column or dash is not None or block.is_list:
                block = self._block(column, dash is not None)
            elif block.start >= 0:
                self._end(block)
            start_of = at + column
            if dash is not None:
                start_of += len(dash)
                block.name, block.start, block.inside = len(block.children), start_of, None
                if key is not None:
                    block = self._begin(column + len(dash), is_list=False)
            if key is not None:
                if key in _NO_NAMES:
                    raise Unclear
                block.name, block.start, block.inside = key, start_of, None
            at = found.end()
            self._awaits = value is opens is None
            if value is not None:
                self._behind = self._value(found, value)
            elif opens is not None:
                self._behind, at = _behind_text(text, found, end)
            elif key is not None:
                self._behind = start_of + len(key) + 1
            else:
                raise Unclear
        for block in reversed(self._open):
            self._end(block)
        self.root = Place(start, self._behind, root.children)

    def _end(self, block: _Block) -> None:
        """The last child of a block is complete."""
        if block.start >= 0:
            if block.name in block.children:
                raise Unclear
            block.children[block.name] = _place(Place, (block.start, self._behind, block.inside))

    def _block(self, column: int, is_item: bool) -> _Block:
        """The block that a line belongs to which begins in this column, after what it ends and with what it begins."""
        block = self._open[-1]
        while column < block.column or (column == block.column and block.is_list and not is_item):
            self._end(block)
            self._open.pop()
            self._awaits = False
            if not self._open:
                raise Unclear
            block = self._open[-1]
        if column == block.column and is_item == block.is_list:
            self._end(block)
            return block
        if self._awaits and (is_item or column > block.column):
            return self._begin(column, is_list=is_item)
        raise Unclear  # a text that goes on in this line

    def _begin(self, column: int, *, is_list: bool) -> _Block:
        """A mapping or list that is the value of the last key or item."""
        block = _Block(column, is_list)
        self._open[-1].inside = block.children
        self._open.append(block)
        return block

    def _value(self, found: re.Match[str], value: str) -> int:
        """Where a value ends that ends in its line."""
        start = found.start(4)
        first = value[0]
        if first in "[{":
            if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
                raise Unclear
            self._open[-1].inside = Flow(start, start + len(value)) if len(value) > 2 else None
        elif first not in "\"'":
            value = value.rstrip(" ")
            if ": " in value or value[-1] == ":" or value[-1].isspace():
                raise Unclear
        return start + len(value)


def _behind_text(text: str, found: re.Match[str], end: int) -> tuple[int, int]:
    """Where a block of text ends, and where the line behind it begins."""
    behind, at = found.end(5), found.end()
    if "#" in text[behind:at]:
        raise Unclear
    outer = len(found[1]) + (len(found[2] or "") if found[3] is not None else 0)
    inner, has_begun = outer + 1, False  # the first line sets how deep the text stands, and empty ones before it
    while at < end:
        line = _TEXT_LINE.match(text, at, end)
        assert line is not None  # noqa: S101 - it takes any line
        indent, content = line.groups()
        if not has_begun:
            inner, has_begun = max(inner, len(indent)), bool(content)
        if content:
            if len(indent) < inner:
                break
            if stripped := content.rstrip():
                behind = line.start(2) + len(stripped)
        at = line.end()
    return behind, at
