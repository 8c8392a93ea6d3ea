"""The facts that decide the result of a node drain for one VMI."""

from typing import Final

import msgspec

from webhook.facts.features import Feature, Features
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


class DrainFeature:
    """The features that rules about drains need, each as a set (``webhook.facts.features``)."""

    REFUSED: Final[Features] = 1 << 1
    """The VM cannot be live-migrated."""
    OTHER_STRATEGY: Final[Features] = 1 << 2
    """The strategy is known, and is neither LiveMigrate nor None."""


def features_of_drain(facts: DrainFacts) -> Features:
    """The features of a drain."""
    found = Feature.ANY
    if facts.migratable is False:
        found |= DrainFeature.REFUSED
    if isinstance(facts.strategy, str) and facts.strategy not in ("LiveMigrate", "None"):
        found |= DrainFeature.OTHER_STRATEGY
    return found
