"""Facts for the doors: from manifests in folders, or from a cluster."""

from collections.abc import Callable, Sequence

from webhook.errors import Misconfigured
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.manifests.files import Sources, read_all
from webhook.manifests.objects import ManifestObject, objects_in
from webhook.surfaces.admission.validate import Outcome


class ManifestSource:
    """What is in some manifests, and nothing else: for one machine without a cluster."""

    def __init__(self, paths: Sequence[str]) -> None:
        inputs = read_all(paths, recursive=True, sources=Sources())
        for one in inputs:
            for problem in one.problems:
                where = f"{problem.source}:{problem.line}" if problem.line else problem.source
                raise Misconfigured(
                    f"{where}: {problem.message}",
                    remedy=problem.remedy or "Correct the manifest.",
                )
        self.given: tuple[ManifestObject, ...] = tuple(given for one in inputs for given in one.objects)
        self._world = ObjectsWorld(objects_in(self.given))

    @property
    def ready(self) -> bool:
        """Manifests are read at the start."""
        return True

    def world(self) -> World:
        """The same at every moment."""
        return self._world

    def needs_confirmation(self, _world: World, _outcome: Outcome) -> bool:
        """Manifests do not grow stale."""
        return False

    async def still_so(self, _world: World, _outcome: Outcome, _seconds: float) -> bool:
        """Always."""
        return True

    def confirm(self, world: World, _cached: Outcome, decide: Callable[[World], Outcome], _deadline: float) -> Outcome:
        """Decides again on the same manifests."""
        return decide(world)

    def late(self, world: World) -> World:
        """The same: manifests do not come late."""
        return world
