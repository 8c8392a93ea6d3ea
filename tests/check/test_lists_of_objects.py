"""The lists of all objects of a kind (webhook.facts.objects_world)."""

from typing import Any

import pytest

from webhook.facts.candidate_lists import CandidateLists
from webhook.facts.objects_world import ObjectsWorld
from webhook.objects.meta import ObjectMeta
from webhook.objects.storage import PersistentVolumeClaim


def test_two_threads_can_make_the_same_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A server judges large reviews in a thread of their own. Here, the second list is made while the first is being made.
    """
    world = ObjectsWorld(())
    claims = [PersistentVolumeClaim("v1", "PersistentVolumeClaim", ObjectMeta(name), None) for name in "ab"]
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
