"""
Reads ``null`` in the metadata of templates as Go reads it.

No schema covers the metadata of templates, so API servers accept ``null`` in it.
"""

from collections.abc import Callable, Mapping

import msgspec

from webhook.objects.meta import Json

_PATH_TO_METADATA = frozenset(("spec", "template", "virtualMachineTemplate", "dataVolumeTemplates"))
_LEVELS = 6
"""``spec.virtualMachineTemplate.spec.dataVolumeTemplates[0]`` is the longest path to metadata."""
STRING_MAPS = frozenset(("labels", "annotations"))


def is_about_null(error: msgspec.ValidationError) -> bool:
    """Whether ``null`` in place of a value caused the error."""
    from webhook.objects.type_errors import type_fault  # noqa: PLC0415 - only needed after an error

    return type_fault(error).got == "null"


def without_nulls(value: Json) -> Json:
    """
    Returns a copy of the object in which its metadata and the metadata of its templates are as Go reads them.

    Go (``encoding/json``) reads a ``null`` field as absent, and a ``null`` label or annotation as an empty string.
    """
    return with_metadata(value, as_go_reads)


def with_metadata(value: Json, change: Callable[[Json], Json], levels: int = _LEVELS) -> Json:
    """Returns a copy of the object with ``change`` applied to its ``metadata`` and to the metadata of its templates."""
    if isinstance(value, list):
        return [with_metadata(item, change, levels - 1) for item in value] if levels else value
    if not isinstance(value, Mapping):
        return value
    return {
        key: change(member)
        if key == "metadata"
        else with_metadata(member, change, levels - 1)
        if levels and key in _PATH_TO_METADATA
        else member
        for key, member in value.items()
    }


def as_go_reads(metadata: Json) -> Json:
    """Returns the metadata without ``null``."""
    if not isinstance(metadata, Mapping):
        return metadata
    return {
        key: {name: "" if text is None else text for name, text in member.items()}
        if key in STRING_MAPS and isinstance(member, Mapping)
        else [_without_null_members(item) for item in member]
        if isinstance(member, list)
        else member
        for key, member in metadata.items()
        if member is not None
    }


def _without_null_members(value: Json) -> Json:
    if not isinstance(value, Mapping):
        return value
    return {key: member for key, member in value.items() if member is not None}
