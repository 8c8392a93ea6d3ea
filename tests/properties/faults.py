"""Clusters whose responses change at random, and facts that fail. Neither may block a request that is never blocked."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.properties.supply import Around, clusters
from tests.surfaces.asgi import Answer, call
from webhook.check.check import ReleaseChoice
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.meta import Kubernetes
from webhook.policy.policy import Policy
from webhook.serve.metrics import Metrics
from webhook.surfaces.admission.endpoint import ActiveConfiguration, AdmissionApp
from webhook.surfaces.admission.validate import Outcome

K = TypeVar("K", bound=Kubernetes)


class Flapping:
    """Returns at random the object, its absence, or Unknown."""

    def __init__(self, around: Around, seed: int) -> None:
        self._world = around.world()
        self._chance = random.Random(seed)

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Sometimes what is there, under that name or another."""
        listed = self._world.every(kind)
        choices: list[Any] = [ABSENT, Unknown("the read failed", "wait"), self._world.find(kind, namespace, name)]
        if not isinstance(listed, Unknown):
            choices += listed
        return self._chance.choice(choices)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Sometimes all, sometimes half of it."""
        listed = self._world.every(kind)
        if isinstance(listed, Unknown) or self._chance.random() < 0.2:
            return Unknown("the read failed", "wait")
        return tuple(item for item in listed if self._chance.random() < 0.5)


class Broken:
    """Raises whatever it is asked."""

    def find(self, *_: object) -> Any:
        raise RuntimeError("CANARY")

    def every(self, *_: object) -> Any:
        raise RuntimeError("CANARY")


FAULTS = ("none", "no world", "broken world", "confirming raises", "confirming is late", "asking again raises")


class Faulty:
    """Facts with one fault."""

    ready = True

    def __init__(self, fault: str, world: World) -> None:
        self._fault = fault
        self._world = world

    def world(self) -> World:
        """The flapping one, a broken one, or none."""
        if self._fault == "no world":
            raise MemoryError
        return Broken() if self._fault == "broken world" else self._world

    def needs_confirmation(self, _world: World, _outcome: Outcome) -> bool:
        """Where confirming is what fails."""
        return self._fault not in FAULTS[:3]

    async def is_unchanged(self, _world: World, _outcome: Outcome, _within_seconds: float) -> bool:
        """Never, or not even that."""
        if self._fault == "asking again raises":
            raise OSError("CANARY")
        return False

    def confirm(self, _world: World, _cached: Outcome, decide: Callable[[World], Outcome], deadline: float) -> Outcome:
        """Raises, or comes too late."""
        if self._fault == "confirming raises":
            raise KeyError("CANARY")
        time.sleep(deadline * 2)  # a late result is the fault under test
        return decide(self._world)

    def late(self, _world: World) -> World:
        """Nothing is known."""
        return ObjectsWorld([])


def faulty_answer(
    fault: str, around: Around, seed: int, policy: Policy, body: bytes, path: str = "/validate"
) -> Answer:
    """The response, for a caller with a short timeout."""
    configuration = ActiveConfiguration(policy, ReleaseChoice(SUPPORTED, "any"), "kubevirt", "2026-06-01")
    door = AdmissionApp(Faulty(fault, Flapping(around, seed)), lambda: configuration, METRICS, time.monotonic)
    return call(door, "POST", path, body, [("content-type", "application/json")], "timeout=0.5s")


METRICS = Metrics()
SEEDS = st.integers(0, 2**32)


def flapping() -> st.SearchStrategy[Flapping]:
    """Flapping clusters."""
    return st.builds(Flapping, clusters(), SEEDS)
