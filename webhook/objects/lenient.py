"""
Reads an object even if its metadata is invalid.

No schema covers the metadata of a template, so a tenant can store a number as the value of a label. This module leaves out such
values, because otherwise the rest of the object could not be read.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from webhook.objects.json_depth import Raw, decode
from webhook.objects.meta import Json, Kubernetes, ObjectMeta, OwnerReference
from webhook.objects.nulls import STRING_MAPS, as_go_reads, with_metadata

K = TypeVar("K", bound=Kubernetes)

_anything: "msgspec.json.Decoder[Json]" = msgspec.json.Decoder()
_OWNERS: Final = "ownerReferences"


def read_object(decoder: "msgspec.json.Decoder[K]", reads: type[K], raw: Raw) -> K:
    """
    Returns the object in ``raw``, at any depth of nesting.

    Raises ValidationError if a field outside metadata has a wrong type, and DecodeError if ``raw`` is not JSON.
    """
    try:
        return decode(decoder, raw)
    except msgspec.ValidationError as error:
        return msgspec.convert(with_metadata(_parsed(raw, error), _valid_metadata), reads)


def read_as(reads: type[K], value: Json) -> K:
    """
    Returns the object in ``value``, as ``read_object`` does.

    Raises ValidationError if a field outside metadata has a wrong type.
    """
    try:
        return msgspec.convert(value, reads)
    except msgspec.ValidationError:
        return msgspec.convert(with_metadata(value, _valid_metadata), reads)


def parse(raw: Raw) -> Json:
    """Returns the value in ``raw``, without the levels that are too deep to read."""
    return decode(_anything, raw)


def _parsed(raw: Raw, error: msgspec.ValidationError) -> Json:
    """
    Returns the value in ``raw``. If ``raw`` contains a number out of range, raises ``error``, because that error names a field.
    """
    try:
        return parse(raw)
    except msgspec.ValidationError:
        raise error from None


def metadata_alone(value: Json, reads: type[K]) -> K:
    """Returns the object with only its metadata."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    return msgspec.convert({"metadata": _valid_metadata(metadata)}, reads)


def _valid_metadata(metadata: Json) -> Json:
    """Returns the metadata as Go reads it, without fields and entries of a wrong type."""
    if not isinstance(metadata, Mapping):
        return {}
    fields = {key: _valid_entries(key, field) for key, field in as_go_reads(metadata).items()}
    return {key: field for key, field in fields.items() if _is_valid({key: field}, ObjectMeta)}


def _valid_entries(key: str, value: Json) -> Json:
    if key in STRING_MAPS and isinstance(value, Mapping):
        return {name: text for name, text in value.items() if isinstance(text, str)}
    if key == _OWNERS and isinstance(value, list):
        return [owner for owner in value if _is_valid(owner, OwnerReference)]
    return value


def _is_valid(value: Json, reads: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(value, reads)
    except msgspec.ValidationError:
        return False
    return True
