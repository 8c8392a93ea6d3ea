"""A VMI, its eviction strategy, and whether it can migrate: what a drain will do."""

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.path import FieldPath


class DrainFacts(msgspec.Struct, frozen=True):
    """What happens to the VMI when its node is drained."""

    base: FieldPath
    strategy: Fact[str]
    """The VMI's ``evictionStrategy``, else the cluster's, else ``None`` the word (KubeVirt's default)."""
    written: bool
    """Whether the object itself says so."""
    migratable: bool | None
    """The verdict; None where it is unproven."""
