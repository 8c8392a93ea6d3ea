"""
Measures and cuts the nesting depth of JSON text. The time is linear in the size of the text. The functions are not recursive.

An API server stores up to 10,000 levels of nesting, also in fields that tenants control
(``metadata.managedFields[].fieldsV1``). msgspec and ``json`` are recursive and raise RecursionError at about 1,000 levels on
Python 3.11 and 3.12. Decode all JSON from outside with ``decode``.
"""

import re
from array import array
from hashlib import blake2b
from itertools import accumulate
from typing import Final, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")
Raw: TypeAlias = bytes | msgspec.Raw
Place: TypeAlias = tuple[str, ...]
"""The first keys of the path to a value, without list indices."""

MAX_DEPTH: Final = 512
"""The maximum number of nesting levels that are read. No field that this project reads is deeper than 30 levels."""

_OPENING, _CLOSING = b"[{", b"]}"
_UP, _DOWN = 1, 255
"""One level down into the nesting, and one level back up (-1 as a signed byte)."""
_STEPS = bytes.maketrans(_OPENING + _CLOSING, bytes((_UP, _UP, _DOWN, _DOWN)))
_DULL = bytes(byte for byte in range(256) if byte not in _OPENING + _CLOSING + b'"')
_NOT_OPENING = bytes(byte for byte in range(256) if byte not in _OPENING)
_NOT_CLOSING = bytes(byte for byte in range(256) if byte not in _CLOSING)
_BLOCK, _FEW = 256, 256
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]+', re.DOTALL)
"""Matches a string, a run of opening brackets, or a run of closing brackets."""
_QUOTE = ord('"')
_NAMED = 8
"""The maximum number of keys in a ``Place``."""


def decode(decoder: "msgspec.json.Decoder[T]", raw: Raw, limit: int = MAX_DEPTH) -> T:
    """
    Decodes the text. If the text nests too deep for the decoder, leaves out the levels below ``limit``.

    Raises the errors of the decoder, with DecodeError in place of RecursionError.
    """
    try:
        return decoder.decode(raw)
    except RecursionError:
        pass
    try:
        return decoder.decode(truncated(raw, limit))
    except RecursionError:
        raise msgspec.DecodeError("JSON nests too deep") from None


def is_deep(raw: Raw, limit: int = MAX_DEPTH) -> bool:
    """
    Whether JSON text nests deeper than ``limit``.

    For most objects, one of three counts suffices, because each count is an upper bound of the depth. The comments prove the
    bounds. The last part determines the exact depth.
    """
    body = bytes(raw)
    # Bound 1. At a place in the first half, every open level was opened in that half. At a place in the second half, every open
    # level is closed in that half. Brackets inside strings only increase the counts.
    half = len(body) // 2
    opened, closed = body[:half].translate(None, _NOT_OPENING), body[half:].translate(None, _NOT_CLOSING)
    if len(opened) < limit and len(closed) < limit:
        return False
    # Bound 2. The depth is at most the number of opening brackets.
    # Bound 3. An innermost pair of brackets contains no other pair. At most one innermost pair is open at a time, so all
    # innermost pairs together add one level. In ``marks``, only an innermost pair has adjacent brackets, because a pair that
    # contains a string has quotes between its brackets. A pair inside one string increases both counts, so the bound stays
    # the same.
    marks = body.translate(None, _DULL)
    room = limit - marks.count(b"{") - marks.count(b"[")
    if room > 0 or (room := room + marks.count(b"{}")) > 0 or room + marks.count(b"[]") > 0:
        return False
    # Exact count. Brackets of a block are counted one by one only if the block opens enough levels to exceed the limit.
    steps = _outside_strings(body, marks).translate(_STEPS)
    depth = 0
    for begin in range(0, len(steps), _BLOCK):
        block = steps[begin : begin + _BLOCK]
        up = block.count(_UP)
        if depth + up > limit and max(accumulate(array("b", block), initial=depth)) > limit:
            return True
        depth += 2 * up - len(block)
    return False


def _outside_strings(body: bytes, marks: bytes) -> bytes:
    """Returns the brackets of JSON text outside strings. ``marks`` contains all brackets and quotes of the text."""
    _, *escaped = body.split(b"\\", _FEW)
    if len(escaped) == _FEW or not {rest[:1] for rest in escaped}.isdisjoint((b'"', b"")):
        # an escaped quote or an escaped backslash
        marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _DULL)
    return b"".join(marks.replace(b'""', b"").split(b'"')[::2])


def truncated(raw: Raw, limit: int = MAX_DEPTH) -> bytes:
    """
    Returns the text, with the content of arrays and objects below ``limit`` replaced by a digest of that content.

    Every value that remains keeps its type, so a typed field with a deep array still has the wrong type. Equal texts remain
    equal, and different texts remain different.

    The depth of the result is at most ``limit`` + 1. The brackets of level ``limit`` + 1 are kept, and plain values replace the
    text between them, which contains every deeper level.
    """
    body = bytes(raw)
    kept: list[bytes] = []
    begin = depth = cut = 0
    for token in _TOKEN.finditer(body):
        first, size = body[token.start()], token.end() - token.start()
        if first == _QUOTE:
            continue
        if first in _OPENING:
            if depth <= limit < depth + size:
                cut = token.start() + limit - depth + 1
            depth += size
        else:
            if depth - size <= limit < depth:
                end = token.start() + depth - limit - 1
                kept += body[begin:cut], _digest(body, cut, end)
                begin = end
            depth -= size
    kept.append(body[begin:])
    return b"".join(kept)


def _digest(body: bytes, begin: int, end: int) -> bytes:
    """Returns a digest that replaces ``body[begin:end]``, the content of an object or array. Empty content stays empty."""
    left_out = body[begin:end].strip()
    if not left_out:
        return b""
    text = blake2b(left_out, digest_size=16).hexdigest().encode()
    return b'"%b":0' % text if body[begin - 1] == ord("{") else b'"%b"' % text


def deep_places(raw: Raw, limit: int = MAX_DEPTH) -> frozenset[Place]:
    """Returns the places where JSON text nests deeper than ``limit``."""
    body = bytes(raw)
    keys: list[str] = []
    places: set[Place] = set()
    depth, name, named_until = 0, b"", 0
    for token in _TOKEN.finditer(body):
        start, end = token.span()
        first, size = body[start], end - start
        if first == _QUOTE:
            name, named_until = token[0], end
        elif first in _OPENING:
            if depth < _NAMED:
                is_key = name and b":" in body[named_until:start]
                key = name[1:61].strip(b'"').decode("ascii", "replace") if is_key else ""
                keys[depth:] = [key, *[""] * (min(size, _NAMED) - 1)]
            if depth <= limit < depth + size:
                places.add(tuple(key for key in keys if key))
            depth, name = depth + size, b""
        else:
            depth, name = depth - size, b""
    return frozenset(places)
