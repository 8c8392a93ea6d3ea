"""What a default is: a value that is written where nothing is, once, so that what is in force becomes visible."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from webhook.kubevirt.releases import Releases
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath


@dataclass(frozen=True, slots=True)
class Set:
    """A field to write, and why; the field is absent or null."""

    path: FieldPath
    value: Json
    why: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy file asks for."""

    eviction_strategy: str | None = None
    """``defaultEvictionStrategy``."""
    migration_settings: bool = True
    """``defaultMigrationSettings``."""
    values: Mapping[str, Json] | None = None
    """``migrationSettings``: values that replace the release's own."""


@dataclass(frozen=True, slots=True)
class DefaultFacts:
    """All that a default may know."""

    object: Kubernetes
    releases: Releases
    """Those that the cluster may run; one where it is known."""
    refused: bool
    """Whether the verdict on the object is False."""
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Default:
    """One default. ``fill`` yields only what is absent, so that applying it twice changes nothing."""

    name: str
    summary: str
    source: str
    fill: Callable[[DefaultFacts], Iterator[Set]]
