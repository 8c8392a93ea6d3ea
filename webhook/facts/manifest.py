"""The names and values in a manifest that the API server would refuse or drop."""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.facts.features import Feature, Features
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class UnknownField(msgspec.Struct, frozen=True):
    """A key that no known KubeVirt release has at this place."""

    path: FieldPath
    name: str
    meant: str = ""
    """The field at this place that has a similar name, if there is one."""
    belongs: FieldPath = ()
    """The path at which a field of this name exists."""


class UnknownValue(msgspec.Struct, frozen=True):
    """A string that is not an allowed value of its field."""

    path: FieldPath
    value: str
    allowed: tuple[str, ...]
    meant: str = ""


class InvalidQuantity(msgspec.Struct, frozen=True):
    """A value that is not a quantity although its field has type quantity."""

    path: FieldPath
    value: str | int | float


class PatchedProblem(msgspec.Struct, frozen=True):
    """A violation of the VM that a VirtualMachineClone makes with its patches."""

    index: int | None
    """The patch that changes the field, or None if it is not known."""
    message: str
    remedy: str
    subject: str


class ManifestFacts(msgspec.Struct, frozen=True):
    """``apiVersion`` and ``kind`` as written, and the fields and values that KubeVirt's API does not have."""

    api_version: str
    kind: str
    releases: int
    fields: tuple[UnknownField, ...] = ()
    values: tuple[UnknownValue, ...] = ()
    quantities: tuple[InvalidQuantity, ...] = ()
    metadata: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """The metadata as written. Rules check only names that are strings."""
    raw: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """The whole object as written."""
    refusal: str = ""
    """Why KubeVirt refuses a VirtualMachineInstanceMigration, or an empty text."""
    patched: tuple[PatchedProblem, ...] = ()
    """The violations that the patches of a VirtualMachineClone add to its source VM."""


class ManifestFeature:
    """The features that rules about manifests need, each as a set (``webhook.facts.features``)."""

    UNKNOWN_FIELDS: Final[Features] = 1 << 1
    """The manifest has unknown fields."""
    UNKNOWN_VALUES: Final[Features] = 1 << 2
    """The manifest has unknown values."""
    INVALID_QUANTITIES: Final[Features] = 1 << 3
    """The manifest has invalid quantities."""


def features_of_manifest(facts: ManifestFacts) -> Features:
    """The features of a manifest."""
    found = Feature.ANY
    if facts.fields:
        found |= ManifestFeature.UNKNOWN_FIELDS
    if facts.values:
        found |= ManifestFeature.UNKNOWN_VALUES
    if facts.quantities:
        found |= ManifestFeature.INVALID_QUANTITIES
    return found
