"""The facts that decide the result of a node drain for one VMI."""

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.path import FieldPath


class DrainFacts(msgspec.Struct, frozen=True):
    """Eviction strategy and verdict of one VMI."""

    base: FieldPath
    strategy: Fact[str]
    """
    The VMI's ``evictionStrategy``.

    If absent, the cluster's; if both are absent, the string ``None`` (KubeVirt's default).
    """
    written: bool
    """Whether the object itself sets the strategy."""
    migratable: bool | None
    """The verdict; None if it is unproven."""
