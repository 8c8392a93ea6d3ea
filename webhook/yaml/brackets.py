"""
Reads mappings and lists in brackets on one line.

The values of short texts are kept, because the same few occur in most files of a repository. The cache has hashes instead of
texts, as that of ``line_forms``. Values are read-only, so several documents can share one. This module does no I/O.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, TypeAlias

from webhook.yaml.scalars import ScalarError, json_plain
from webhook.yaml.text import JsonValue
from webhook.yaml.texts import UnclearError, unescaped

_MOST_DEEP: Final = 20
_LONGEST_KEPT: Final = 100
"""Maximum number of characters of a text whose value is kept."""
_MOST_KEPT: Final = 1 << 12

_EMPTY: Final[Mapping[str, JsonValue]] = {"{}": {}, "[]": []}

_Token: TypeAlias = tuple[str, str, str, str]
"""A bracket, brace or comma; or a scalar with the colon after it; or a character that belongs to rare syntax."""


@cache  # compiled at the first use, because many texts have no brackets except those in _EMPTY
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"""
        [ ]*(?:
            ([\[{\]},])                                                 # 1: a bracket, brace or comma
          | (                                                           # 2: a scalar
                "(?:[^"\\]|\\.)*"
              | '(?:[^']|'')*'
              | (?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|-(?=[^\s,\[\]{}]))
                [^\s:,\[\]{}\#?]*+
                (?:(?::(?=[^\s,\[\]{}])|(?<=\S)\#|[ ]+(?=[^\s\#,\[\]{}:]))[^\s:,\[\]{}\#?]*+)*+
            )[ ]*(:(?=[ ]))?                                            # 3: the colon after a key
          | (.)                                                         # 4: rare syntax
        )
        """,
        re.VERBOSE | re.ASCII | re.DOTALL,
    )


_values: dict[int, JsonValue] = {}
"""The kept values by the hash of the text."""


def read_brackets(text: str) -> JsonValue:
    """Returns the value of ``[...]`` or ``{...}``. Raises UnclearError for rare syntax."""
    value = _values.get(hash(text))
    if value is None:
        value = _read(text)
        if len(text) <= _LONGEST_KEPT:
            if len(_values) >= _MOST_KEPT:
                _values.clear()
            _values[hash(text)] = value
    return value


def forget_values() -> None:
    """Drops the kept values, which can be secrets of a caller."""
    _values.clear()


def _read(text: str) -> JsonValue:
    if text in _EMPTY:
        return _EMPTY[text]
    tokens = iter(_tokens().findall(text))
    try:
        value = _value(next(tokens), tokens, 0)
    except StopIteration:
        raise UnclearError from None
    if next(tokens, None) is not None:
        raise UnclearError
    return value


def _value(token: _Token, tokens: Iterator[_Token], depth: int) -> JsonValue:
    """Returns the value that begins with a token."""
    opening, scalar, colon, _ = token
    if scalar and not colon:
        return _scalar(scalar)
    if opening not in ("[", "{") or depth > _MOST_DEEP:
        raise UnclearError
    items: list[JsonValue] = []
    members: dict[str, JsonValue] = {}
    end = "]" if opening == "[" else "}"
    sign = ","
    while sign == ",":
        token = next(tokens)
        if token[0] == end:
            break
        if opening == "[":
            items.append(_value(token, tokens, depth + 1))
        else:
            key = _scalar(token[1]) if token[2] and token[1] != "<<" else None
            if not isinstance(key, str) or key in members:
                raise UnclearError
            members[key] = _value(next(tokens), tokens, depth + 1)
        sign = next(tokens)[0]
    if sign not in (",", end):
        raise UnclearError
    return items if opening == "[" else members


def _scalar(text: str) -> JsonValue:
    if text[0] in "\"'":
        return unescaped(text)
    try:
        return json_plain(text)
    except ScalarError:
        raise UnclearError from None
