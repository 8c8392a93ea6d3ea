"""The text for the access modes of a PersistentVolumeClaim in messages. This file is not a rule."""

from collections.abc import Iterable
from typing import Final

from webhook.kubevirt.schema.unknown_fields import meant_word

SHARED: Final = "ReadWriteMany"


_KNOWN: Final = ("ReadWriteOnce", "ReadOnlyMany", SHARED, "ReadWriteOncePod")


def meant_mode(mode: str) -> str:
    """The access mode that an unknown word means, or an empty text."""
    return "" if mode in _KNOWN else meant_word(mode, _KNOWN)


def listed(modes: Iterable[str]) -> str:
    """The modes as text. Kubernetes rejects a PVC without ``accessModes`` or with an unknown access mode."""
    words = (mode if mode in _KNOWN else f"{mode} (an unknown access mode)" for mode in sorted(modes))
    return ", ".join(words) or "without accessModes"
