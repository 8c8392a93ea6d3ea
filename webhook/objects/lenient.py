"""
Reads an object whatever its metadata holds.

No schema says anything of the metadata of a template, so a tenant can store a number there as the value of a label. Such a
value must not hide the rest of the object: it is left out.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from webhook.objects.json_depth import Raw, decode
from webhook.objects.meta import Json, Kubernetes, ObjectMeta, OwnerReference
from webhook.objects.nulls import TEXTS, as_go_reads, with_metadata

K = TypeVar("K", bound=Kubernetes)

_anything: "msgspec.json.Decoder[Json]" = msgspec.json.Decoder()
_OWNERS: Final = "ownerReferences"


def read_object(decoder: "msgspec.json.Decoder[K]", reads: type[K], raw: Raw) -> K:
    """
    The object in ``raw``, at any depth of nesting.

    Raises ValidationError where a field other than metadata has a wrong type, DecodeError where the text is not JSON.
    """
    try:
        return decode(decoder, raw)
    except msgspec.ValidationError as error:
        return msgspec.convert(with_metadata(_parsed(raw, error), _readable), reads)


def parse(raw: Raw) -> Json:
    """The value in ``raw``; levels that are too deep to be read are left out."""
    return decode(_anything, raw)


def _parsed(raw: Raw, error: msgspec.ValidationError) -> Json:
    """The value in ``raw``; raises ``error``, which names a field, where it holds a number that no type can hold."""
    try:
        return parse(raw)
    except msgspec.ValidationError:
        raise error from None


def metadata_alone(value: Json, reads: type[K]) -> K:
    """An object of which nothing but metadata is read."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    return msgspec.convert({"metadata": _readable(metadata)}, reads)


def _readable(metadata: Json) -> Json:
    """Metadata as Go reads it, without fields and entries of wrong types."""
    if not isinstance(metadata, Mapping):
        return {}
    found = {key: _entry(key, each) for key, each in as_go_reads(metadata).items()}
    return {key: each for key, each in found.items() if _fits({key: each}, ObjectMeta)}


def _entry(key: str, value: Json) -> Json:
    if key in TEXTS and isinstance(value, Mapping):
        return {name: text for name, text in value.items() if isinstance(text, str)}
    if key == _OWNERS and isinstance(value, list):
        return [each for each in value if _fits(each, OwnerReference)]
    return value


def _fits(value: Json, reads: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(value, reads)
    except msgspec.ValidationError:
        return False
    return True
