"""Chooses between the KubeVirt CR and the HyperConverged CR in the input. This module is quick to import."""

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Releases
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt


def with_kubevirt(world: World, releases: Releases) -> World:
    """
    ``world`` with the KubeVirt CR that HyperConverged's operator writes, if the input has only a HyperConverged CR.

    KubeVirt reads only the KubeVirt CR. The KubeVirt CR therefore has precedence if it is known, or if it might exist but
    cannot be read.
    """
    known = world.every(KubeVirt)
    if not isinstance(known, Unknown) or known.may_exist:
        return world
    owners = world.every(HyperConverged)
    if isinstance(owners, Unknown) or not owners:
        return world
    from webhook.kubevirt.hyperconverged.world import world_of  # noqa: PLC0415 - most inputs have no HyperConverged CR

    return world_of(owners[0], world, releases)
