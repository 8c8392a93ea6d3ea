"""
Writes YAML in block style.

A string that any YAML reader could read as another type (``n``, ``1e3``, ``0o17``, a date) is in double quotes. Therefore
readers of YAML 1.1, readers of YAML 1.2 and kubectl all read the same value.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from webhook.yaml.scalars import BOOLEANS, NULLS

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./()\[\]-]*(?: [A-Za-z0-9_./()\[\]-]+)*")
_RESERVED = frozenset(word.lower() for word in (*BOOLEANS, *NULLS)) | {"nan", "inf", "_"}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\ud800-\udfff\ufeff\ufffe\uffff]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def dump(value: Plain) -> str:
    """Returns plain values as one document in block style, with a newline at the end."""
    return "".join(f"{line}\n" for line in _lines(value))


def scalar(text: str) -> str:
    """
    Returns a string as YAML. The YAML is plain if every reader reads it as a string, otherwise in double quotes on one line.
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return double_quoted(text)


def double_quoted(text: str) -> str:
    """Returns a string in double quotes on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_UNPRINTABLE.sub(_escape, escaped)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # a lone surrogate from a file name that is not UTF-8, which YAML cannot contain
        return "\\uFFFD"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _lines(value: Plain) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            name = scalar(key)
            if isinstance(member, dict | list) and member:
                yield f"{name}:"
                yield from (f"  {line}" for line in _lines(member))
            else:
                yield f"{name}: {_inline(member)}"
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _inline(value)


def _inline(value: Plain) -> str:
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return msgspec.json.encode(value).decode()
