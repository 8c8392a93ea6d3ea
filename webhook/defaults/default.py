"""The type of a default. A default fills an absent field, so that the object shows the value in force."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from webhook.kubevirt.releases import Releases
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath


class Set(msgspec.Struct, frozen=True):
    """A value for a field that is absent or null, and the reason for the value."""

    path: FieldPath
    value: Json
    why: str


class DefaultOptions(msgspec.Struct, frozen=True):
    """The keys of the policy file that control defaults."""

    eviction_strategy: str | None = None
    """``defaultEvictionStrategy``."""
    migration_settings: bool = True
    """``defaultMigrationSettings``."""
    values: Mapping[str, Json] | None = None
    """The key ``migrationSettings``, whose values replace the defaults of the KubeVirt release."""


class DefaultFacts(msgspec.Struct, frozen=True):
    """The facts that a default depends on."""

    object: Kubernetes
    releases: Releases
    """The releases that the cluster might run; a single release if the release is known."""
    refused: bool
    """Whether the verdict on the object is False."""
    options: DefaultOptions


class Default(msgspec.Struct, frozen=True):
    """One default. ``fill`` yields absent fields only, so a second application changes nothing."""

    name: str
    summary: str
    source: str
    fill: Callable[[DefaultFacts], Iterator[Set]]
