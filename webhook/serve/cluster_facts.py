"""Supplies facts from a cluster to the admission listener."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from webhook.cluster.access_reviews import ClusterAccess
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.live_rounds import rounds
from webhook.cluster.lookups import LiveWorld, RecordingWorld, TimedOutWorld
from webhook.cluster.readable import Rights
from webhook.facts.world import World
from webhook.surfaces.admission.disclosure import Disclosure
from webhook.surfaces.admission.validate import Outcome
from webhook.surfaces.api.authorization import AttachedCluster

if TYPE_CHECKING:
    from webhook.cluster.store import KindStatistics


LiveReadObserver: TypeAlias = Callable[[str, float], None]
"""
A function that receives the result of the live reads for a review (``same``, ``other``, ``judged``) and the duration in
seconds.
"""


def _ignore(_ended: str, _seconds: float) -> None:
    pass


class ClusterSource:
    """
    Watches a cluster, and confirms decisions that could be wrong because a watch is late (docs/decisions/0011).

    Objects that a request names are read live before every decision. Lists, which contain settings of the cluster, are read
    live before a denial. Lists are also read live before an allow if the cache is stale or incomplete.
    """

    def __init__(self, cluster: ClusterFacts, observe_live_reads: LiveReadObserver = _ignore) -> None:
        self._cluster = cluster
        self._observe_live_reads = observe_live_reads

    @classmethod
    def reading(
        cls, kubeconfig: Path | None, context: str | None, observe_live_reads: LiveReadObserver
    ) -> "ClusterSource":
        """Returns a source for the cluster in a kubeconfig, or for the cluster that this pod runs in. Raises Misconfigured."""
        cluster = ClusterFacts()
        cluster.start(kubeconfig, context)
        return cls(cluster, observe_live_reads)

    @property
    def ready(self) -> bool:
        """Whether each kind that the cluster serves has been listed."""
        return self._cluster.ready

    @property
    def unread(self) -> str:
        """The kinds that are not listed yet, with the problems; empty if ``ready``."""
        return self._cluster.unread

    def world(self) -> World:
        """Returns a world that looks up cached objects and records the lookups. Never waits."""
        return self._cluster.recording()

    def cached(self) -> World:
        """Returns a world that looks up cached objects, without a record of the lookups. Never waits."""
        return self._cluster.world()

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """Whether the decision depends on cached objects that must be confirmed."""
        if not isinstance(world, RecordingWorld):
            return False
        return world.named or world.untrusted or (not outcome.allowed and bool(world.answers))

    async def is_unchanged(self, world: World, outcome: Outcome, within_seconds: float) -> bool:
        """
        Whether the API server confirms that the named objects are unchanged. If so, an allow from a trusted cache is final.
        """
        if not isinstance(world, RecordingWorld) or not outcome.allowed or world.untrusted:
            return False
        began = monotonic()
        same = await self._cluster.is_unchanged(world, within_seconds)
        self._observe_live_reads("same" if same else "other", monotonic() - began)
        return same

    def confirm(self, world: World, cached: Outcome, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """
        Repeat the decision with objects from the API server.

        For a denial, the reads end when one of its causes is confirmed. Objects that cannot be read in time come from the cache
        if the cache is fresh. The outcome is late in that case.
        """
        if not isinstance(world, RecordingWorld):
            return decide(world)
        fresh = self._cluster.confirming(world, deadline)
        if fresh is None:
            return decide(world)
        began = monotonic()
        outcome = _decided(world, cached, decide, fresh)
        self._observe_live_reads("judged", monotonic() - began)
        return outcome

    def late(self, world: World) -> World:
        """Returns a world that is limited to recorded results that need no further read."""
        return TimedOutWorld(world) if isinstance(world, RecordingWorld) else world

    def attached(self) -> AttachedCluster:
        """Returns the cluster, for the dry-run API."""
        access = ClusterAccess(self._cluster.transport)
        return AttachedCluster(access, self._cluster.world, Rights(access))

    def disclosure(self) -> Disclosure:
        """Returns an object that limits responses to facts that the author of the request is allowed to read."""
        return Disclosure(Rights(ClusterAccess(self._cluster.transport)))

    def statistics(self) -> "tuple[KindStatistics, ...]":
        """Returns the state of each kind, for metrics."""
        return self._cluster.statistics()

    def stop(self) -> None:
        """End all watches."""
        self._cluster.stop()


def _decided(
    recording: RecordingWorld, cached: Outcome, decide: Callable[[World], Outcome], fresh: LiveWorld
) -> Outcome:
    """
    Returns the outcome after the first round of reads that confirms a denial. If no round confirms it, returns the outcome
    after all rounds.
    """
    outcome = None
    known = frozenset(cached.causes)
    for batch in rounds(recording.answers, [cause.message for cause in cached.causes]):
        fresh.read(batch)
        if known:
            outcome = _with_lists(decide, fresh)
            if confirmed := tuple(cause for cause in outcome.causes if cause in known):
                return outcome if fresh.is_complete else replace(outcome, causes=confirmed)
    if outcome is None:
        outcome = _with_lists(decide, fresh)
    return replace(decide(TimedOutWorld(recording, fresh)), late=True) if fresh.is_late else outcome


def _with_lists(decide: Callable[[World], Outcome], fresh: LiveWorld) -> Outcome:
    """Returns the outcome. Reads lists live before a denial."""
    outcome = decide(fresh)
    return decide(fresh) if not outcome.allowed and fresh.read_lists() else outcome
