"""
Finds positions in plain block YAML line by line, without PyYAML. The docstring of ``places`` explains why this module exists.

This module supports the few forms of lines that nearly all manifests consist of. For a line of another form, or in an
unexpected place, it raises ``UnclearError``, and ``composed_places`` finds the positions. The text is valid YAML, because the
reader has read it before. This module does no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from webhook.yaml import words
from webhook.yaml.text import Place, Places, Step

_LINE = re.compile(
    r"""
    ([ ]*)                                              # 1: indentation
    (-[ ]+)?                                            # 2: the dash of a list item
    (?:([A-Za-z_][A-Za-z0-9_./-]*):(?=[ ]|\Z))?         # 3: a key
    [ ]*
    (?:
        (                                               # 4: a value on one line
            (?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|[\-?:](?=[^\s,\[\]{}]))(?:[^\#]|(?<![ ])\#)*
          | "(?:[^"\\]|\\.)*"
          | '(?:[^']|'')*'
          | [\[{][^"'\#]*[\]}]
        )
      | ([|>][+-]?[ ]*)                                 # 5: the header of a block scalar
    )?
    [ ]*(?:(?<![^ ])\#.*)?
    """,
    re.VERBOSE,
)
_place = tuple.__new__  # half the time of Place(...), which every line needs
_ODD: Final = "[\x85\u2028\u2029\ufeff]"
_NOT_STRINGS: Final = words.NULLS.union(words.BOOLEANS)
"""Keys that YAML reads as values of other types, so that the name of the key differs from its text."""

_EMPTY, _VALUE, _FLOW, _BLOCK_SCALAR, _AWAITS, _UNCLEAR = range(6)
"""
Kinds of lines: empty, with a value, with a value in brackets, with a block scalar, with a key whose value follows, or of an
unknown form.
"""
Form: TypeAlias = tuple[int, int, int, str, int, int]
"""
The kind of the line, the column of the content, the length of the dash, the key, and the columns where the value starts and
ends.
"""
_UNKNOWN_FORM: Final[Form] = (_UNCLEAR, 0, 0, "", 0, 0)
_MAX_CACHED: Final = 1 << 14
_forms: dict[int, Form] = {}
"""A cache of forms by the hash of the line, because most lines of a repository occur in many files."""


class UnclearError(Exception):
    """The text contains YAML that this module does not support."""


class Flow(NamedTuple):
    """The first and last offset of a value in brackets or braces. ``composed_places`` finds the positions inside the value."""

    start: int
    end: int


class BlockPlaces:
    """Finds the positions in one document of plain block YAML. Raises UnclearError for other YAML."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        if "\t" in text or "\r" in text or not (text.isascii() or re.search(_ODD, text[base:end]) is None):
            raise UnclearError
        self._text = text
        self._composed: dict[Flow, Places] = {}
        self.root = _Lines(text, base, start, end).root

    def within(self, place: Place) -> Mapping[Step, Place]:
        """Returns the children of a mapping or list."""
        inside = place.inside
        if isinstance(inside, dict):
            return inside
        if isinstance(inside, Flow):
            if inside not in self._composed:
                from webhook.yaml.composed_places import composed_places  # noqa: PLC0415 - imports PyYAML

                self._composed[inside] = composed_places(self._text, inside.start, inside.start, inside.end)
            return self._composed[inside].within(self._composed[inside].root)
        for flow, places in self._composed.items():
            if flow.start <= place.start < flow.end:
                return places.within(place)
        return {}


class _Block:
    """An open mapping or list, with its children and with the last child, which the next lines can continue."""

    __slots__ = ("children", "column", "inside", "is_list", "name", "start")

    def __init__(self, column: int, is_list: bool) -> None:
        self.column = column
        self.is_list = is_list
        self.children: dict[Step, Place] = {}
        self.name: Step = ""
        self.start = -1
        self.inside: object = None


class _Lines:
    """Finds the positions in one pass over the lines of a document."""

    def __init__(self, text: str, base: int, start: int, end: int) -> None:
        root = _Block(start - base, text.startswith("- ", start))
        self._open = [root]
        self._value_end = 0
        """The offset at which the last value ended."""
        self._awaits = False
        """Whether the value of the last key follows on the next lines."""
        at = base
        lines = text[base:end].split("\n")
        number, count = 0, len(lines)
        while number < count:
            line = lines[number]
            number += 1
            kind, column, dash, key, value, value_end = _forms.get(hash(line)) or _cached_form(line)
            if kind == _EMPTY:
                at += len(line) + 1
                continue
            if kind == _UNCLEAR:
                raise UnclearError
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
            self._value_end = at + value_end
            if kind == _FLOW:
                block.inside = Flow(at + value, self._value_end)
            at += len(line) + 1
            if kind == _BLOCK_SCALAR:
                below = _text_below(lines, number, column + (dash if key else 0))
                for text_line in lines[number:below]:
                    if stripped := text_line.rstrip():
                        self._value_end = at + len(stripped)
                    at += len(text_line) + 1
                number = below
        for block in reversed(self._open):
            self._end(block)
        self.root = Place(start, self._value_end, root.children)

    def _end(self, block: _Block) -> None:
        """Adds the last child to the block after the child is complete."""
        if block.start >= 0:
            if block.name in block.children:
                raise UnclearError
            block.children[block.name] = _place(Place, (block.start, self._value_end, block.inside))  # pyrefly: ignore[bad-specialization]

    def _block(self, column: int, is_item: bool) -> _Block:
        """
        Returns the block of a line that starts in this column. Closes all blocks that end before this line, and opens a new
        block if necessary.
        """
        block = self._open[-1]
        while column < block.column or (column == block.column and block.is_list and not is_item):
            self._end(block)
            self._open.pop()
            self._awaits = False
            if not self._open:
                raise UnclearError
            block = self._open[-1]
        if column == block.column and is_item == block.is_list:
            self._end(block)
            return block
        if self._awaits and (is_item or column > block.column):
            return self._begin(column, is_list=is_item)
        raise UnclearError  # this line continues a scalar

    def _begin(self, column: int, *, is_list: bool) -> _Block:
        """Opens a mapping or list as the value of the last key or item."""
        block = _Block(column, is_list)
        self._open[-1].inside = block.children
        self._open.append(block)
        return block


def _cached_form(line: str) -> Form:
    """Returns the form of a line, and adds the form to the cache."""
    if len(_forms) > _MAX_CACHED:
        _forms.clear()
    form = _forms[hash(line)] = _form(line)
    return form


def _form(line: str) -> Form:
    match = _LINE.fullmatch(line)
    if match is None:
        return _UNKNOWN_FORM
    indent, dash, key, value, opens = match.groups()
    column, dash_length = len(indent), len(dash or "")
    if dash is None and key is None:
        return (_EMPTY, 0, 0, "", 0, 0) if value is None and opens is None else _UNKNOWN_FORM
    if key in _NOT_STRINGS:
        return _UNKNOWN_FORM
    if value is not None:
        return _with_value(value, match.start(4), column, dash_length, key or "")
    if opens is not None:
        has_no_comment = match.end(5) == len(line)
        return (_BLOCK_SCALAR, column, dash_length, key or "", 0, match.end(5)) if has_no_comment else _UNKNOWN_FORM
    return (_AWAITS, column, dash_length, key, 0, match.end(3) + 1) if key is not None else _UNKNOWN_FORM


def _with_value(value: str, start: int, column: int, dash: int, key: str) -> Form:
    kind = _VALUE
    if value[0] in "[{":
        if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
            return _UNKNOWN_FORM
        kind = _FLOW if len(value) > 2 else _VALUE
    elif value[0] not in "\"'":
        value = value.rstrip(" ")
        if ": " in value or value[-1] == ":" or value[-1].isspace():
            return _UNKNOWN_FORM
    return kind, column, dash, key, start, start + len(value)


def _text_below(lines: Sequence[str], number: int, outer: int) -> int:
    """
    Returns the number of the line after a block scalar. The scalar starts in line ``number``, in a block at column ``outer``.
    """
    inner, has_begun = outer + 1, False  # the first line and the empty lines before it set the indentation
    for at in range(number, len(lines)):
        content = lines[at].lstrip(" ")
        indent = len(lines[at]) - len(content)
        if not has_begun:
            inner, has_begun = max(inner, indent), bool(content)
        if content and indent < inner:
            return at
    return len(lines)
