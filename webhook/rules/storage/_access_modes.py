"""The text for the access modes of a PersistentVolumeClaim in messages. This file is not a rule."""

from collections.abc import Iterable
from typing import Final

SHARED: Final = "ReadWriteMany"


def listed(modes: Iterable[str]) -> str:
    return ", ".join(sorted(modes)) or "without any access mode"
