"""What a fix is, and the patches that fixes are made of."""

from typing import Any, TypeAlias

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, pointer

Operation: TypeAlias = dict[str, Any]
"""One operation of a JSON Patch."""


class Fix(msgspec.Struct, frozen=True):
    """A change that makes a finding go away."""

    title: str
    """An instruction: what to write, in the user's words."""
    patch: tuple[Operation, ...]
    """Relative to the object; each operation tests what it changes first, so that it fails where the object is another."""
    is_safe: bool = False


def find(value: Json, path: FieldPath) -> Json:
    """What stands at a path; None where nothing does."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def replace(raw: Json, path: FieldPath, value: Json) -> tuple[Operation, ...]:
    """Another value for a field that is written."""
    return (_test(raw, path), {"op": "replace", "path": pointer(path), "value": value})


def put(raw: Json, path: FieldPath, value: Json) -> tuple[Operation, ...]:
    """A value for a field, whether or not it is written; absent parents are written too."""
    parent, key = path[:-1], path[-1]
    held = find(raw, parent)
    if isinstance(held, dict):
        return replace(raw, path, value) if key in held else ({"op": "add", "path": pointer(path), "value": value},)
    return put(raw, parent, {str(key): value}) if parent else ()


def remove(raw: Json, path: FieldPath) -> tuple[Operation, ...]:
    """Without a field or list item; a list or map that would be left empty goes with it."""
    parent, last = path[:-1], path[-1]
    held = find(raw, parent)
    alone = isinstance(held, dict | list) and len(held) == 1
    if alone and parent and not isinstance(parent[-1], int):
        return remove(raw, parent)
    return (_test(raw, (*parent, last)), {"op": "remove", "path": pointer(path)})


def rename(raw: Json, path: FieldPath, key: str) -> tuple[Operation, ...]:
    """Another key for the same value; nothing where the other key is taken."""
    held = find(raw, path[:-1])
    if not isinstance(held, dict) or path[-1] not in held or key in held:
        return ()
    return (_test(raw, path), {"op": "move", "from": pointer(path), "path": pointer((*path[:-1], key))})


def _test(raw: Json, path: FieldPath) -> Operation:
    return {"op": "test", "path": pointer(path), "value": find(raw, path)}
