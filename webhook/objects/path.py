"""Field paths in the spelling that Kubernetes uses in ``StatusCause.field``. All messages use ``dotted`` to spell a path."""

from typing import Final, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the object's root, such as ``("spec", "volumes", 0)``."""

_IN_BRACKETS: Final = "./[] "


def dotted(path: FieldPath) -> str:
    """
    Returns the path as text, such as ``spec.volumes[0]``, ``metadata.labels.my-label``,
    ``metadata.labels[app.kubernetes.io/name]``.

    A key that contains a dot, slash, bracket or space is written in brackets.
    """
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.isalnum() or (step and not any(mark in step for mark in _IN_BRACKETS)):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{step}]")
    return "".join(parts)


def pointer(path: FieldPath) -> str:
    """Returns the path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
