"""Looks up the KubeVirt CR that HyperConverged's operator writes, if the input has a HyperConverged CR and no KubeVirt CR."""

from typing import TypeVar, cast

import msgspec

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.facts.world import World, for_advice
from webhook.kubevirt.hyperconverged.translate import written_kubevirt
from webhook.kubevirt.releases import Releases, newest
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class HyperConvergedWorld(msgspec.Struct, frozen=True):
    """A world in which ``kubevirts`` are the KubeVirt CRs."""

    world: World
    kubevirts: Fact[tuple[KubeVirt, ...]]

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object in the world."""
        return self.world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns the objects in the world, except for the KubeVirt CR."""
        return cast("Fact[tuple[K, ...]]", self.kubevirts) if kind is KubeVirt else self.world.every(kind)

    def for_advice(self) -> World:
        """Returns this world with the objects that advice rules read."""
        return HyperConvergedWorld(for_advice(self.world), self.kubevirts)


def world_of(hyper_converged: HyperConverged, world: World, releases: Releases) -> World:
    """
    The world with the KubeVirt CR that the operator of ``hyper_converged`` writes.

    For several releases, the settings are those of the newest release.
    """
    written = written_kubevirt(hyper_converged, newest(releases).release).kubevirt
    return HyperConvergedWorld(world, written if isinstance(written, Unknown) else (written,))
