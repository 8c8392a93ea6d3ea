"""
Finds positions in block YAML from its lines and its value, without PyYAML.

The members of a mapping or list have the same order in its value as in the text, and each begins at the same column. So the place
of a member is the place of the line with its number among the lines that begin at this column: all other lines of the mapping or
list are indented more, are comments, or are empty.

``composed_places`` finds the positions in other YAML, from nodes that PyYAML composes. A differential test checks that both give
the same positions (``tests/yaml/test_block_places.py``). This module exists only for speed: nearly all manifests are plain block
YAML, and this module does not import PyYAML. Without it, ``migratable check`` takes more CPU time (3 KB a file, CPython 3.11,
median of 5 or 15 runs each):

=======================================  =========  ==================  ======
files                                    with       composed_places     more
=======================================  =========  ==================  ======
1 with findings                          0.064 s    0.077 s             20 %
1,000, of which 250 with findings        0.518 s    0.556 s             7 %
1,000, all with findings                 0.771 s    0.885 s             15 %
=======================================  =========  ==================  ======

This module does no I/O.
"""

import re
from functools import cached_property, lru_cache
from typing import Final, cast

from webhook.yaml.block_reader import Collection, is_odd, read_block
from webhook.yaml.line_forms import AWAITS, BLOCK_SCALAR, FLOW, OPEN, QUOTED, form_of
from webhook.yaml.text import JsonValue, Place, Step
from webhook.yaml.texts import UnclearError, block_scalar, plain_lines, quoted_lines

_CONTENT: Final = re.compile(r"\n([ ]*)(?=[^ \n#])")
"""Matches the begin of the next line that is not empty and not a comment."""


def block_place(text: str, base: int, start: int, end: int, value: JsonValue = None) -> Place:
    """
    Returns the place of a document of block YAML. Raises UnclearError for other YAML.

    ``base`` is the start of its first line. ``value`` is the value that ``block_reader`` has read, or None for a document that
    another reader has read.
    """
    if value is None and not is_odd(text[base:end]):
        value = read_block(text[base:end].split("\n"))
    if not isinstance(value, dict | list):
        raise UnclearError
    return _BlockPlace(text, end, start, value, start, start - base)


class _BlockPlace:
    """
    The place of a mapping or list in block style. ``offset`` is the offset of its first key or dash, and ``column`` the column of
    all of them, from 0. The document ends at ``limit``.
    """

    __slots__ = ("_children", "_column", "_limit", "_offsets", "_others", "_text", "_value", "start")

    def __init__(self, text: str, limit: int, start: int, value: Collection, offset: int, column: int) -> None:
        self.start = start
        self._text = text
        self._limit = limit
        self._value = value
        self._column = column
        self._offsets = [offset]
        """The offsets of the first members. ``_others`` finds the others."""
        self._others = _lines_at(column, is_list=isinstance(value, list)).finditer(text, offset, limit)
        self._children: dict[Step, Place] = {}

    @property
    def end(self) -> int:
        """The offset after the last member."""
        last = self.last()
        while isinstance(last, _BlockPlace):
            last = last.last()
        return last.end

    def last(self) -> Place:
        """Returns the place of the last member."""
        value = self._value
        return self._member(next(reversed(value)) if isinstance(value, dict) else len(value) - 1)

    def child(self, step: Step) -> Place | None:
        """Returns the place of a member, or None if it is absent."""
        value = self._value
        is_present = step in value if isinstance(value, dict) else isinstance(step, int) and 0 <= step < len(value)
        return self._member(step) if is_present else None

    def _member(self, step: Step) -> Place:
        if step not in self._children:
            self._children[step] = self._find(step)
        return self._children[step]

    def _find(self, step: Step) -> Place:
        offset = self._offset(step if isinstance(step, int) else [*self._value].index(step))
        begin, value = offset - self._column, cast("dict[Step, JsonValue]", self._value)[step]
        form, is_list = form_of(_line(self._text, begin, self._limit)), isinstance(self._value, list)
        start = offset + form.dash if is_list else offset
        inner = None
        if is_list and form.key is not None:  # the first key is on the line of the dash
            inner = start, self._column + form.dash
        elif form.kind == AWAITS:
            inner = _content_after(self._text, offset, self._limit)
            if form.key is None:
                start = inner[0] if inner[1] > self._column else offset + 1
        if inner is not None and isinstance(value, dict | list):
            return _BlockPlace(self._text, self._limit, start, value, *inner)
        return _LinePlace(self._text, self._limit, start, begin, self._column)

    def _offset(self, number: int) -> int:
        """Returns the offset of the key or dash of a member."""
        while len(self._offsets) <= number:
            self._offsets.append(next(self._others).end())
        return self._offsets[number]


class _LinePlace:
    """
    The place of a scalar, or of a value in brackets. Its key or dash is in the line at ``begin``, and its mapping or list is at
    ``column``.
    """

    def __init__(self, text: str, limit: int, start: int, begin: int, column: int) -> None:
        self.start = start
        self._text = text
        self._limit = limit
        self._begin = begin
        self._column = column

    @cached_property
    def end(self) -> int:
        """The offset after the value."""
        end = _end_of_scalar(self._text, self._limit, self._begin, self._column)
        return self.start + len(self._text[self.start : end].rstrip())

    def child(self, step: Step) -> Place | None:
        """Returns the place of a member in brackets, or None if it is absent."""
        return self._composed.child(step) if self._composed is not None else None

    @cached_property
    def _composed(self) -> Place | None:
        form = form_of(_line(self._text, self._begin, self._limit))
        if form.kind != FLOW:
            return None
        from webhook.yaml.composed_places import composed_place  # noqa: PLC0415 - imports PyYAML

        return composed_place(self._text, self._begin + form.start, self._begin + form.start, self.end)


def _end_of_scalar(text: str, limit: int, begin: int, column: int) -> int:
    """Returns the offset after a value that begins in the line at ``begin``, or in a line below a key or dash there."""
    line = _line(text, begin, limit)
    form = form_of(line)
    below, indent = _content_after(text, begin + len(line), limit)
    if form.kind == AWAITS and indent > column:
        return _end_of_scalar(text, limit, below - indent, column)
    if form.kind not in (OPEN, BLOCK_SCALAR) and indent <= column:
        sign = form.kind == QUOTED and line[form.start - 1 : form.start] in ("'", '"')
        return begin + form.end + sign
    after = _less_indented(column + 1).search(text, begin + len(line), limit)
    lines = text[begin : after.start() if after is not None else limit].split("\n")
    if form.kind == BLOCK_SCALAR:
        _, count = block_scalar(lines, 1, column, str(form.value))
        return begin + len("\n".join(lines[:count]))
    _, count, end = quoted_lines(lines, 1, form.start, column) if form.kind == OPEN else plain_lines(lines, 1, column)
    return begin + len("\n".join((*lines[: count - 1], lines[count - 1][:end])))


def _line(text: str, begin: int, limit: int) -> str:
    """Returns the line at an offset."""
    end = text.find("\n", begin, limit)
    return text[begin : end if end >= 0 else limit]


def _content_after(text: str, offset: int, limit: int) -> tuple[int, int]:
    """Returns the offset and the column of the content below a line. At the end of the document, the column is -1."""
    content = _CONTENT.search(text, offset, limit)
    return (content.end(), len(content[1])) if content is not None else (limit, -1)


@lru_cache(256)
def _lines_at(column: int, *, is_list: bool) -> re.Pattern[str]:
    """Matches the begin of a line with a key, or with a list item, at a column."""
    member = r"(?=-(?:[ \n]|\Z))" if is_list else r"(?=[^ \n\t#-]|-[^ \n])"
    return re.compile(rf"\n {{{column}}}{member}")


@lru_cache(256)
def _less_indented(indent: int) -> re.Pattern[str]:
    """Matches the begin of a line that is indented less than ``indent``."""
    return re.compile(rf"\n {{0,{indent - 1}}}(?=[^ \n])")
