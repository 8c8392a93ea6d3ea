"""
Writes YAML in block style.

Every string that any YAML reader could take for something else (``n``, ``1e3``, ``0o17``, a date) stands in double quotes,
so that readers of YAML 1.1, of YAML 1.2 and kubectl see the same.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./()\[\]-]*(?: [A-Za-z0-9_./()\[\]-]+)*")
_RESERVED = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "_"))
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\ud800-\udfff\ufeff\ufffe\uffff]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def dump(value: Plain) -> str:
    """Plain values as one block-style document that ends with a newline."""
    return "".join(f"{line}\n" for line in _lines(value))


def scalar(text: str) -> str:
    """A string as YAML: plain where nobody can misread it, else in double quotes on one line."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_UNPRINTABLE.sub(_escape, escaped)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # half a character, from a file name that is not UTF-8: no YAML can hold it
        return "\\uFFFD"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _lines(value: Plain) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            name = scalar(key)
            if isinstance(each, dict | list) and each:
                yield f"{name}:"
                yield from (f"  {line}" for line in _lines(each))
            else:
                yield f"{name}: {_inline(each)}"
    elif isinstance(value, list) and value:
        for each in value:
            first, *rest = _lines(each)
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
