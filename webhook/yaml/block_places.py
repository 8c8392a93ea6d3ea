"""
Finds positions in block YAML from its lines and its value, without PyYAML. The docstring of ``places`` explains why this module
exists.

The members of a mapping or list have the same order in its value as in the text, and each begins at the same column. So the place
of a member is the place of the line with its number among the lines that begin at this column: all other lines of the mapping or
list are indented more, are comments, or are empty.

For other YAML it raises ``UnclearError``, and ``composed_places`` finds the positions. This module does no I/O.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from webhook.yaml.block_reader import Collection, is_odd, read_block
from webhook.yaml.line_forms import (
    AWAITS,
    BLOCK_SCALAR,
    COMMENT,
    FLOW,
    OPEN,
    PLAIN,
    QUOTED,
    TYPED,
    Form,
    form_of,
    indentation,
)
from webhook.yaml.text import JsonValue, Place, Places, Step
from webhook.yaml.texts import UnclearError, end_of_value, plain_lines, quoted_lines

__all__ = ["BlockPlaces", "UnclearError"]

_CONTENT: Final = re.compile(r"\n([ ]*)(?=[^ \n#])")
"""Matches the begin of the next line that is not empty and not a comment."""
_TEXT: Final = re.compile(r"\n([ ]*)(?=[^ \n])")
"""Matches the begin of the next line that is not empty."""


class Flow(msgspec.Struct, frozen=True):
    """The first and last offset of a value in brackets or braces. ``composed_places`` finds the positions inside the value."""

    start: int
    end: int


class Block(msgspec.Struct, frozen=True):
    """A mapping or list in block style: its value, the offset of its first key or dash, and the column of them, from 0."""

    value: Collection
    offset: int
    column: int


class BlockPlaces:
    """
    Finds the positions in one document of block YAML. Raises UnclearError for other YAML.

    ``value`` is the value that ``block_reader`` has read, or None for a document that another reader has read.
    """

    def __init__(self, text: str, base: int, start: int, end: int, value: JsonValue = None) -> None:
        if value is None and not is_odd(text[base:end]):
            value = read_block(text[base:end].split("\n"))
        if not isinstance(value, dict | list):
            raise UnclearError
        self._text = text
        self._end = end
        self._composed: dict[Flow, Places] = {}
        self._offsets: dict[tuple[int, int], tuple[list[int], Iterator[re.Match[str]]]] = {}
        """The offsets of the first members of a mapping or list, and the lines of the others, by its own offset and column."""
        self._root = Block(value, start, start - base)

    @property
    def root(self) -> Place:
        """The place of the document. As an attribute, it would be part of a reference cycle, which keeps the text in memory."""
        return Place(self._root.offset, lambda: self._end_of(self._root), self._root)

    def child(self, place: Place, step: Step) -> Place | None:
        """Returns the member of a mapping or list, or None if it is absent."""
        inside = place.inside
        if isinstance(inside, Block):
            value = inside.value
            if isinstance(value, dict):
                return self._member(inside, value[step], [*value].index(step)) if step in value else None
            if not isinstance(step, int) or not 0 <= step < len(value):
                return None
            return self._member(inside, value[step], step)
        if isinstance(inside, Flow):
            if inside not in self._composed:
                from webhook.yaml.composed_places import composed_places  # noqa: PLC0415 - imports PyYAML

                self._composed[inside] = composed_places(self._text, inside.start, inside.start, inside.end)
            return self._composed[inside].child(self._composed[inside].root, step)
        around = (places for flow, places in self._composed.items() if flow.start <= place.start < flow.end)
        return next((places.child(place, step) for places in around), None)

    def _member(self, block: Block, value: JsonValue, number: int) -> Place:
        """Returns the place of member ``number`` of a mapping or list."""
        offset = self._offset(block, number)
        begin, line = self._line(block, offset)
        form = form_of(line)
        start = offset + form.dash if isinstance(block.value, list) else offset
        if form.kind == AWAITS and form.key is None:
            start = self._below(block, offset)
        inner = self._inner(block, value, offset, form)
        if inner is not None:
            return Place(start, lambda: self._end_of(inner), inner)
        if form.kind == FLOW and isinstance(value, dict | list):
            end = self._end_of_scalar(block, begin, line)
            return Place(start, end, Flow(begin + form.start, end))
        return Place(start, lambda: self._end_of_scalar(block, begin, line), None)

    def _below(self, block: Block, offset: int) -> int:
        """Returns the offset of the value of a dash that is alone on its line."""
        content = _CONTENT.search(self._text, offset, self._end)
        return offset + 1 if content is None or len(content[1]) <= block.column else content.end()

    def _offset(self, block: Block, number: int) -> int:
        """Returns the offset of the key or dash of a member."""
        if not number:
            return block.offset
        found = self._offsets.get((block.offset, block.column))
        if found is None:
            lines = _lines_at(block.column, is_list=isinstance(block.value, list))
            found = [block.offset], lines.finditer(self._text, block.offset, self._end)
            self._offsets[block.offset, block.column] = found
        offsets, others = found
        while len(offsets) <= number:
            offsets.append(next(others).end())
        return offsets[number]

    def _line(self, block: Block, offset: int) -> tuple[int, str]:
        """Returns the offset of the begin of the line with a member, and the line."""
        begin = offset - block.column
        end = self._text.find("\n", offset, self._end)
        return begin, self._text[begin : end if end >= 0 else self._end]

    def _inner(self, block: Block, value: JsonValue, offset: int, form: Form) -> Block | None:
        """Returns the mapping or list in block style that a member is, or None if the member is another value."""
        if not isinstance(value, dict | list):
            return None
        if isinstance(block.value, list) and form.key is not None:  # the first key is on the line of the dash
            return Block(value, offset + form.dash, block.column + form.dash)
        if form.kind != AWAITS:
            return None
        content = _CONTENT.search(self._text, offset, self._end)
        if content is None:
            raise UnclearError
        return Block(value, content.end(), len(content[1]))

    def _end_of(self, block: Block) -> int:
        """Returns the offset after the last member of a mapping or list."""
        while True:
            value = block.value
            last = value[next(reversed(value))] if isinstance(value, dict) else value[-1]
            offset = self._offset(block, len(value) - 1)
            begin, line = self._line(block, offset)
            inner = self._inner(block, last, offset, form_of(line))
            if inner is None:
                return self._end_of_scalar(block, begin, line)
            block = inner

    def _end_of_scalar(self, block: Block, begin: int, line: str) -> int:
        """
        Returns the offset after a member that is not a mapping or list in block style. Its key or dash is in ``line``, at
        ``begin``.
        """
        form, lines, last = form_of(line), [line], 0
        if form.kind == BLOCK_SCALAR:
            return begin + len(self._text[begin : self._after_block_scalar(begin + len(line))].rstrip())
        content = _CONTENT.search(self._text, begin + len(line), self._end)
        if form.kind == OPEN or (content is not None and len(content[1]) > block.column):
            value = begin + len(line)
            if form.kind != OPEN and content is not None:
                value = content.end()  # after comments, which can be indented less
            lines = self._text[begin : self._less_indented(block.column + 1, value)].split("\n")
            last = _last_line(lines, block.column)
        elif form.kind == AWAITS and form.key is None:  # a dash without a value
            return begin + block.column + 1
        while not lines[last].strip():
            last -= 1
        offset = begin + sum(len(before) + 1 for before in lines[:last])
        return offset + len(lines[last][: end_of_value(lines, 0, last)].rstrip())

    def _after_block_scalar(self, header: int) -> int:
        """Returns the offset after a block scalar. ``header`` is the offset after the line with its header."""
        first = _TEXT.search(self._text, header, self._end)
        return self._less_indented(len(first[1]), first.end()) if first is not None else self._end

    def _less_indented(self, indent: int, offset: int) -> int:
        """Returns the offset before the next line that is indented less than ``indent``, or the end of the document."""
        found = _less_indented(indent).search(self._text, offset, self._end)
        return found.start() if found is not None else self._end


@lru_cache(256)
def _lines_at(column: int, *, is_list: bool) -> re.Pattern[str]:
    """Matches the begin of a line with a key, or with a list item, at a column."""
    member = r"(?=-(?:[ \n]|\Z))" if is_list else r"(?=[^ \n\t#-]|-[^ \n])"
    return re.compile(rf"\n {{{column}}}{member}")


@lru_cache(256)
def _less_indented(indent: int) -> re.Pattern[str]:
    """Matches the begin of a line that is indented less than ``indent``."""
    return re.compile(rf"\n {{0,{indent - 1}}}(?=[^ \n])")


def _last_line(lines: list[str], column: int) -> int:
    """Returns the number of the last line of a scalar, whose key or dash is in line 0 of its mapping or list at ``column``."""
    form = form_of(lines[0])
    if form.kind == OPEN:
        return quoted_lines(lines, 1, form.start, column)[1] - 1
    plain_at, number = (0 if PLAIN <= form.kind <= TYPED else -1), 1
    if form.kind == AWAITS:
        while number < len(lines) and form_of(lines[number]).kind <= COMMENT:
            number += 1
        if number == len(lines) or indentation(lines[number]) <= column:
            return 0
        plain_at = number if form_of(lines[number]).kind != QUOTED else -1
        number += 1
    last = number - 1
    while plain_at >= 0 and number < len(lines) and not lines[number].strip(" "):
        number += 1
    if plain_at < 0 or number == len(lines) or form_of(lines[number]).kind == COMMENT:
        return last
    if len(lines[number]) - len(lines[number].lstrip(" ")) <= column:
        return last
    return plain_lines(lines, plain_at, number, column)[1] - 1
