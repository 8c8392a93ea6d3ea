"""Facts from a cluster, as the admission door asks for them."""

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


LookedUp: TypeAlias = Callable[[str, float], None]
"""Is told of live reads for one review how they ended (``same``, ``other``, ``judged``), and the seconds they took."""


def _nobody(_ended: str, _seconds: float) -> None:
    pass


class ClusterSource:
    """
    Watches a cluster, and lets nothing rest on the watch alone that a late watch would make wrong (docs/decisions/0011).

    Objects that a request names are read live before it is answered, whatever the answer. Lists, which hold settings of
    the cluster, are read live before a deny, and before an allow where the cache is stale or not read yet.
    """

    def __init__(self, cluster: ClusterFacts, looked_up: LookedUp = _nobody) -> None:
        self._cluster = cluster
        self._looked_up = looked_up

    @classmethod
    def reading(cls, kubeconfig: Path | None, context: str | None, looked_up: LookedUp) -> "ClusterSource":
        """Of the cluster of a kubeconfig, or of the one that this pod runs in; raises Misconfigured where there is none."""
        cluster = ClusterFacts()
        cluster.start(kubeconfig, context)
        return cls(cluster, looked_up)

    @property
    def ready(self) -> bool:
        """Whether every kind was listed once, or is not served by the cluster."""
        return self._cluster.ready

    def world(self) -> World:
        """What is known now, with a note of each question; never waits."""
        return self._cluster.recording()

    def needs_confirmation(self, world: World, outcome: Outcome) -> bool:
        """Whether the cache decided what it may not decide alone."""
        if not isinstance(world, RecordingWorld):
            return False
        return world.named or world.untrusted or (not outcome.allowed and bool(world.answers))

    async def still_so(self, world: World, outcome: Outcome, within_seconds: float) -> bool:
        """Whether an allow that rests on a trusted store may stand: what was named is the same on the API server."""
        if not isinstance(world, RecordingWorld) or not outcome.allowed or world.untrusted:
            return False
        began = monotonic()
        same = await self._cluster.still_so(world, within_seconds)
        self._looked_up("same" if same else "other", monotonic() - began)
        return same

    def confirm(self, world: World, cached: Outcome, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """
        Decides again on what the API server has now.

        A denial ends the reads as soon as one of its causes is confirmed. What cannot be read in time counts as the store
        has it, if the store is fresh; the outcome is then late.
        """
        if not isinstance(world, RecordingWorld):
            return decide(world)
        fresh = self._cluster.confirming(world, deadline)
        if fresh is None:
            return decide(world)
        began = monotonic()
        outcome = _decided(world, cached, decide, fresh)
        self._looked_up("judged", monotonic() - began)
        return outcome

    def late(self, world: World) -> World:
        """What is known of the recorded lookups without another read."""
        return TimedOutWorld(world) if isinstance(world, RecordingWorld) else world

    def attached(self) -> AttachedCluster:
        """The cluster, as the dry-run API looks at it."""
        access = ClusterAccess(self._cluster.transport)
        return AttachedCluster(access, self._cluster.world, Rights(access))

    def disclosure(self) -> Disclosure:
        """What authors of requests may read."""
        return Disclosure(Rights(ClusterAccess(self._cluster.transport)))

    def statistics(self) -> "tuple[KindStatistics, ...]":
        """Objects, age and restarts of each kind."""
        return self._cluster.statistics()

    def stop(self) -> None:
        """Ends all watches."""
        self._cluster.stop()


def _decided(
    recording: RecordingWorld, cached: Outcome, decide: Callable[[World], Outcome], fresh: LiveWorld
) -> Outcome:
    """The outcome after as few rounds of reads as confirm a denial, else after all."""
    outcome = None
    known = frozenset(cached.causes)
    for some in rounds(recording.answers, [each.message for each in cached.causes]):
        fresh.read(some)
        if known:
            outcome = _with_lists(decide, fresh)
            if confirmed := tuple(each for each in outcome.causes if each in known):
                return outcome if fresh.is_complete else replace(outcome, causes=confirmed)
    if outcome is None:
        outcome = _with_lists(decide, fresh)
    return replace(decide(TimedOutWorld(recording, fresh)), late=True) if fresh.is_late else outcome


def _with_lists(decide: Callable[[World], Outcome], fresh: LiveWorld) -> Outcome:
    """The outcome; lists are read before a denial."""
    outcome = decide(fresh)
    return decide(fresh) if not outcome.allowed and fresh.read_lists() else outcome
