"""The text for the access modes of a PersistentVolumeClaim in messages. This file is not a rule."""

from collections.abc import Iterable
from typing import Final

SHARED: Final = "ReadWriteMany"


_KNOWN: Final = frozenset(("ReadWriteOnce", "ReadOnlyMany", SHARED, "ReadWriteOncePod"))


def listed(modes: Iterable[str]) -> str:
    """The modes as text. Kubernetes rejects a PVC without ``accessModes`` or with an unknown access mode."""
    words = (mode if mode in _KNOWN else f"{mode} (an unknown access mode)" for mode in sorted(modes))
    return ", ".join(words) or "without accessModes"
