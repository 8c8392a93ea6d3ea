"""The type of a fix, and functions for the JSON Patch operations of a fix."""

from typing import Any, TypeAlias

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, pointer

Operation: TypeAlias = dict[str, Any]
"""One operation of a JSON Patch."""


class Fix(msgspec.Struct, frozen=True):
    """A change of an object that removes a finding."""

    title: str
    """The instruction that the patch carries out."""
    patch: tuple[Operation, ...]
    """
    The operations, with paths relative to the object. Each change first tests the old value, so the patch fails on another
    object.
    """
    is_safe: bool = False
    """Whether ``migratable check --fix`` applies the fix, because only one correction is possible."""


def find(value: Json, path: FieldPath) -> Json:
    """Returns the value at a path, or None if there is no value."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def replace(raw: Json, path: FieldPath, value: Json) -> tuple[Operation, ...]:
    """Replaces the value of a field that is present."""
    return (_test(raw, path), {"op": "replace", "path": pointer(path), "value": value})


def put(raw: Json, path: FieldPath, value: Json) -> tuple[Operation, ...]:
    """Sets a field, and adds the parent objects of the field if they are absent."""
    parent, key = path[:-1], path[-1]
    owner = find(raw, parent)
    if isinstance(owner, dict):
        return replace(raw, path, value) if key in owner else ({"op": "add", "path": pointer(path), "value": value},)
    return put(raw, parent, {str(key): value}) if parent else ()


def remove(raw: Json, path: FieldPath) -> tuple[Operation, ...]:
    """Removes a field or list item. Also removes a list or object that would become empty."""
    parent, last = path[:-1], path[-1]
    owner = find(raw, parent)
    is_last_one = isinstance(owner, dict | list) and len(owner) == 1
    if is_last_one and parent and not isinstance(parent[-1], int):
        return remove(raw, parent)
    return (_test(raw, (*parent, last)), {"op": "remove", "path": pointer(path)})


def rename(raw: Json, path: FieldPath, key: str) -> tuple[Operation, ...]:
    """Renames a key and keeps its value. Returns no operation if the new key already exists."""
    owner = find(raw, path[:-1])
    if not isinstance(owner, dict) or path[-1] not in owner or key in owner:
        return ()
    return (_test(raw, path), {"op": "move", "from": pointer(path), "path": pointer((*path[:-1], key))})


def _test(raw: Json, path: FieldPath) -> Operation:
    return {"op": "test", "path": pointer(path), "value": find(raw, path)}
