"""What is known about the time that a VM's migration gets, and what it has to carry."""

from collections.abc import Mapping

import msgspec

from webhook.facts.migration import Sourced
from webhook.facts.unknown import Fact
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath


class WinningPolicy(msgspec.Struct, frozen=True):
    """A MigrationPolicy that wins, or may win, for a VM."""

    name: str
    settings: Mapping[str, Json]


class BudgetFacts(msgspec.Struct, frozen=True):
    """One VM that is not known to be kept from migrating, and the settings in force for it."""

    releases: int
    base: FieldPath
    memory: Fact[Sourced[int] | None]
    """Bytes; None where the VM says nothing of its memory."""
    migrations: Json
    """``spec.configuration.migrations`` of the KubeVirt CR."""
    winners: Fact[tuple[WinningPolicy | None, ...]]
    """Each that may win, None where none does; one where everything is known."""
    passed_through: FieldPath | None
    """The first device of the node that the VM holds: GPU, host device or SR-IOV interface."""
