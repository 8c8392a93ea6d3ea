"""Access modes of PersistentVolumeClaims, as the messages of this family show them. Not a rule itself."""

from collections.abc import Iterable
from typing import Final

SHARED: Final = "ReadWriteMany"


def listed(modes: Iterable[str]) -> str:
    return ", ".join(sorted(modes)) or "without any access mode"
