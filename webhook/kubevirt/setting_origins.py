"""The origins of migration settings that an operator writes into the KubeVirt CR."""

from collections.abc import Mapping

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.hyperconverged.origins import origins_of
from webhook.kubevirt.owners import HYPER_CONVERGED, owner_of
from webhook.kubevirt.releases import Release
from webhook.objects.kubevirt import KubeVirt


def setting_origins(world: World, release: Release) -> Mapping[str, str]:
    """The origin of each setting by name. Settings that only the KubeVirt CR sets are left out."""
    kubevirts = world.every(KubeVirt)
    owner = owner_of(kubevirts[0]) if not isinstance(kubevirts, Unknown) and kubevirts else None
    return origins_of(world, release, is_owned=owner is not None and owner.name == HYPER_CONVERGED)
