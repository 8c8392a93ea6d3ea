"""How a value of an object is written in a message."""

from typing import Final

from webhook.objects.meta import Json

LONGEST: Final = 60
"""Characters of a string or number; longer ones are cut."""


def shown(value: Json) -> str:
    """Short strings and numbers as Python writes them, ``null`` and booleans as YAML does, lists and objects by their type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}…")
    if isinstance(value, int | float):
        written = repr(value)
        return written if len(written) <= LONGEST else "a very long number"
    return "a list" if isinstance(value, list) else "an object"
