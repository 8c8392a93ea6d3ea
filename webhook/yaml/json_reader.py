"""
Reads JSON more strictly than the API server. Duplicate names, NaN, numbers beyond the range of a float and lone surrogates are
errors.

The C decoder reads the text. A second, slower pass runs only to find the place of an error. This module does no I/O.
"""

import json
import math
import re
from typing import Final, cast

from webhook.errors import BadInput
from webhook.objects.shown import shown
from webhook.yaml.scalars import ScalarError, json_number
from webhook.yaml.text import MAX_DEPTH, MAX_NODES, JsonValue, Parsed, Path, Step, Text

SPACE = re.compile(r"[ \t\r\n]*")
# kubectl also accepts a sequence of JSON values, with or without YAML document separators.
_BETWEEN = re.compile(r"[ \t\r\n]*(?:(?<=\n)---[ \t]*(?:#[^\n]*)?\r?(?:\n[ \t\r\n]*|\Z))*")
_QUOTED: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING = re.compile(_QUOTED)
_TOKEN = re.compile(rf'({_QUOTED})([ \t\r\n]*:)?|[{{}}\[\],]|[^\s{{}}\[\]:,"]+')
"""Matches a bracket, brace or comma; a string, and the colon after it if it is a name; or another scalar."""
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""Matches an escape, or two that are a surrogate pair. Group 1 is U+0000 or a lone surrogate."""
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class _RefusedError(Exception):
    """An error that is raised inside the decoder, where the position is unknown."""


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedError
    return members


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else _number(digits)


def _number(digits: str) -> int | float:
    try:
        return json_number(int(digits) if len(digits) < 25 and digits.lstrip("-").isdecimal() else float(digits))
    except ScalarError:
        raise _RefusedError from None


def _constant(_name: str) -> None:
    raise _RefusedError


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def read_json(text: Text, max_documents: int) -> list[Parsed] | json.JSONDecodeError:
    """
    Returns the objects and arrays in the text. Returns the error of the decoder if the text is not JSON, because the text can
    still be YAML.

    Raises ``BadInput`` for JSON that this module rejects.
    """
    try:
        return _read(text, max_documents)
    except json.JSONDecodeError as error:
        return error


def _read(text: Text, max_documents: int) -> list[Parsed]:
    values: list[Parsed] = []
    offset = skip(SPACE, text.text, 0)
    # Counted before decoding, because three million empty objects take 10 MB as text and hundreds of MB as values.
    most = most_nodes(text)
    if text.text.count(",") > most and _STRING.sub("", text.text).count(",") > most:
        raise too_many(text, offset, 0)
    while offset < len(text.text):
        if text.text[offset] not in "{[":
            raise json.JSONDecodeError("Extra data", text.text, offset)
        if len(values) == max_documents:
            raise text.error(f"more than {max_documents:,} documents", "Split the file.", offset)
        try:
            value, end = _DECODER.raw_decode(text.text, offset)
        except (_RefusedError, RecursionError):
            raise _fault(text, offset, len(values)) from None
        if not _is_within_limits(value, most):
            raise _fault(text, offset, len(values))
        values.append(Parsed(value, len(values), offset, end))
        offset = skip(_BETWEEN, text.text, end)
    _check_characters(text)
    return values


def most_nodes(text: Text) -> int:
    """
    Returns the maximum number of values, which is ``MAX_NODES``, or more for a stream that is larger than the limit for a file.
    """
    return max(MAX_NODES, len(text.text) // 10)


def skip(pattern: re.Pattern[str], text: str, offset: int) -> int:
    """Returns the offset after the match of a pattern that can match nothing."""
    match = pattern.match(text, offset)
    return match.end() if match else offset


def _is_within_limits(value: JsonValue, most: int) -> bool:
    """Whether the depth and the number of nodes are within the limits. Checks one level after the other, without recursion."""
    level: list[JsonValue] = [value]
    nodes = 1
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else cast("list[JsonValue]", parent))
        ]
        nodes += len(level)
        level = [child for child in level if child.__class__ is dict or child.__class__ is list]
        if not level:
            return nodes <= most
    return False


def _fault(text: Text, start: int, document: int) -> BadInput:
    """
    Returns the error at which the decoder stopped: a duplicate name, an invalid number, or nesting that is too deep.

    If the text has none of these faults, the error is that the text has too many nodes.
    """
    path: list[Step] = []
    names: list[dict[str, int]] = []  # of the open objects and arrays, with their offsets
    for token in _TOKEN.finditer(text.text, start):
        word = token[0]
        if word in ("{", "["):
            path.append(0)
            names.append({})
            if len(path) > MAX_DEPTH:
                return too_deep(text, token.start(), document)
        elif word in ("}", "]"):
            path.pop()
            names.pop()
            if not path:
                break
        elif word == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else path[-1]
        elif token[2]:
            name = path[-1] = cast("str", json.loads(token[1], strict=False))
            first = names[-1].setdefault(name, token.start())
            if first != token.start():
                return duplicate_key(text, name, first, token.start(), document, path)
        elif not token[1] and not _is_finite(word):
            remedy = "Write a finite number, or quote the value if it is a string."
            return text.error(f"invalid JSON number {shown(word)}", remedy, token.start(), document=document, path=path)
    return too_many(text, start, document)


def _is_finite(word: str) -> bool:
    try:
        return word in ("true", "false", "null") or math.isfinite(float(word))
    except ValueError:
        return False


def _check_characters(text: Text) -> None:
    """Raises BadInput for NUL and for lone surrogates. In JSON, both can come only from escapes."""
    if not _SUSPICIOUS_ESCAPE.search(text.text):
        return
    for escape in _ESCAPE.finditer(text.text):
        if escape[1] == "0000":
            raise has_nul(text, escape.start())
        if escape[1]:
            message = "unpaired UTF-16 surrogate in an escape"
            raise text.error(message, "Write the character itself in UTF-8.", escape.start())


def has_nul(text: Text, offset: int | None, document: int | None = None, path: Path = ()) -> BadInput:
    """Returns the error for U+0000 in a string."""
    remedy = "Remove the NUL character."
    return text.error("NUL character in a string", remedy, offset, document=document, path=path)


def duplicate_key(text: Text, name: str, first: int, second: int, document: int, path: Path) -> BadInput:
    """Returns the error for a duplicate key. The error names both lines, because different readers keep different values."""
    lines = text.mark(first).line, text.mark(second).line
    where = f"lines {lines[0]} and {lines[1]}" if lines[0] != lines[1] else f"line {lines[0]}"
    return text.error(
        f"duplicate key {shown(name)} ({where})",
        "Remove one of the two keys.",
        second,
        document=document,
        path=path,
    )


def too_deep(text: Text, offset: int, document: int, path: Path = ()) -> BadInput:
    """Returns the error for nesting beyond ``MAX_DEPTH``."""
    return text.error(
        f"nesting deeper than {MAX_DEPTH}",
        "Use a flatter document. No Kubernetes object nests this deep.",
        offset,
        document=document,
        path=path,
    )


def too_many(text: Text, offset: int, document: int) -> BadInput:
    """Returns the error for more than ``most_nodes`` values. Each alias counts with all values that it repeats."""
    remedy = "Split the file, or replace its aliases with their values."
    return text.error(f"expands to more than {most_nodes(text):,} nodes", remedy, offset, document=document)
