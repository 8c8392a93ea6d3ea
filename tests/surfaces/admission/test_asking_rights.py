"""When admission reads the rights of an author, and its response if it cannot."""

import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from tests.surfaces.admission.foreign import (
    EVERY_KIND,
    IMAGES,
    TENANT,
    Known,
    Readers,
    claim,
    cloning,
    guarded,
    inferring,
    instancetype,
    labelled,
)
from tests.surfaces.admission.reviews import Manifest, read, review
from tests.surfaces.admission.test_confirming import Full
from tests.surfaces.admission.test_endpoint import door, post, response
from tests.surfaces.admission.test_timed_out import Cluster
from webhook.facts.objects_world import ObjectsWorld
from webhook.policy.policy import Policy
from webhook.surfaces.admission.disclosure import WITHHELD
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.admission.read_budget import ReadBudget
from webhook.surfaces.admission.responses import NOT_CONFIRMED
from webhook.surfaces.admission.validate import Outcome

GPU = "canary-gpu"
OWN, FOREIGN = review("CREATE", inferring(cloning("golden", TENANT))), review("CREATE", inferring(cloning("golden")))
DEFAULTS = Policy(default_eviction_strategy="LiveMigrate")


def cluster(namespace: str = IMAGES) -> list[Manifest]:
    """A claim by whose label a VM gets a GPU."""
    return [instancetype(GPU, "nvidia.com/A10"), labelled(claim("golden", namespace), instancetype=GPU)]


class NoThreads(Executor):
    """Starts nothing."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        raise AssertionError("a thread was asked for")


class NeverInTime(ReadBudget):
    """A turn that does not come."""

    async def begin(self, namespace: str, within_seconds: float) -> None:
        raise TimeoutError


class Saying:
    """Shows the outcome with a warning of its own."""

    def shown(self, _readable: Any, outcome: Outcome, _judging: Any, _seconds: float) -> Outcome:
        return replace(outcome, warnings=("shown",))


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
def test_a_review_of_objects_in_the_own_namespace_uses_no_thread(path: str) -> None:
    """
    Where no object of another namespace is looked up, nothing is asked, and no review waits for a thread.
    """
    to = guarded(cluster(TENANT), Readers(), DEFAULTS)
    to.executor = NoThreads()

    said = response(post(to, OWN, path))

    assert said["allowed"] is (path == "/mutate")
    assert "auditAnnotations" not in said


@pytest.mark.parametrize("turns", [Full, NeverInTime])
def test_a_denial_is_withheld_while_rights_are_not_known(turns: Callable[[int], ReadBudget]) -> None:
    """
    Where too many reviews ask, or the turn does not come in time, the denial stays and shows nothing.
    """
    to = guarded(cluster(), Readers([IMAGES]))
    to.reading = turns(1)

    said = response(post(to, FOREIGN))

    assert said["status"]["message"] == WITHHELD.message
    assert GPU not in json.dumps(said)


@pytest.mark.parametrize("turns", [Full, NeverInTime])
def test_no_default_is_filled_in_while_rights_are_not_known(turns: Callable[[int], ReadBudget]) -> None:
    """
    The object passes as it is.
    """
    to = guarded([], Readers([IMAGES]), DEFAULTS)
    assert "patch" in response(post(to, FOREIGN, "/mutate"))

    to.reading = turns(1)

    said = response(post(to, FOREIGN, "/mutate"))
    assert (said["allowed"], set(said)) == (True, {"uid", "allowed"})


def test_facts_from_manifests_are_always_shown() -> None:
    """
    A server that takes its facts from files knows no rights, so the denial names the other namespace's object.
    """
    to = door(Known(cluster()), disclosure=None)
    defaulting = door(Known([]), configuration=guarded([], Readers(), DEFAULTS).configuration)

    assert GPU in response(post(to, FOREIGN))["status"]["message"]
    assert "patch" in response(post(defaulting, FOREIGN, "/mutate"))


def test_a_late_denial_keeps_the_warnings_that_are_shown() -> None:
    """
    The warning that the denial is not confirmed comes last.
    """
    world = ObjectsWorld([read(manifest) for manifest in cluster()], EVERY_KIND)

    said = response(post(late(world), FOREIGN))

    assert not said["allowed"]
    assert said["warnings"][0] == "shown"
    assert NOT_CONFIRMED in said["warnings"]


def late(world: ObjectsWorld) -> AdmissionApp:
    return door(Cluster(world, world), disclosure=Saying())
