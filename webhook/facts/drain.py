"""The facts that decide the result of a node drain for one VMI."""

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.path import FieldPath


class DrainFacts(msgspec.Struct, frozen=True):
    """The eviction strategy and the verdict of one VMI."""

    base: FieldPath
    strategy: Fact[str]
    """
    The VMI's ``evictionStrategy``.

    If the field is absent, this is the cluster's ``evictionStrategy``. If both are absent, this is the string ``None``,
    KubeVirt's default.
    """
    written: bool
    """Whether the object itself sets the strategy."""
    migratable: bool | None
    """The verdict as True or False, or None if the verdict is unproven."""
    controller: str = ""
    """The controller that acts on an eviction with External, if the VMI's labels name the controller."""
    afterwards: str = ""
    """The result for the VM after KubeVirt has stopped it, as a clause, or an empty text if this is not known."""
