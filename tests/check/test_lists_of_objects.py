"""The lists of all objects of a kind (webhook.facts.objects_world and layered_world)."""

from typing import Any

import pytest

from webhook.facts.candidates import CandidateLists
from webhook.facts.layered_world import LayeredWorld
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import for_advice
from webhook.objects.meta import ObjectMeta
from webhook.objects.storage import PersistentVolumeClaim


def a_claim(name: str) -> PersistentVolumeClaim:
    return PersistentVolumeClaim("v1", "PersistentVolumeClaim", ObjectMeta(name), None)


def test_manifests_over_a_cluster_have_one_list_for_all_judgements() -> None:
    """
    An index of a list is used as long as the list is the same object. Each judgement makes a world for advice.
    """
    front, back = a_claim("a"), a_claim("b")
    world = LayeredWorld(ObjectsWorld([front]), ObjectsWorld([back]))

    lists = [each.every(PersistentVolumeClaim) for each in (world, for_advice(world), for_advice(world))]

    assert lists[0] == (front, back)
    assert all(listed is lists[0] for listed in lists)


def test_two_threads_can_make_the_same_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server judges large reviews in a thread of their own. Here, the second list is made while the first is being made.
    """
    world = ObjectsWorld(())
    claims = [a_claim(name) for name in "ab"]
    for claim in claims:
        world.add(claim, "claims.yaml")
    nearest, others = CandidateLists.nearest, list[Any]()

    def interrupted(self: CandidateLists[Any], *given: Any) -> Any:
        if not others:
            others.append(None)
            others.append(world.every(PersistentVolumeClaim))
        return nearest(self, *given)

    monkeypatch.setattr(CandidateLists, "nearest", interrupted)

    assert world.every(PersistentVolumeClaim) == tuple(claims)
    assert others == [None, tuple(claims)]
