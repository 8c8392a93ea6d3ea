"""Supplies facts from manifests to a server without a cluster."""

from collections.abc import Callable, Sequence

from webhook.errors import Misconfigured
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.manifests.files import read_all
from webhook.manifests.objects import ManifestObject, placed_in
from webhook.manifests.sources import Sources
from webhook.surfaces.admission.validate import Outcome


class ManifestSource:
    """The objects in a set of manifests, which is read once at the start."""

    def __init__(self, paths: Sequence[str]) -> None:
        inputs = read_all(paths, recursive=True, sources=Sources())
        for file in inputs:
            for problem in file.problems:
                where = f"{problem.source}:{problem.line}" if problem.line else problem.source
                raise Misconfigured(
                    f"{where}: {problem.message}",
                    remedy=problem.remedy or "Correct the manifest.",
                )
        self.objects: tuple[ManifestObject, ...] = tuple(entry for file in inputs for entry in file.objects)
        self._world = ObjectsWorld(())
        for placed, source in placed_in(self.objects):
            self._world.add(placed, source)

    @property
    def ready(self) -> bool:
        """Always true."""
        return True

    def world(self) -> World:
        """Returns the world, which always contains the same objects."""
        return self._world

    cached = world

    def needs_confirmation(self, _world: World, _outcome: Outcome) -> bool:
        """Returns False, because manifests do not become stale."""
        return False

    async def is_unchanged(self, _world: World, _outcome: Outcome, _seconds: float) -> bool:
        """Always true."""
        return True

    def confirm(self, world: World, _cached: Outcome, decide: Callable[[World], Outcome], _deadline: float) -> Outcome:
        """Repeat the decision with the same objects."""
        return decide(world)

    def late(self, world: World) -> World:
        """Returns the same world, because manifests are never late."""
        return world
