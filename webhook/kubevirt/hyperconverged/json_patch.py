"""
Applies a JSON Patch (RFC 6902) to the part of a KubeVirt CR that is known.

HyperConverged's operator applies such a patch to the whole KubeVirt CR (``controllers/operands/operand.go``
applyAnnotationPatch, v1.18.1, with evanphx/json-patch). If one operation fails, the operator does not write the CR.
"""

import copy
from collections.abc import Sequence
from typing import Final

import msgspec

from webhook.objects.json_depth import decode
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.objects.whole_number import whole_number

_DECODER: Final = msgspec.json.Decoder()
_PREFIX: Final = "/spec/"
_APPEND: Final = "-"


class CannotApply(Exception):
    """The patch is invalid, or its result depends on unknown fields. The exception's text is the reason."""


def apply(patch: str, value: Json) -> tuple[Json, tuple[FieldPath, ...]]:
    """The patched copy of ``value``, and the paths that the patch changes. Raises CannotApply."""
    try:
        operations = decode(_DECODER, patch.encode())
    except (msgspec.DecodeError, UnicodeError):
        raise CannotApply("it is not JSON") from None
    if not isinstance(operations, list):
        raise CannotApply("it is not a list of operations")
    return apply_each(operations, value, (_PREFIX,), "the whole KubeVirt CR")


def apply_each(
    operations: Sequence[Json], value: Json, parts: tuple[str, ...], whole: str
) -> tuple[Json, tuple[FieldPath, ...]]:
    """
    The patched copy of ``value``, and the path that each operation changes. Raises CannotApply.

    ``parts`` are the prefixes of valid paths, and ``whole`` is the name of the whole object, of which ``value`` is a part.
    """
    result, changed = copy.deepcopy(value), []
    for index, operation in enumerate(operations):
        if not isinstance(operation, dict):
            raise CannotApply(f"operation {index} is {shown(operation)}, not an object")
        path = operation.get("path")
        if not isinstance(path, str) or not path.startswith(parts):
            raise CannotApply(f"operation {index} has path {shown(path)}, which is outside of {' and '.join(parts)}")
        changed.append(_apply(result, operation, (index, whole), _steps(path)))
    return result, tuple(changed)


def _apply(document: Json, operation: dict[str, Json], about: tuple[int, str], steps: list[str]) -> FieldPath:
    """Applies one operation in place, and returns the path that it changes."""
    index, whole = about
    name, place = operation.get("op"), operation["path"]
    owner, path = _parent(document, steps, index, place)
    match name:
        case "add" | "replace":
            if "value" not in operation:
                raise CannotApply(f"operation {index} has no value")
            return _set(owner, path, steps[-1], operation["value"], (name == "add", index, place))
        case "remove":
            _remove(owner, steps[-1], index, place)
            return (*path, steps[-1])
        case "test" | "copy" | "move":
            raise CannotApply(f"operation {index} is {name} {place}, whose result depends on {whole}")
        case _:
            raise CannotApply(f"operation {index} has the unknown op {shown(name)}")


def _parent(document: Json, steps: list[str], index: int, place: str) -> tuple[Json, FieldPath]:
    """The object or list that contains the target of the path, and the path of this object or list."""
    value: Json = document
    path: FieldPath = ()
    for step in steps[:-1]:
        key: str | int = _index(step, value) if isinstance(value, list) else step
        known = value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
        if isinstance(value, dict):
            known = value.get(step)
        if not isinstance(known, dict | list):
            raise CannotApply(f"operation {index} has path {place}, but the parent of this path is not known")
        value, path = known, (*path, key)
    return value, path


def _set(owner: Json, path: FieldPath, step: str, value: Json, why: tuple[bool, int, str]) -> FieldPath:
    is_added, index, place = why
    if isinstance(owner, dict):
        if not is_added and step not in owner:
            raise CannotApply(f"operation {index} replaces {place}, which is not known")
        owner[step] = value
        return (*path, step)
    at = len(owner) if step == _APPEND and is_added else _index(step, owner)
    if at > len(owner) or (not is_added and at == len(owner)):
        raise CannotApply(f"operation {index} has path {place}, which is not known")
    if is_added:
        owner.insert(at, value)
    else:
        owner[at] = value
    return (*path, at)


def _remove(owner: Json, step: str, index: int, place: str) -> None:
    key: str | int = _index(step, owner) if isinstance(owner, list) else step
    is_known = key < len(owner) if isinstance(key, int) else key in owner
    if not is_known:
        raise CannotApply(f"operation {index} removes {place}, which is not known")
    del owner[key]


def _index(step: str, owner: list[Json]) -> int:
    index = whole_number(step)
    return len(owner) + 1 if index is None else index


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
