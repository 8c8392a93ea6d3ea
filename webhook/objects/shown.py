"""Formats values of the input for messages."""

from typing import Final

from webhook.objects.meta import Json

LONGEST: Final = 60
"""The maximum length of a string or number in a message, in characters."""


def shown(value: Json) -> str:
    """
    Returns the value as messages show it. Strings are in quotes with escapes, and booleans and ``null`` are as in YAML.

    Long strings are cut. For a list or object, the message names only the type.
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
