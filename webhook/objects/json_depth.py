"""
How deep JSON text nests, and the same text without what nests too deep. Linear in its size and without recursion.

An API server stores up to 10,000 levels, also where tenants write freely (``metadata.managedFields[].fieldsV1``). msgspec and
``json`` recurse, and raise RecursionError at about 1,000 levels on Python 3.11 and 3.12. ``decode`` is the one way to decode
bytes that come from outside.
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
"""The first few keys on the way to a value; indices of lists are left out."""

MAX_DEPTH: Final = 512
"""Levels of nesting that are read. No field that is read here lies deeper than 30."""

_OPENING, _CLOSING = b"[{", b"]}"
_UP, _DOWN = 1, 255
"""One level more, and one less: -1 in a signed byte."""
_STEPS = bytes.maketrans(_OPENING + _CLOSING, bytes((_UP, _UP, _DOWN, _DOWN)))
_DULL = bytes(byte for byte in range(256) if byte not in _OPENING + _CLOSING + b'"')
_NOT_OPENING = bytes(byte for byte in range(256) if byte not in _OPENING)
_NOT_CLOSING = bytes(byte for byte in range(256) if byte not in _CLOSING)
_BLOCK, _FEW = 256, 256
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]+', re.DOTALL)
"""A string, or brackets in a row that all open or all close."""
_QUOTE = ord('"')
_NAMED = 8
"""Levels of which the keys are kept for a place."""


def decode(decoder: "msgspec.json.Decoder[T]", raw: Raw, limit: int = MAX_DEPTH) -> T:
    """
    What ``decoder`` makes of the text; where it nests too deep for the decoder, of the text without the levels below ``limit``.

    Raises what the decoder raises, and DecodeError in the place of RecursionError.
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

    In the first half of the text, no more levels are open than brackets opened there; in the second half, no more than close
    there. Brackets that hold only plain values are never open two at a time, so each such pair counts once. A pair with a
    string between its brackets does not look like one, because quotes are kept. These counts settle most objects. The rest
    is counted block by block, and bracket by bracket only in a block that opens enough levels to pass the limit.
    """
    body = bytes(raw)
    half = len(body) // 2
    opened, closed = body[:half].translate(None, _NOT_OPENING), body[half:].translate(None, _NOT_CLOSING)
    if len(opened) < limit and len(closed) < limit:
        return False
    marks = body.translate(None, _DULL)
    room = limit - marks.count(b"{") - marks.count(b"[")
    if room > 0 or (room := room + marks.count(b"{}")) > 0 or room + marks.count(b"[]") > 0:
        return False
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
    """The brackets of JSON that are not within strings; ``marks`` are all its brackets and quotes."""
    _, *escaped = body.split(b"\\", _FEW)
    if len(escaped) == _FEW or not {each[:1] for each in escaped}.isdisjoint((b'"', b"")):
        # an escaped quote, or a backslash that escapes another
        marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _DULL)
    return b"".join(marks.replace(b'""', b"").split(b'"')[::2])


def truncated(raw: Raw, limit: int = MAX_DEPTH) -> bytes:
    """
    The same text, in which arrays and objects that nest deeper than ``limit`` hold only a digest of what they held.

    Every value that is left keeps its type, so a typed field with a deep array is still of the wrong type. Equal texts stay
    equal and different ones different.

    Proof of the depth: a bracket that opens level ``limit`` + 1 is kept, as is the one that closes it; what lies between
    them, which holds every deeper level, is replaced by plain values.
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
    """Plain values in the place of what a bracket before ``begin`` holds up to ``end``; nothing where it holds nothing."""
    left_out = body[begin:end].strip()
    if not left_out:
        return b""
    text = blake2b(left_out, digest_size=16).hexdigest().encode()
    return b'"%b":0' % text if body[begin - 1] == ord("{") else b'"%b"' % text


def deep_places(raw: Raw, limit: int = MAX_DEPTH) -> frozenset[Place]:
    """Where JSON text nests deeper than ``limit``."""
    body = bytes(raw)
    keys: list[str] = []
    found: set[Place] = set()
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
                found.add(tuple(each for each in keys if each))
            depth, name = depth + size, b""
        else:
            depth, name = depth - size, b""
    return frozenset(found)
