"""Any object as it is written, by its names: what an API server refuses or drops before anybody can judge it."""

import msgspec

from webhook.objects.path import FieldPath


class StrangeField(msgspec.Struct, frozen=True):
    """A key that no known KubeVirt release has at its place."""

    path: FieldPath
    name: str
    meant: str = ""
    """The field of this place that it was probably meant to be."""
    belongs: FieldPath = ()
    """Where a field of this name does stand, below the object."""


class StrangeValue(msgspec.Struct, frozen=True):
    """Text that is none of the values that its field takes."""

    path: FieldPath
    value: str
    allowed: tuple[str, ...]
    meant: str = ""


class ManifestFacts(msgspec.Struct, frozen=True):
    """``apiVersion`` and ``kind`` as written, and what in the manifest KubeVirt's API does not know."""

    api_version: str
    kind: str
    releases: int
    fields: tuple[StrangeField, ...] = ()
    values: tuple[StrangeValue, ...] = ()
