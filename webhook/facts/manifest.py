"""Any object as it is written, by its names: what an API server refuses or drops before anybody can judge it."""

from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class UnknownField(msgspec.Struct, frozen=True):
    """A key that no known KubeVirt release has at its place."""

    path: FieldPath
    name: str
    meant: str = ""
    """The field of this place that it was probably meant to be."""
    belongs: FieldPath = ()
    """Where a field of this name does stand, below the object."""


class UnknownValue(msgspec.Struct, frozen=True):
    """Text that is none of the values that its field takes."""

    path: FieldPath
    value: str
    allowed: tuple[str, ...]
    meant: str = ""


class InvalidQuantity(msgspec.Struct, frozen=True):
    """A value that is no quantity, of a field that takes nothing else."""

    path: FieldPath
    value: str | int | float


class ManifestFacts(msgspec.Struct, frozen=True):
    """``apiVersion`` and ``kind`` as written, and what in the manifest KubeVirt's API does not know."""

    api_version: str
    kind: str
    releases: int
    fields: tuple[UnknownField, ...] = ()
    values: tuple[UnknownValue, ...] = ()
    quantities: tuple[InvalidQuantity, ...] = ()
    metadata: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """As written; of its names only those that are text are to be judged."""
