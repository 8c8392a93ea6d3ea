"""Small pieces of CEL as text. What they make is valid for Kubernetes 1.30 and later."""

import re
from collections.abc import Iterable
from typing import Final

HOLE: Final = re.compile(r"\{([^{}]*)\}")


def joined(root: str, path: Iterable[str]) -> str:
    """An optional field behind optional fields; absent ones on the way make it absent, and no error."""
    return root + "".join(f".?{step}" for step in path)


def literal(text: str) -> str:
    """A string of CEL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def template(text: str) -> str:
    """A string with expressions in braces, as a concatenation; numbers become text."""
    pieces = HOLE.split(text)
    made = [f"string({piece})" if at % 2 else literal(piece) for at, piece in enumerate(pieces) if piece or at % 2]
    return " + ".join(made)


def words(key: str) -> str:
    """The words of one key of the parameters; an absent key has one empty word."""
    return f"params.?data.?{key}.orValue('').split(' ')"
