"""The decisions that admission makes from the store, and the reads that come before other decisions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clocks import Clock
from tests.cluster.fake_apiserver import NO_SUCH_OBJECT, NOT_SERVED, FakeTransport, answer, claim, listed
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.live_rounds import FIRST
from webhook.cluster.ports import Answer
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.review import StatusCause
from webhook.objects.storage import PersistentVolumeClaim
from webhook.serve.cluster_facts import ClusterSource
from webhook.surfaces.admission.validate import Outcome

OS = "/api/v1/namespaces/shop/persistentvolumeclaims/os"
KUBEVIRTS = "/apis/kubevirt.io/v1/kubevirts"
PASS, REFUSE = Outcome((), ()), Outcome((StatusCause(),), ())


@dataclass
class Cluster:
    """What the store has, and what the API server has."""

    stored: Mapping[type[Kubernetes], list[dict[str, Any]]]
    live: Mapping[str, Answer]
    otherwise: Answer = NOT_SERVED
    clock: Clock = field(default_factory=Clock)
    transport: FakeTransport = field(init=False)
    observe_live_reads: list[str] = field(default_factory=list)

    def backed(self) -> ClusterSource:
        self.transport = FakeTransport(lambda path, _: self.live.get(path, self.otherwise))
        facts = ClusterFacts([], clock=self.clock)
        facts.start(transport=self.transport)
        facts.store = ClusterFacts(list(self.stored), clock=self.clock).store
        for kind, documents in self.stored.items():
            facts.store.replace(
                kind, [facts.store.read(kind, json.dumps(document).encode(), "v1") for document in documents], "v1"
            )
        return ClusterSource(facts, lambda ended, _: self.observe_live_reads.append(ended))


def by_claim(world: World) -> Outcome:
    """Refuses a claim that is not shared, as seen by the settings of a KubeVirt CR."""
    stored = world.find(PersistentVolumeClaim, "shop", "os")
    world.every(KubeVirt)
    shared = isinstance(stored, PersistentVolumeClaim) and stored.spec.access_modes == ["ReadWriteMany"]
    return PASS if shared else REFUSE


def names_of(*wanted: str) -> Callable[[World], Outcome]:
    """Refuses each of these claims that is not shared; one that cannot be known passes."""

    def decide(world: World) -> Outcome:
        claims = {name: world.find(PersistentVolumeClaim, "shop", name) for name in wanted}
        bad = [
            name
            for name, stored in claims.items()
            if isinstance(stored, PersistentVolumeClaim) and stored.spec.access_modes != ["ReadWriteMany"]
        ]
        return Outcome(tuple(StatusCause(message=f"claim {name!r} is not shared") for name in bad), ())

    return decide


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
def test_named_objects_are_read_before_any_response(
    stored: str, live: str, expected: Outcome, asked: list[str]
) -> None:
    """
    A late watch neither admits nor denies a VM because of an outdated claim. Settings are read before a denial.
    """
    cluster = Cluster(
        {PersistentVolumeClaim: [claim("os", stored)], KubeVirt: []},
        {OS: answer(claim("os", live)), KUBEVIRTS: listed()},
    )
    backed = cluster.backed()
    world = backed.world()
    first = by_claim(world)

    assert backed.needs_confirmation(world, first)
    assert backed.confirm(world, first, by_claim, 1.0) == expected
    assert cluster.transport.asked == asked
    assert cluster.observe_live_reads == ["judged"]


def test_trusted_settings_allow_a_vm_without_a_read() -> None:
    """
    A VM without references needs no read, unless the settings are stale.
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


def path(name: str) -> str:
    return f"/api/v1/namespaces/shop/persistentvolumeclaims/{name}"


ABSENT_NAMES = [f"absent-{number:03}" for number in range(250)]


@pytest.mark.parametrize("place", [0, 100, 250])
def test_a_denial_is_confirmed_without_reading_every_name(place: int) -> None:
    """
    One single-node claim among 250 names that do not exist: a few reads confirm it, wherever it stands.
    """
    cluster = Cluster(
        {PersistentVolumeClaim: [claim("bad", "ReadWriteOnce")]}, {path("bad"): answer(claim("bad", "ReadWriteOnce"))}
    )
    backed, decide = cluster.backed(), names_of(*ABSENT_NAMES[:place], "bad", *ABSENT_NAMES[place:])
    world = backed.world()

    outcome = backed.confirm(world, decide(world), decide, 1.0)

    assert [cause.message for cause in outcome.causes] == ["claim 'bad' is not shared"]
    assert not outcome.late
    assert cluster.transport.asked[0] == path("bad")
    assert len(cluster.transport.asked) == FIRST


def test_an_early_denial_names_only_confirmed_causes() -> None:
    """
    If the policy denies unproven results, a few of 250 missing names confirm the denial. Names that were not read are
    not among the causes.
    """
    cluster = Cluster({PersistentVolumeClaim: []}, {}, NO_SUCH_OBJECT)
    backed = cluster.backed()

    def decide(world: World) -> Outcome:
        unknown = [world.find(PersistentVolumeClaim, "shop", name) for name in ABSENT_NAMES]
        return Outcome(tuple(StatusCause(message=value.why) for value in unknown if isinstance(value, Unknown)), ())

    world = backed.world()

    outcome = backed.confirm(world, decide(world), decide, 1.0)

    assert [cause.message for cause in outcome.causes] == [
        f"PVC {name!r} does not exist yet in namespace 'shop', so its access modes are unknown"
        for name in ABSENT_NAMES[:FIRST]
    ]
    assert len(cluster.transport.asked) == FIRST


def test_all_names_are_read_if_a_denial_is_not_confirmed() -> None:
    """
    The claim was corrected meanwhile: every other name is read before the request passes.
    """
    cluster = Cluster(
        {PersistentVolumeClaim: [claim("bad", "ReadWriteOnce")]},
        {path("bad"): answer(claim("bad", "ReadWriteMany"))}
        | {path(name): NO_SUCH_OBJECT for name in ABSENT_NAMES[:-1]}
        | {path(ABSENT_NAMES[-1]): answer(claim(ABSENT_NAMES[-1], "ReadWriteOnce"))},
    )
    backed, decide = cluster.backed(), names_of("bad", *ABSENT_NAMES)
    world = backed.world()

    outcome = backed.confirm(world, decide(world), decide, 1.0)

    assert [cause.message for cause in outcome.causes] == [f"claim '{ABSENT_NAMES[-1]}' is not shared"]
    assert len(cluster.transport.asked) == len(ABSENT_NAMES) + 1


@pytest.mark.parametrize(
    ("age", "live", "refused", "late"),
    [
        (0, "ReadWriteOnce", True, False),
        (0, None, True, True),
        (0, "ReadWriteMany", False, True),
        (91, "ReadWriteOnce", True, False),
        (91, None, False, True),
        (91, "ReadWriteMany", False, True),
    ],
    ids=[
        "fresh, confirmed",
        "fresh, hanging",
        "fresh, disproved",
        "stale, confirmed",
        "stale, hanging",
        "stale, disproved",
    ],
)
def test_a_late_denial_rests_on_live_or_fresh_facts(age: float, live: str | None, refused: bool, late: bool) -> None:
    """
    Where time runs out, a denial by a fresh store is kept; one that a live read disproved, or a stale store gave, is not.
    """
    answers = {path("bad"): answer(claim("bad", live))} if live else {}
    cluster = Cluster({PersistentVolumeClaim: [claim("bad", "ReadWriteOnce")]}, answers, answer({}, 503))
    backed, decide = cluster.backed(), names_of("bad", "absent")
    cached = decide(backed.world())
    cluster.clock.now += age
    world = backed.world()
    decide(world)

    outcome = backed.confirm(world, cached, decide, 1.0)

    assert (not outcome.allowed, outcome.late) == (refused, late)


def test_without_a_thread_in_time_only_fresh_facts_count() -> None:
    """
    A review that gets no thread for live reads uses facts of a fresh store, and none of a stale one.
    """
    cluster = Cluster({PersistentVolumeClaim: [claim("bad", "ReadWriteOnce")]}, {})
    backed, decide = cluster.backed(), names_of("bad")
    fresh = backed.world()
    decide(fresh)
    cluster.clock.now += 91
    stale = backed.world()
    decide(stale)

    assert not decide(backed.late(fresh)).allowed
    assert decide(backed.late(stale)).allowed
