"""
Reads single lines of block YAML: indentation, dash, key and value.

The form of a line depends on the line alone, so forms are cached: most lines of a repository occur in many files. The cache has
hashes instead of lines, because lines can contain secrets. This module does no I/O.
"""

import re
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from webhook.yaml.scalars import ScalarError, json_plain, key, plain
from webhook.yaml.text import JsonValue

BLANK, COMMENT, QUOTED, PLAIN, TYPED, AWAITS, ESCAPED, OPEN, FLOW, BLOCK_SCALAR, UNCLEAR = range(11)
"""
Kinds of lines: without content; with a comment only; with a string whose characters are its value, in quotation marks or before a
comment; with a plain string; with a plain scalar of another type; with a key or dash only; with escapes in quotation marks; with
the begin of a quoted string; with a value in brackets; with the header of a block scalar; of another form. ``read_block``
compares these numbers by size.
"""

_FIRST: Final = r"""(?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|[\-?:](?=[^\s,\[\]{}]))"""
_SPECIAL: Final = r"""(?::(?=\S)|(?<=\S)\#|[ ]+(?=[^\s\#:]|:\S))"""
_REST: Final = rf"""[^\s:\#]*+(?:{_SPECIAL}[^\s:\#]*+)*+"""
"""The rest of a plain scalar. It is possessive, because no shorter match lets the rest of a line match."""
_LINE = re.compile(
    rf"""
    ([ ]*)                                          # 1: indentation
    (-[ ]+|-\Z)?                                    # 2: the dash of a list item
    (?:({_FIRST}{_REST}|"[^"\\]*"|'[^']*')[ ]*:(?=[ ]|\Z))?    # 3: a key
    [ ]*
    (?:
        ({_FIRST}{_REST})                           # 4: a plain scalar
      | "([^"\\]*)"                                 # 5: a string without escapes
      | '([^']*)'                                   # 6: a string without escapes
      | ("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')          # 7: a string with escapes
      | ("(?:[^"\\]|\\.)*\Z|'(?:[^']|'')*\Z)        # 8: the begin of a string
      | ([\[{{].*[\]}}])                            # 9: a value in brackets
      | ([|>][+-]?)                                 # 10: the header of a block scalar
    )?
    [ ]*(?:(?<![^ ])\#.*)?                          # a comment
    """,
    re.VERBOSE | re.ASCII,
)
FURTHER: Final = rf"(?xa)((?:[^\s:\#]|:(?=\S)|(?<=\S)\#){_REST})[ ]*((?:(?<=[ ])\#.*)?)"
"""Matches a further line of a plain scalar without its indentation. Group 2 is a comment, which ends the scalar."""
_KINDS: Final = {4: PLAIN, 5: QUOTED, 6: QUOTED, 7: ESCAPED, 8: OPEN, 9: FLOW, 10: BLOCK_SCALAR}
_LONGEST_KEY: Final = 1_000
"""YAML allows 1,024 characters for a key on one line."""
_MAX_CACHED: Final = 1 << 14

NO_MEMBER: Final = -3
"""The place of a line without a key and dash. No mapping or list has this place."""


def place_of(column: int, *, is_item: bool) -> int:
    """The column of a key or dash, and which of the two it is, as one number. ``read_block`` compares it for each line."""
    return 2 * column + is_item


def indentation(line: str) -> int:
    """The number of spaces before the content."""
    return len(line) - len(line.lstrip(" "))


class Form(msgspec.Struct, frozen=True):
    """The parts of a line, and the place of its value."""

    kind: int
    place: int
    """The place of the key or dash (``place_of``). ``NO_MEMBER`` for a line that has neither."""
    dash: int
    """The length of the dash with the spaces after it, or 0."""
    key: str | None
    start: int
    """The column where the value starts. Quotation marks around a ``QUOTED`` value do not belong to the value."""
    end: int
    value: JsonValue
    """The value of a ``TYPED`` line, and the header of a ``BLOCK_SCALAR``."""


Parts: TypeAlias = tuple[int, int, int, str | None, int, int, JsonValue]
"""The parts of a form. ``read_block`` unpacks a tuple for each line."""

_BLANK: Final[Parts] = BLANK, NO_MEMBER, 0, None, 0, 0, None
_COMMENT: Final[Parts] = COMMENT, NO_MEMBER, 0, None, 0, 0, None
_UNCLEAR: Final[Parts] = UNCLEAR, NO_MEMBER, 0, None, 0, 0, None
forms: Final[dict[int, Parts]] = {}
"""The cached forms by the hash of the line."""


def form_of(line: str) -> Form:
    """Returns the form of a line."""
    return Form(*(forms.get(hash(line)) or new_form(line)))


def new_form(line: str) -> Parts:
    """Returns the form of a line, and adds it to ``forms``. ``read_block`` looks into ``forms`` itself, for speed."""
    if len(forms) > _MAX_CACHED:
        forms.clear()
    parts = forms[hash(line)] = _parts(line)
    return parts


def _parts(line: str) -> Parts:
    content = line.lstrip(" ")
    if not content or content[0] == "#":
        return _COMMENT if content else _BLANK
    match = _LINE.fullmatch(line)
    if match is None or match.end(3) > _LONGEST_KEY:
        return _UNCLEAR
    group = match.lastindex or 0
    kind, (start, end) = _KINDS.get(group, AWAITS), match.span(group)
    column, dash = len(line) - len(content), len(match[2] or "")
    value: JsonValue = None
    try:
        name = None if match[3] is None else _key(match[3])
        if kind == PLAIN:
            value = json_plain(match[4])
    except ScalarError:
        return _UNCLEAR
    if kind == AWAITS:
        start = end = column + dash if name is None else line.index(":", match.end(3)) + 1
    elif kind == BLOCK_SCALAR:
        value = match[10]
    elif kind == PLAIN and not isinstance(value, str):
        kind = TYPED
    elif kind == PLAIN:
        kind, value = QUOTED if line[end:].strip(" ") else PLAIN, None  # QUOTED before a comment
    place = place_of(column, is_item=dash > 0) if dash or name is not None else NO_MEMBER
    return kind, place, dash, name, start, end, value


@lru_cache(1 << 12)
def _key(text: str) -> str:
    if text[0] in "\"'":
        return text[1:-1]
    if text == "<<":
        raise ScalarError("a merge key")
    return key(plain(text))
