"""The facts about the time that KubeVirt allows for a VM's migration, and about the memory to transfer."""

from collections.abc import Mapping

import msgspec

from webhook.facts.migration import Sourced
from webhook.facts.unknown import Fact
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class WinningPolicy(msgspec.Struct, frozen=True):
    """A MigrationPolicy that applies or might apply to a VM."""

    name: str
    settings: Mapping[str, Json]


class BudgetFacts(msgspec.Struct, frozen=True):
    """One VM without a known obstacle to live migration, and the migration settings that apply to it."""

    releases: int
    base: FieldPath
    memory: Fact[Sourced[int] | None]
    """The memory of the guest in bytes, or None if the VM has no memory field."""
    migrations: Json
    """``spec.configuration.migrations`` of the KubeVirt CR."""
    winners: Fact[tuple[WinningPolicy | None, ...]]
    """
    The policies that might apply, with None for the case that no policy applies. If all facts are known, there is a single
    entry.
    """
    passed_through: FieldPath | None
    """The first GPU, host device or SR-IOV interface of the VM."""
    volumes: Sourced[int] | None = None
    """The size in bytes of the claims that a volume migration copies, or None if there is none or the size is not known."""
    only_volumes: bool = False
    """Whether the VM can migrate only together with its volumes."""
