"""Field paths as Kubernetes writes them."""

from typing import TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the object's root, e.g. ``("spec", "volumes", 0)``."""


def dotted(path: FieldPath) -> str:
    """Writes ``path`` as StatusCause's ``field`` does: ``spec.volumes[0]``; keys with dots or slashes in brackets."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step and not any(mark in step for mark in "./[] "):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{step}]")
    return "".join(parts)


def pointer(path: FieldPath) -> str:
    """Writes ``path`` as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
