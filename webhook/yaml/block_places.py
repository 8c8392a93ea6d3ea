"""
Positions in plain block YAML, line by line, without PyYAML, whose import takes as long as looking through a hundred files.

It knows the few forms of a line that nearly all manifests are made of. Wherever a line has another form, or does not stand
where such a line must stand, ``Unclear`` is raised, and the composing pass of ``composed`` says where things are. The text
has been read before: it is known to be YAML. A differential test holds the two equal. This file does no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from webhook.yaml.text import Place, Places, Step

_LINE = re.compile(
    r"""
    ([ ]*)                                              # 1: indentation
    (-[ ]+)?                                            # 2: the dash of a list item
    (?:([A-Za-z_][A-Za-z0-9_./-]*):(?=[ ]|\Z))?         # 3: a key
    [ ]*
    (?:
        (                                               # 4: a value that ends in its line
            (?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|[\-?:](?=[^\s,\[\]{}]))(?:[^\#]|(?<![ ])\#)*
          | "(?:[^"\\]|\\.)*"
          | '(?:[^']|'')*'
          | [\[{][^"'\#]*[\]}]
        )
      | ([|>][+-]?[ ]*)                                 # 5: what begins a block of text
    )?
    [ ]*(?:(?<![^ ])\#.*)?
    """,
    re.VERBOSE,
)
_place = tuple.__new__  # in half the time of Place(...), and there is one for each line
_ODD: Final = "[\x85\u2028\u2029\ufeff]"
_NO_NAMES: Final = frozenset(
    form(word)
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    for form in (str.lower, str.upper, str.capitalize)
)
"""Keys that are no text: they have other names."""


_EMPTY, _VALUE, _FLOW, _TEXT, _AWAITS, _UNCLEAR = range(6)
"""What stands in a line behind its dash and key: nothing at all, a value, one in brackets, the beginning of a block, nothing."""
Form: TypeAlias = tuple[int, int, int, str, int, int]
"""One of these; the column of the line; the length of its dash; its key; the columns where the value begins and ends."""
_NOT_SEEN_THROUGH: Final[Form] = (_UNCLEAR, 0, 0, "", 0, 0)
_MOST_REMEMBERED: Final = 1 << 14
_forms: dict[int, Form] = {}
"""By the hash of the line: most lines of a repository stand in many files."""


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
    from webhook.yaml.places import composed  # noqa: PLC0415 - most runs do not need it, nor PyYAML

    return composed(text, base, start, end)


class BlockPlaces:
    """Positions of one document of plain block YAML; raises Unclear where it is not one."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        if "\t" in text or "\r" in text or not (text.isascii() or re.search(_ODD, text[base:end]) is None):
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
            if inside not in self._composed:
                self._composed[inside] = _composed(self._text, inside.start, inside.start, inside.end)
            return self._composed[inside].within(self._composed[inside].root)
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
        lines = text[base:end].split("\n")
        number, count = 0, len(lines)
        while number < count:
            line = lines[number]
            number += 1
            kind, column, dash, key, value, value_end = _forms.get(hash(line)) or _remembered(line)
            if kind == _EMPTY:
                at += len(line) + 1
                continue
            if kind == _UNCLEAR:
                raise Unclear
            block = self._open[-1]
            if column != block.column or dash or block.is_list:
                block = self._block(column, dash > 0)
            elif block.start >= 0:
                self._end(block)
            if dash:
                block.name, block.start, block.inside = len(block.children), at + column + dash, None
                if key:
                    block = self._begin(column + dash, is_list=False)
            if key:
                block.name, block.start, block.inside = key, at + column + dash, None
            self._awaits = kind == _AWAITS
            self._behind = at + value_end
            if kind == _FLOW:
                block.inside = Flow(at + value, self._behind)
            at += len(line) + 1
            if kind == _TEXT:
                below = _text_below(lines, number, column + (dash if key else 0))
                for each in lines[number:below]:
                    if stripped := each.rstrip():
                        self._behind = at + len(stripped)
                    at += len(each) + 1
                number = below
        for block in reversed(self._open):
            self._end(block)
        self.root = Place(start, self._behind, root.children)

    def _end(self, block: _Block) -> None:
        """The last child of a block is complete."""
        if block.start >= 0:
            if block.name in block.children:
                raise Unclear
            block.children[block.name] = _place(Place, (block.start, self._behind, block.inside))  # pyrefly: ignore[bad-specialization]

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


def _remembered(line: str) -> Form:
    """The form of a line, which is looked at once."""
    if len(_forms) > _MOST_REMEMBERED:
        _forms.clear()
    form = _forms[hash(line)] = _form(line)
    return form


def _form(line: str) -> Form:
    found = _LINE.fullmatch(line)
    if found is None:
        return _NOT_SEEN_THROUGH
    indent, dash, key, value, opens = found.groups()
    column, behind_dash = len(indent), len(dash or "")
    if dash is None and key is None:
        return (_EMPTY, 0, 0, "", 0, 0) if value is None and opens is None else _NOT_SEEN_THROUGH
    if key in _NO_NAMES:
        return _NOT_SEEN_THROUGH
    if value is not None:
        return _with_value(value, found.start(4), column, behind_dash, key or "")
    if opens is not None:
        is_plain = found.end(5) == len(line)  # without a comment
        return (_TEXT, column, behind_dash, key or "", 0, found.end(5)) if is_plain else _NOT_SEEN_THROUGH
    return (_AWAITS, column, behind_dash, key, 0, found.end(3) + 1) if key is not None else _NOT_SEEN_THROUGH


def _with_value(value: str, start: int, column: int, dash: int, key: str) -> Form:
    kind = _VALUE
    if value[0] in "[{":
        if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
            return _NOT_SEEN_THROUGH
        kind = _FLOW if len(value) > 2 else _VALUE
    elif value[0] not in "\"'":
        value = value.rstrip(" ")
        if ": " in value or value[-1] == ":" or value[-1].isspace():
            return _NOT_SEEN_THROUGH
    return kind, column, dash, key, start, start + len(value)


def _text_below(lines: Sequence[str], number: int, outer: int) -> int:
    """The number of the line behind the block of text that begins in line ``number``, below what stands in ``outer``."""
    inner, has_begun = outer + 1, False  # the first line sets how deep the text stands, and empty ones before it
    for at in range(number, len(lines)):
        content = lines[at].lstrip(" ")
        indent = len(lines[at]) - len(content)
        if not has_begun:
            inner, has_begun = max(inner, indent), bool(content)
        if content and indent < inner:
            return at
    return len(lines)
