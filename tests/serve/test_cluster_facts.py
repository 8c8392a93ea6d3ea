"""What the door may decide on by the store alone, and what it has to read first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.resolve.fake_apiserver import Clock, FakeTransport, answer, claim, fixed, listed
from webhook.facts.world import World
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.review import StatusCause
from webhook.objects.storage import PersistentVolumeClaim
from webhook.resolve.cluster import ClusterFacts
from webhook.resolve.ports import Answer
from webhook.serve.cluster_facts import ClusterBacked
from webhook.surfaces.admission.validate import Outcome

OS = "/api/v1/namespaces/shop/persistentvolumeclaims/os"
KUBEVIRTS = "/apis/kubevirt.io/v1/kubevirts"
PASS, REFUSE = Outcome((), ()), Outcome((StatusCause(),), ())


@dataclass
class Cluster:
    """What the store has, and what the API server has."""

    stored: Mapping[type[Kubernetes], list[dict[str, Any]]]
    live: Mapping[str, Answer]
    clock: Clock = field(default_factory=Clock)
    transport: FakeTransport = field(init=False)
    looked_up: list[str] = field(default_factory=list)

    def backed(self) -> ClusterBacked:
        self.transport = FakeTransport(fixed(self.live))
        facts = ClusterFacts([], clock=self.clock)
        facts.start(transport=self.transport)
        facts.store = ClusterFacts(list(self.stored), clock=self.clock).store
        for kind, documents in self.stored.items():
            facts.store.replace(
                kind, [facts.store.read(kind, json.dumps(each).encode(), "v1") for each in documents], "v1"
            )
        return ClusterBacked(facts, lambda ended, _: self.looked_up.append(ended))


def by_claim(world: World) -> Outcome:
    """Refuses a claim that is not shared, as seen by the settings of a KubeVirt CR."""
    found = world.find(PersistentVolumeClaim, "shop", "os")
    world.every(KubeVirt)
    shared = isinstance(found, PersistentVolumeClaim) and found.spec.access_modes == ["ReadWriteMany"]
    return PASS if shared else REFUSE


def by_settings(world: World) -> Outcome:
    """Refuses where there is no KubeVirt CR."""
    return PASS if world.every(KubeVirt) else REFUSE


@pytest.mark.parametrize(
    ("stored", "live", "expected", "asked"),
    [
        ("ReadWriteMany", "ReadWriteMany", PASS, [OS]),
        ("ReadWriteMany", "ReadWriteOnce", REFUSE, [OS, KUBEVIRTS]),
        ("ReadWriteOnce", "ReadWriteMany", PASS, [OS]),
        ("ReadWriteOnce", "ReadWriteOnce", REFUSE, [OS, KUBEVIRTS]),
    ],
)
def test_what_is_named_is_read_before_any_answer(stored: str, live: str, expected: Outcome, asked: list[str]) -> None:
    """
    A watch that lags lets nobody in on a claim of yesterday, and keeps nobody out; settings are read before a denial.
    """
    cluster = Cluster(
        {PersistentVolumeClaim: [claim("os", stored)], KubeVirt: []},
        {OS: answer(claim("os", live)), KUBEVIRTS: listed()},
    )
    backed = cluster.backed()
    world = backed.world()
    first = by_claim(world)

    assert backed.needs_confirmation(world, first)
    assert backed.confirm(world, by_claim, 1.0) == expected
    assert cluster.transport.asked == asked
    assert cluster.looked_up == ["judged"]


def test_settings_of_a_trusted_store_allow_without_a_question() -> None:
    """
    A machine that names nothing costs no request, unless the settings are old.
    """
    cluster = Cluster({KubeVirt: [{"metadata": {"name": "kubevirt", "namespace": "kubevirt"}}]}, {})
    backed = cluster.backed()
    fresh = backed.world()
    by_settings(fresh)
    cluster.clock.now += 91
    old = backed.world()
    by_settings(old)

    assert not backed.needs_confirmation(fresh, PASS)
    assert backed.needs_confirmation(fresh, REFUSE)
    assert backed.needs_confirmation(old, PASS)
