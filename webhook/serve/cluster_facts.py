"""Facts from a cluster, as the admission door asks for them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from webhook.facts.world import World
from webhook.resolve.access import ClusterAccess
from webhook.resolve.cluster import ClusterFacts
from webhook.resolve.recording import Recording
from webhook.surfaces.admission.validate import Outcome
from webhook.surfaces.api.authorising import AttachedCluster

if TYPE_CHECKING:
    from webhook.resolve.store import KindStatistics


class ClusterBacked:
    """Watches a cluster; a deny is confirmed by live reads, an allow too where the cache is stale or not read yet."""

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        self._cluster = ClusterFacts()
        self._cluster.start(kubeconfig, context)

    @property
    def ready(self) -> bool:
        """Whether every kind was listed once, or is not served by the cluster."""
        return self._cluster.ready

    def world(self) -> World:
        """What is known now, with a note of each question; never waits."""
        return self._cluster.recording()

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """Whether an answer of the cache decided: for a deny any answer counts, for an allow only untrusted ones."""
        if not isinstance(world, Recording):
            return False
        return world.untrusted if outcome.allowed else bool(world.answers)

    def confirm(self, world: World, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """Decides again on what the API server has now; what cannot be read in time is unknown."""
        if not isinstance(world, Recording):
            return decide(world)
        return decide(self._cluster.confirmed(world, deadline))

    def attached(self) -> AttachedCluster:
        """The cluster, as the dry-run API looks at it."""
        return AttachedCluster(ClusterAccess(self._cluster.transport), self._cluster.world)

    def statistics(self) -> "tuple[KindStatistics, ...]":
        """Objects, age and restarts of each kind."""
        return self._cluster.statistics()

    def stop(self) -> None:
        """Ends all watches."""
        self._cluster.stop()
