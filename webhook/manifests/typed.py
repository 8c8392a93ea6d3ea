"""Where a value does not fit the type that it is read as. Messages name types and keys, never a value."""

import re
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

Convert: TypeAlias = Callable[[Json], object]

_STEP = re.compile(r"\[(\d+)\]|(\[\.\.\.\])|\.([A-Za-z0-9_\-]+)")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "keys with values",
}


def misfit(value: Json, error: msgspec.ValidationError, convert: Convert) -> tuple[str, FieldPath]:
    """
    What ``convert(value)`` said, without the place, and the place as a path.

    msgspec writes keys of free maps as ``[...]``; which key it was is found out by converting again with fewer of them.
    """
    text, _, place = str(error).partition(" - at `$")
    path: FieldPath = ()
    for index, free, key in _STEP.findall(place.rstrip("`")):
        step = _first_wrong_key(value, path, str(error), convert) if free else int(index) if index else key
        if step is None:
            break
        path = (*path, step)
    if (unknown := _UNKNOWN.search(text)) is not None:
        path = (*path, unknown[1])
    return in_words(text), path


def in_words(text: str) -> str:
    """A sentence of msgspec about types, in words of whoever writes manifests: ``expected text, got a whole number``."""
    found = _EXPECTED.fullmatch(text)
    if found is None:
        return text[:1].lower() + text[1:]
    expected = [_WORDS.get(each, each) for each in found[1].split(" | ") if each != "null"]
    return f"expected {' or '.join(expected)}, got {_WORDS.get(found[2], found[2])}"


def _first_wrong_key(value: Json, path: FieldPath, error: str, convert: Convert) -> str | None:
    """The first key of the map at ``path`` that gives this error, by halving: a map may hold many thousands."""
    here = _at(value, path)
    keys = list(here) if isinstance(here, dict) else []
    fits, fails = 0, len(keys)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if _error(_cut(value, path, keys[:middle]), convert) == error:
            fails = middle
        else:
            fits = middle
    return keys[fits] if keys else None


def _error(value: Json, convert: Convert) -> str:
    try:
        convert(value)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _at(value: Json, path: FieldPath) -> Json:
    for step in path:
        value = value[step]
    return value


def _cut(value: Json, path: FieldPath, keys: list[str]) -> Json:
    """The value with these keys alone at ``path``; the value itself stays as it is."""
    if not path:
        assert isinstance(value, dict)  # noqa: S101 - narrows for the type checker
        return {key: value[key] for key in keys}
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        return [_cut(each, rest, keys) if index == step else each for index, each in enumerate(value)]
    assert isinstance(value, dict)  # noqa: S101 - narrows for the type checker
    return {key: _cut(each, rest, keys) if key == step else each for key, each in value.items()}
