"""The source of other objects for admission, which ``webhook.serve`` implements."""

from collections.abc import Callable
from typing import Protocol

from webhook.facts.world import World
from webhook.surfaces.admission.validate import Outcome


class Facts(Protocol):
    """The source of other objects."""

    @property
    def ready(self) -> bool:
        """Whether every kind has been listed at least once."""
        ...

    def world(self) -> World:
        """The objects that are known now. Never waits."""
        ...

    def confirm(self, world: World, cached: Outcome, decide: Callable[[World], Outcome], deadline: float, /) -> Outcome:
        """
        Repeats a decision with freshly read objects, within ``deadline`` seconds. The method waits, so it runs in a thread.

        ``cached`` is the outcome that was decided with ``world``. The result is ``late`` if an object could not be read in
        time.
        """
        ...

    def late(self, world: World, /) -> World:
        """The world to use if no time is left for reads. All its objects are certainly current."""
        ...

    async def is_unchanged(self, world: World, outcome: Outcome, within_seconds: float, /) -> bool:
        """
        Whether the API server confirms that the cached objects behind the outcome are unchanged. If not, call ``confirm``.
        """
        ...

    def needs_confirmation(self, world: World, outcome: Outcome, /) -> bool:
        """Whether the outcome depends on cached objects that must be read again."""
        ...
