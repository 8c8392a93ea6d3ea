"""
JSON as the API server reads it, and stricter: no name twice, no NaN, no number beyond a float, no half a character.

The C decoder reads; only when something is wrong does a second, slower pass find where. This file does no I/O.
"""

import json
import math
import re
from typing import Final, cast

from webhook.errors import BadInput
from webhook.yaml.scalars import ScalarError, json_number
from webhook.yaml.text import JsonValue, Path, Step, Text, shown

MAX_DEPTH: Final = 512
MAX_NODES: Final = 1_000_000

_SPACE = re.compile(r"[ \t\r\n]*")
# kubectl also takes JSON values in a row, with or without a YAML separator between them.
_BETWEEN = re.compile(r"[ \t\r\n]*(?:(?<=\n)---[ \t]*(?:#[^\n]*)?\r?(?:\n[ \t\r\n]*|\Z))*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class _RefusedError(Exception):
    """Raised inside the decoder, which does not tell where it is."""


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


def read_json(text: Text, max_documents: int) -> list[tuple[JsonValue, int]] | json.JSONDecodeError:
    """
    Every object or array of the text with its offset; the decoder's error if it is not JSON (it may yet be YAML).

    Raises ``BadInput`` if it is JSON that we refuse.
    """
    try:
        return _read(text, max_documents)
    except json.JSONDecodeError as error:
        return error


def _read(text: Text, max_documents: int) -> list[tuple[JsonValue, int]]:
    values: list[tuple[JsonValue, int]] = []
    offset = _skip(_SPACE, text.text, 0)
    # Counted before they are made: three million empty objects are ten megabytes here and hundreds in memory.
    if text.text.count(",") > MAX_NODES and _STRING.sub("", text.text).count(",") > MAX_NODES:
        raise too_many(text, offset, 0)
    while offset < len(text.text):
        if text.text[offset] not in "{[":
            raise json.JSONDecodeError("Extra data", text.text, offset)
        if len(values) == max_documents:
            raise text.refuse(f"more than {max_documents:,} documents", "Split the file.", offset)
        try:
            value, end = _DECODER.raw_decode(text.text, offset)
        except (_RefusedError, RecursionError):
            raise _fault(text, offset, len(values)) from None
        if not _is_within_limits(value):
            raise _fault(text, offset, len(values))
        values.append((cast("JsonValue", value), offset))
        offset = _skip(_BETWEEN, text.text, end)
    _check_characters(text)
    return values


def _skip(pattern: re.Pattern[str], text: str, offset: int) -> int:
    found = pattern.match(text, offset)
    return found.end() if found else offset


def _is_within_limits(value: JsonValue) -> bool:
    """Whether depth and number of nodes stay within the limits; level by level, for Python's stack is short."""
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
            return nodes <= MAX_NODES
    return False


class _Frame:
    """One open object or array in the slow pass."""

    __slots__ = ("expects_name", "names", "step")

    def __init__(self, opening: str) -> None:
        self.names: dict[str, int] | None = {} if opening == "{" else None
        self.step: Step = 0
        self.expects_name = opening == "{"

    def next(self) -> None:
        """Behind a comma."""
        self.expects_name = self.names is not None
        if isinstance(self.step, int):
            self.step += 1


def _fault(text: Text, start: int, document: int) -> BadInput:
    """Finds what the decoder refused: the first of name twice, bad number, too deep; else it has too many nodes."""
    stack: list[_Frame] = []
    for token in _TOKEN.finditer(text.text, start):
        word = token[0]
        if word in ("{", "["):
            stack.append(_Frame(word))
            if len(stack) > MAX_DEPTH:
                return too_deep(text, token.start(), document)
        elif word in ("}", "]"):
            stack.pop()
            if not stack:
                break
        elif word == ",":
            stack[-1].next()
        elif word[0] == '"':
            frame = stack[-1]
            if frame.expects_name and frame.names is not None:
                name = frame.step = cast("str", json.loads(word, strict=False))
                frame.expects_name = False
                first = frame.names.setdefault(name, token.start())
                if first != token.start():
                    path = [frame.step for frame in stack]
                    return stands_twice(text, name, first, token.start(), document, path)
        elif not _is_finite(word):
            return text.refuse(
                f"{shown(word)} is not a number that JSON can hold",
                "Write a finite number, or put quotes around it if text is meant.",
                token.start(),
                document=document,
                path=[frame.step for frame in stack],
            )
    return too_many(text, start, document)


def _is_finite(word: str) -> bool:
    try:
        return word in ("true", "false", "null", ":") or math.isfinite(float(word))
    except ValueError:
        return False


def _check_characters(text: Text) -> None:
    """NUL and half surrogate pairs can only come from escapes here: they are no text that Kubernetes keeps as it is."""
    if not _SUSPICIOUS_ESCAPE.search(text.text):
        return
    high: int | None = None  # where a lone first half would stand
    for escape in _ESCAPE.finditer(text.text):
        code = int(escape[1], 16) if escape[1] else -1
        if high is not None:
            if 0xDC00 <= code < 0xE000 and escape.start() == high + 6:
                high = None
                continue
            raise lone_surrogate(text, high)
        if 0xD800 <= code < 0xDC00:
            high = escape.start()
        elif 0xDC00 <= code < 0xE000:
            raise lone_surrogate(text, escape.start())
        elif code == 0:
            raise has_nul(text, escape.start())
    if high is not None:
        raise lone_surrogate(text, high)


def lone_surrogate(text: Text, offset: int) -> BadInput:
    """Half of a character."""
    return text.refuse("an escape stands for half a character", "Write the character itself, in UTF-8.", offset)


def has_nul(text: Text, offset: int | None, document: int | None = None, path: Path = ()) -> BadInput:
    """U+0000 in a string."""
    remedy = "Remove the NUL character; no field of Kubernetes has a use for it."
    return text.refuse("a string holds the character NUL", remedy, offset, document=document, path=path)


def stands_twice(text: Text, name: str, first: int, second: int, document: int, path: Path) -> BadInput:
    """A duplicate key; both lines are named because the other reader may keep the other one."""
    lines = text.mark(first).line, text.mark(second).line
    where = f"in lines {lines[0]} and {lines[1]}" if lines[0] != lines[1] else f"in line {lines[0]}"
    return text.refuse(
        f"key {shown(name)} stands twice {where}",
        "Keep one of them: which of the two counts differs from reader to reader.",
        second,
        document=document,
        path=path,
    )


def too_deep(text: Text, offset: int, document: int, path: Path = ()) -> BadInput:
    """Nesting beyond ``MAX_DEPTH``."""
    return text.refuse(
        f"nesting deeper than {MAX_DEPTH}",
        "Give a flatter document; no Kubernetes object is nested so deeply.",
        offset,
        document=document,
        path=path,
    )


def too_many(text: Text, offset: int, document: int) -> BadInput:
    """More than ``MAX_NODES`` values, counted with every alias written out."""
    remedy = "Split the file, and write out what its aliases repeat."
    return text.refuse(f"expands to more than {MAX_NODES:,} nodes", remedy, offset, document=document)
