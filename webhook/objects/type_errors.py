"""
The message and the place of a msgspec validation error.

msgspec reports both in one English sentence. Only this module depends on the wording, and
``tests/objects/test_type_errors.py`` pins the sentences. Messages name types and keys, never values, except for an
invalid enum value.
"""

import re
from typing import Final

import msgspec

from webhook.objects.path import FieldPath

ANY_KEY: Final = "..."
"""The step of ``TypeFault.place`` for any key of a mapping with free keys, because msgspec does not name such a key."""

_STEP = re.compile(r"\[(\d+)\]|\[(\.\.\.)\]|\.([A-Za-z0-9_\-]+)")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING_KEY = re.compile(r"Object missing required field `([^`]*)`")
_INVALID_CHOICE = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_TYPE = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`|( [<>]=? .*))")
_TYPES: Final = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "a list",
    "object": "a mapping",
}


class TypeFault(msgspec.Struct, frozen=True):
    """The content of a validation error."""

    message: str
    """The message without the path, such as ``expected a string, got an integer``."""
    place: FieldPath = ()
    """The path to the wrong value. For an unknown key, the path ends with that key."""
    unknown_key: str = ""
    missing_key: str = ""
    invalid_choice: str = ""
    """The value that is not in the enum, in quotes."""
    expected: str = ""
    """The expected type, as msgspec names it, without ``null``."""
    got: str = ""
    """The type of the value, as msgspec names it."""


def type_fault(error: Exception) -> TypeFault:
    """Returns the fault that a ``msgspec.ValidationError`` reports. A text of unknown form becomes the message."""
    sentence, has_place, path = str(error).rpartition(" - at `$")
    if not has_place:
        sentence, path = path, ""
    place: FieldPath = tuple(int(index) if index else free or key for index, free, key in _STEP.findall(path))
    if unknown := _UNKNOWN_KEY.fullmatch(sentence):
        return TypeFault("unknown key", (*place, unknown[1]), unknown_key=unknown[1])
    if missing := _MISSING_KEY.fullmatch(sentence):
        return TypeFault(f"missing key `{missing[1]}`", place, missing_key=missing[1])
    if choice := _INVALID_CHOICE.fullmatch(sentence):
        return TypeFault(f"invalid value {choice[1]}", place, invalid_choice=choice[1])
    if wrong := _TYPE.fullmatch(sentence):
        written, got, limit = wrong.groups()
        types = [name for name in written.split(" | ") if name != "null"]
        expected = " or ".join(_TYPES.get(name, name) for name in types)
        actual = f", got {_TYPES.get(got, got)}" if got else limit
        return TypeFault(f"expected {expected}{actual}", place, expected=" | ".join(types), got=got or "")
    return TypeFault(sentence[:1].lower() + sentence[1:], place)
