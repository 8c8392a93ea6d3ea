"""What a default is: a value that is written where nothing is, once, so that what is in force becomes visible."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from webhook.kubevirt.releases import Releases
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath


class Set(msgspec.Struct, frozen=True):
    """A field to write, and why; the field is absent or null."""

    path: FieldPath
    value: Json
    why: str


class Wanted(msgspec.Struct, frozen=True):
    """What the policy file asks for."""

    eviction_strategy: str | None = None
    """``defaultEvictionStrategy``."""
    migration_settings: bool = True
    """``defaultMigrationSettings``."""
    values: Mapping[str, Json] | None = None
    """``migrationSettings``: values that replace the release's own."""


class DefaultFacts(msgspec.Struct, frozen=True):
    """All that a default may know."""

    object: Kubernetes
    releases: Releases
    """Those that the cluster may run; one where it is known."""
    refused: bool
    """Whether the verdict on the object is False."""
    wanted: Wanted


class Default(msgspec.Struct, frozen=True):
    """One default. ``fill`` yields only what is absent, so that applying it twice changes nothing."""

    name: str
    summary: str
    source: str
    fill: Callable[[DefaultFacts], Iterator[Set]]
