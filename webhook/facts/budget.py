"""The time that KubeVirt allows for a VM's migration, and the memory to transfer."""

from collections.abc import Mapping

import msgspec

from webhook.facts.migration import Sourced
from webhook.facts.unknown import Fact
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class WinningPolicy(msgspec.Struct, frozen=True):
    """A MigrationPolicy that applies, or may apply, to a VM."""

    name: str
    settings: Mapping[str, Json]


class BudgetFacts(msgspec.Struct, frozen=True):
    """One VM without a known obstacle to live migration, and the migration settings that apply to it."""

    releases: int
    base: FieldPath
    memory: Fact[Sourced[int] | None]
    """Bytes; None if the VM has no memory field."""
    migrations: Json
    """``spec.configuration.migrations`` of the KubeVirt CR."""
    winners: Fact[tuple[WinningPolicy | None, ...]]
    """The policies that may apply; None means no policy. A single entry if all facts are known."""
    passed_through: FieldPath | None
    """The first GPU, host device or SR-IOV interface of the VM."""
