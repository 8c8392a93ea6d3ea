"""Facts from a cluster, as the admission door asks for them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from webhook.facts.world import World
from webhook.resolve.access import ClusterAccess
from webhook.resolve.cluster import ClusterFacts
from webhook.resolve.recording import ConfirmedWorld, Recording
from webhook.surfaces.admission.validate import Outcome
from webhook.surfaces.api.authorising import AttachedCluster

if TYPE_CHECKING:
    from webhook.resolve.store import KindStatistics


class ClusterBacked:
    """
    Watches a cluster, and lets nothing rest on the watch alone that a late watch would make wrong (docs/decisions/0011).

    Objects that a request names are read live before it is answered, whatever the answer. Lists, which hold settings of
    the cluster, are read live before a deny, and before an allow where the cache is stale or not read yet.
    """

    def __init__(self, cluster: ClusterFacts) -> None:
        self._cluster = cluster

    @classmethod
    def reading(cls, kubeconfig: Path | None, context: str | None) -> "ClusterBacked":
        """Of the cluster of a kubeconfig, or of the one that this pod runs in; raises Misconfigured where there is none."""
        cluster = ClusterFacts()
        cluster.start(kubeconfig, context)
        return cls(cluster)

    @property
    def ready(self) -> bool:
        """Whether every kind was listed once, or is not served by the cluster."""
        return self._cluster.ready

    def world(self) -> World:
        """What is known now, with a note of each question; never waits."""
        return self._cluster.recording()

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """Whether the cache decided what it may not decide alone."""
        if not isinstance(world, Recording):
            return False
        return world.named or world.untrusted or (not outcome.allowed and bool(world.answers))

    async def still_so(self, world: World, outcome: Outcome, within_seconds: float) -> bool:
        """Whether an allow that rests on a trusted store may stand: what was named is the same on the API server."""
        if not isinstance(world, Recording) or not outcome.allowed or world.untrusted:
            return False
        return await self._cluster.still_so(world, within_seconds)

    def confirm(self, world: World, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """Decides again on what the API server has now; what cannot be read in time is unknown."""
        if not isinstance(world, Recording):
            return decide(world)
        fresh = self._cluster.confirmed(world, deadline)
        outcome = decide(fresh)
        if outcome.allowed or not isinstance(fresh, ConfirmedWorld) or not fresh.read_lists():
            return outcome
        return decide(fresh)

    def attached(self) -> AttachedCluster:
        """The cluster, as the dry-run API looks at it."""
        return AttachedCluster(ClusterAccess(self._cluster.transport), self._cluster.world)

    def statistics(self) -> "tuple[KindStatistics, ...]":
        """Objects, age and restarts of each kind."""
        return self._cluster.statistics()

    def stop(self) -> None:
        """Ends all watches."""
        self._cluster.stop()
