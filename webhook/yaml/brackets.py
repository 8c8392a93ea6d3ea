"""Reads mappings and lists in brackets on one line. This module does no I/O."""

import re
from functools import cache
from typing import Final

from webhook.yaml.scalars import ScalarError, json_value, plain
from webhook.yaml.text import JsonValue
from webhook.yaml.texts import UnclearError, unescaped

_MOST_DEEP: Final = 20


@cache  # compiled at the first use, because many texts have no brackets except {}
def _token_pattern() -> re.Pattern[str]:
    return re.compile(
        r"""
        [ ]*(?:
            ([\[{\]},])                                                 # 1: a bracket, brace or comma
          | (                                                           # 2: a scalar
                "(?:[^"\\]|\\.)*"
              | '(?:[^']|'')*'
              | (?:[^\s\-?:,\[\]{}\#&*!|>'"%@`]|-(?=[^\s,\[\]{}]))
                (?:[^\s:,\[\]{}\#?]|:(?=[^\s,\[\]{}])|(?<=\S)\#|[ ]+(?=[^\s\#,\[\]{}:]))*
            )[ ]*(:(?=[ ]))?                                            # 3: the colon after a key
        )
        """,
        re.VERBOSE | re.ASCII,
    )


def read_brackets(text: str) -> JsonValue:
    """Returns the value of ``[...]`` or ``{...}``. Raises UnclearError for rare syntax."""
    if text == "{}":
        return {}
    value, end = _value(text, 0, 0)
    if end != len(text):
        raise UnclearError
    return value


def _value(text: str, offset: int, depth: int) -> tuple[JsonValue, int]:
    """Returns the value at an offset, and the offset after it."""
    opening, scalar, colon, offset = _token(text, offset)
    if scalar and not colon:
        return _scalar(scalar), offset
    if opening not in ("[", "{") or depth > _MOST_DEEP:
        raise UnclearError
    items: list[JsonValue] = []
    members: dict[str, JsonValue] = {}
    closing = "]" if opening == "[" else "}"
    while True:
        sign, name, colon, after = _token(text, offset)
        if sign == closing:
            return items if opening == "[" else members, after
        if opening == "[":
            value, offset = _value(text, offset, depth + 1)
            items.append(value)
        else:
            member = _scalar(name) if colon and name != "<<" else None
            if not isinstance(member, str) or member in members:
                raise UnclearError
            members[member], offset = _value(text, after, depth + 1)
        sign, _, _, after = _token(text, offset)
        if sign == ",":
            offset = after
        elif sign != closing:
            raise UnclearError


def _token(text: str, offset: int) -> tuple[str, str, str, int]:
    """Returns bracket, scalar and colon at an offset (empty if there is none), and the offset after them."""
    match = _token_pattern().match(text, offset)
    if match is None:
        raise UnclearError
    return match[1] or "", match[2] or "", match[3] or "", match.end()


def _scalar(text: str) -> JsonValue:
    if text[0] in "\"'":
        return unescaped(text)
    try:
        return json_value(plain(text))
    except ScalarError:
        raise UnclearError from None
