"""How a message shows a value of the input."""

from typing import Final

from webhook.objects.meta import Json

LONGEST: Final = 60
"""The longest string or number in a message, in characters."""


def shown(value: Json) -> str:
    """
    The value as a message shows it: strings in quotes with escapes, booleans and ``null`` as in YAML.

    Long strings are cut. Lists and objects are named by their type.
    """
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
