"""Small pieces of CEL as text, for Kubernetes 1.30 and later."""

import re
from collections.abc import Iterable
from typing import Final

HOLE: Final = re.compile(r"\{([^{}]*)\}")


def joined(root: str, path: Iterable[str]) -> str:
    """
    A CEL expression for an optional field whose parents are optional too. If a parent is absent, the value is absent, and
    the expression does not fail.
    """
    return root + "".join(f".?{step}" for step in path)


def literal(text: str) -> str:
    """A CEL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def template(text: str) -> str:
    """A CEL concatenation of a text with expressions in braces. Numbers become text."""
    pieces = HOLE.split(text)
    parts = [f"string({piece})" if at % 2 else literal(piece) for at, piece in enumerate(pieces) if piece or at % 2]
    return " + ".join(parts)


def words(key: str) -> str:
    """The words in the value of one parameter key. For an absent key, the result is one empty word."""
    return f"params.?data.?{key}.orValue('').split(' ')"
