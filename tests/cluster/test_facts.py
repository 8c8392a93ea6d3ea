"""Worlds of a cluster: what they answer, from the store and past it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.fake_apiserver import (
    NO_SUCH_OBJECT,
    NOT_SERVED,
    Clock,
    FakeTransport,
    Get,
    answer,
    claim,
    document,
    fixed,
    listed,
    unreachable,
)
from webhook.cluster.facts import WATCHED, ClusterFacts, ClusterWorld
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.lookups import LiveWorld, Question, RecordingWorld, TimedOutWorld
from webhook.cluster.ports import Answer
from webhook.cluster.store import Store
from webhook.facts.unknown import ABSENT, Late, Unknown, Unread
from webhook.objects.instancetype import ControllerRevision, VirtualMachineInstancetype
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.storage import DataVolume, PersistentVolumeClaim, StorageClass, StorageProfile
from webhook.objects.vm import VirtualMachine

NAD = NetworkAttachmentDefinition
CLAIMS = "/api/v1/persistentvolumeclaims"
BAD_NAMES = ["../secrets/db", "a%2f..", "x?watch=1", "a" * 254, "", "Os", "os.", "os/status", "os\n", "ſ"]


def store_of(clock: Clock, objects: Mapping[type[Kubernetes], list[dict[str, Any]]]) -> Store:
    """A store with all watched kinds, of which those in OBJECTS are synced."""
    store = Store(WATCHED, clock)
    for kind, documents in objects.items():
        seen = [store.read(kind, json.dumps(each).encode(), "v1") for each in documents]
        store.replace(kind, seen, "v1")
    return store


# --- the world ---


def test_a_world_finds_what_is_stored() -> None:
    """
    Claims by namespace and name; of cluster-scoped kinds the namespace does not count; an empty one is the default.
    """
    clock = Clock()
    store = store_of(clock, {PersistentVolumeClaim: [claim("os")], StorageProfile: [document("ceph", None)]})

    world = ClusterWorld(store, default_namespace="shop", clock=clock)

    found = [
        world.find(PersistentVolumeClaim, "shop", "os"),
        world.find(PersistentVolumeClaim, "", "os"),
        world.find(StorageProfile, "shop", "ceph"),
    ]
    names = [each.name for each in found if isinstance(each, Kubernetes)]
    assert names == ["os", "os", "ceph"]
    assert world.every(StorageProfile) == (found[2],)
    assert isinstance(world.find(PersistentVolumeClaim, "other", "os"), Unknown)


@pytest.mark.parametrize(("kind", "what"), [(PersistentVolumeClaim, "PVC"), (DataVolume, "DataVolume")])
def test_a_claim_that_is_not_there_may_still_come(kind: type[Kubernetes], what: str) -> None:
    """
    A VM may be created before its claims, so their absence says nothing about what they will be.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {kind: []}), clock=clock)

    found = world.find(kind, "shop", "os")

    assert found == Unknown(f"{what} 'os' does not exist yet in namespace 'shop'", "create it, then check again")


@pytest.mark.parametrize("kind", [NAD, StorageProfile, StorageClass, KubeVirt, VirtualMachineInstancetype])
def test_other_kinds_that_are_not_there_are_absent(kind: type[Kubernetes]) -> None:
    """
    Of what was listed whole, the rest does not exist.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {kind: []}), clock=clock)

    assert world.find(kind, "shop", "os") is ABSENT
    assert world.every(kind) == ()


def test_a_kind_whose_definition_is_not_installed_has_no_objects() -> None:
    """
    Without CDI there is no DataVolume, and that is known.
    """
    clock = Clock()
    store = store_of(clock, {})
    store.miss(DataVolume)
    world = ClusterWorld(store, clock=clock)

    assert world.find(DataVolume, "shop", "os") is ABSENT
    assert world.every(DataVolume) == ()


def test_what_was_never_listed_is_unknown() -> None:
    """
    Before the first list, and for kinds that are not watched, nobody can tell.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {}), clock=clock)

    expected = Unread("the cluster's PVCs have not been read yet", "try again")
    assert world.find(PersistentVolumeClaim, "shop", "os") == expected
    assert world.every(PersistentVolumeClaim) == expected
    assert world.every(StorageClass) == Unread("the cluster's StorageClasses have not been read yet", "try again")
    assert world.find(ControllerRevision, "shop", "r") == Unread(
        "the cluster's ControllerRevisions have not been read yet", "try again"
    )


def test_an_old_store_is_not_trusted() -> None:
    """
    Ninety seconds without a bookmark: not even an object that is stored counts.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {PersistentVolumeClaim: [claim("os")]}), clock=clock)
    clock.now += 91

    expected = Unread("the watch of PVCs has received nothing for more than 90 seconds", "try again")
    assert world.find(PersistentVolumeClaim, "shop", "os") == expected
    assert world.every(PersistentVolumeClaim) == expected


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", [*WATCHED, ControllerRevision])
def test_what_cannot_be_a_name_never_reaches_the_api_server(kind: type[Kubernetes], name: str) -> None:
    """
    Names are checked before a path is made of them (DNS-1123, at most 253 characters).
    """
    clock, transport = Clock(), FakeTransport(fixed({}))
    live = LiveReads(transport, lambda _: "", clock)
    world = ClusterWorld(store_of(clock, {}), live, clock=clock)

    found = [world.find(kind, "shop", name), live.confirm(kind, "shop", name, 1.0)]

    assert all(isinstance(each, Unknown) and each.why.startswith("invalid ") for each in found)
    assert all(isinstance(each, Unknown) and "\n" not in each.why and len(each.why) < 110 for each in found)
    assert transport.asked == []


@pytest.mark.parametrize("namespace", ["../kube-system", "a/b", "", "a" * 64, "a.b", "Shop"])
def test_what_cannot_be_a_namespace_never_reaches_the_api_server(namespace: str) -> None:
    """
    The same holds for namespaces, which are labels: no dots, at most 63 characters.
    """
    transport = FakeTransport(fixed({}))

    found = LiveReads(transport, lambda _: "", Clock()).confirm(PersistentVolumeClaim, namespace, "os", 1.0)

    assert isinstance(found, Unknown)
    assert transport.asked == []


@given(st.text(max_size=300))
def test_a_path_is_made_of_plain_names_only(name: str) -> None:
    """
    Whatever text a claim name holds, either no request is made or its path is that of one claim.
    """
    transport = FakeTransport(fixed({}))

    LiveReads(transport, lambda _: "v1", Clock()).confirm(PersistentVolumeClaim, "shop", name, 1.0)

    for path in transport.asked:
        prefix, _, last = path.rpartition("/")
        assert prefix == "/api/v1/namespaces/shop/persistentvolumeclaims"
        assert last == name
        assert set(last) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert not last.startswith(".")


# --- live reads ---

OS = "/api/v1/namespaces/shop/persistentvolumeclaims/os"


def confirming(
    recording: RecordingWorld, transport: FakeTransport, store: Store, clock: Clock, seconds: float = 1.0
) -> LiveWorld:
    return LiveWorld(recording, LiveReads(transport, store.version, clock), clock() + seconds, clock=clock)


def named(recording: RecordingWorld) -> list[Question]:
    return [each for each in recording.answers if each.name is not None]


def live_claim(given_answer: Answer, *, deadline: float = 1.0) -> object:
    return LiveReads(FakeTransport(fixed({OS: given_answer})), lambda _: "v1", Clock()).confirm(
        PersistentVolumeClaim, "shop", "os", deadline
    )


def test_a_live_read_gives_the_object() -> None:
    """
    The object as it is now, reduced as in the store.
    """
    found = live_claim(answer(claim("os", "ReadWriteOnce")))

    assert isinstance(found, PersistentVolumeClaim)
    assert found.spec.access_modes == ["ReadWriteOnce"]


LATE = Late("the API server did not return PVC 'os' in time", "try again")
NO_ANSWER = Unread("the API server did not return PVC 'os'", "try again")


@pytest.mark.parametrize(
    ("given_answer", "expected"),
    [
        (
            NO_SUCH_OBJECT,
            Unknown(
                "PVC 'os' does not exist yet in namespace 'shop'",
                "create it, then check again",
            ),
        ),
        (
            answer({}, 403),
            Unread(
                "Migratable is not allowed to read PVCs of this cluster",
                "grant its account the verbs get, list and watch on persistentvolumeclaims",
            ),
        ),
        (NOT_SERVED, NO_ANSWER),
        (answer({}, 500), NO_ANSWER),
        (answer({}, 429), LATE),
        (answer({}, 503), LATE),
        (answer({}, 504), LATE),
        (Answer(200, b"<html>"), NO_ANSWER),
        (answer(claim("other")), NO_ANSWER),
    ],
)
def test_a_live_read_that_fails_says_why(given_answer: Answer, expected: Unknown) -> None:
    """
    It never raises, and never takes an error for an absence.
    """
    assert live_claim(given_answer) == expected


def test_without_time_left_nothing_is_asked() -> None:
    """
    A deadline that is over costs no request.
    """
    transport = FakeTransport(fixed({}))

    found = LiveReads(transport, lambda _: "v1", Clock()).confirm(PersistentVolumeClaim, "shop", "os", 0.0)

    assert found == LATE
    assert transport.asked == []


def test_a_live_read_tries_the_versions_that_a_kind_may_be_served_in() -> None:
    """
    Newest first where nobody knows better; a version that does not serve the kind is told from a missing object.
    """
    root = "/apis/instancetype.kubevirt.io"
    rest = "namespaces/shop/virtualmachineinstancetypes/os"
    transport = FakeTransport(fixed({f"{root}/v1alpha2/{rest}": NO_SUCH_OBJECT}))

    found = LiveReads(transport, lambda _: "", Clock()).confirm(VirtualMachineInstancetype, "shop", "os", 1.0)

    assert found is ABSENT
    assert transport.asked == [f"{root}/v1beta1/{rest}", f"{root}/v1alpha2/{rest}"]


def test_a_live_list_follows_its_pages() -> None:
    """
    All pages, or Unknown; nodes are asked for as metadata alone.
    """

    def pages(path: str, query: Mapping[str, str]) -> Answer:
        if "continue" not in query:
            return listed(document("n1", None), token="next")
        return listed(document("n2", None))

    transport = FakeTransport(pages)
    live = LiveReads(transport, lambda _: "v1", Clock())

    found = live.confirm_every(Node, 1.0)

    assert isinstance(found, tuple)
    assert [each.name for each in found] == ["n1", "n2"]
    assert {each.split(",")[0] for each in transport.accepts} == {
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    }


NO_LIST = Unread("the API server did not return PVCs", "try again")
LATE_LIST = Late("the API server did not return PVCs in time", "try again")


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (unreachable, LATE_LIST),
        (fixed({CLAIMS: answer({}, 503)}), LATE_LIST),
        (fixed({CLAIMS: answer({}, 500)}), NO_LIST),
        (fixed({CLAIMS: Answer(200, b"[")}), NO_LIST),
    ],
)
def test_a_live_list_that_fails_is_unread(broken: Get, expected: Unread) -> None:
    """
    A failed list is never an empty list.
    """
    found = LiveReads(FakeTransport(broken), lambda _: "v1", Clock()).confirm_every(PersistentVolumeClaim, 1.0)

    assert found == expected


def test_a_world_with_a_live_reader_reads_what_the_store_cannot_say() -> None:
    """
    ControllerRevisions always; other kinds while they are not listed, or old.
    """
    clock = Clock()
    revision = "/apis/apps/v1/namespaces/shop/controllerrevisions/r"
    transport = FakeTransport(
        fixed({revision: answer(document("r", data={"spec": {}})), OS: answer(claim("os", "ReadWriteOnce"))})
    )
    store = store_of(clock, {PersistentVolumeClaim: [claim("os")]})
    live = LiveReads(transport, store.version, clock)

    found = ClusterWorld(store, live, clock=clock).find(ControllerRevision, "shop", "r")
    fresh = ClusterWorld(store, live, clock=clock).find(PersistentVolumeClaim, "shop", "os")
    clock.now += 91
    late = ClusterWorld(store, live, clock=clock).find(PersistentVolumeClaim, "shop", "os")

    assert isinstance(found, ControllerRevision)
    assert isinstance(fresh, PersistentVolumeClaim)
    assert isinstance(late, PersistentVolumeClaim)
    assert (fresh.spec.access_modes, late.spec.access_modes) == (["ReadWriteMany"], ["ReadWriteOnce"])
    assert transport.asked == [revision, OS]


# --- confirmation ---


def test_a_judgement_is_confirmed_by_the_same_questions() -> None:
    """
    What was found in the store is read again, once each, and what a second judgement asks beyond is read as well.
    """
    clock = Clock()
    store = store_of(clock, {PersistentVolumeClaim: [claim("os", "ReadWriteOnce")], Node: [document("n", None)]})
    recording = RecordingWorld(ClusterWorld(store, clock=clock), store.fresh)
    for _ in range(2):
        recording.find(PersistentVolumeClaim, "shop", "os")
    nodes = recording.every(Node)
    more = "/api/v1/namespaces/shop/persistentvolumeclaims/more"
    transport = FakeTransport(fixed({OS: answer(claim("os")), more: answer(claim("more"))}))

    world = confirming(recording, transport, store, clock)
    pending = world.find(PersistentVolumeClaim, "shop", "os")
    world.read(named(recording))

    assert isinstance(pending, Unread)
    assert transport.asked == [OS]
    confirmed = world.find(PersistentVolumeClaim, "shop", "os")
    assert isinstance(confirmed, PersistentVolumeClaim)
    assert confirmed.spec.access_modes == ["ReadWriteMany"]
    assert world.every(Node) is nodes
    assert isinstance(world.find(PersistentVolumeClaim, "shop", "more"), PersistentVolumeClaim)
    assert transport.asked == [OS, more]
    assert not recording.untrusted
    assert list(recording.answers) == [Question(PersistentVolumeClaim, "shop", "os"), Question(Node, "", None)]


def test_a_recording_says_when_the_store_was_not_good_enough() -> None:
    """
    An answer that rests on an old or unread kind must not allow anything by itself.
    """
    facts = ClusterFacts()
    recording = facts.recording()

    recording.find(PersistentVolumeClaim, "shop", "os")

    assert recording.untrusted
    assert facts.confirming(recording, 1.0) is None


def test_confirmation_ends_with_its_deadline() -> None:
    """
    All live reads share one deadline; after it there are no requests, and all is Unknown.
    """
    clock = Clock()
    store = store_of(clock, {PersistentVolumeClaim: [claim("a"), claim("b"), claim("c")]})
    recording = RecordingWorld(ClusterWorld(store, clock=clock), store.fresh)
    for name in "abc":
        recording.find(PersistentVolumeClaim, "shop", name)

    def slow(path: str, query: Mapping[str, str]) -> Answer:
        clock.now += 0.2
        return answer(claim(path[-1]))

    transport = FakeTransport(slow)

    world = confirming(recording, transport, store, clock, 0.3)
    world.read(named(recording))

    found = [world.find(PersistentVolumeClaim, "shop", name) for name in "abc"]
    assert [isinstance(each, Late) for each in found] == [False, False, True]
    assert world.is_late
    assert len(transport.asked) == 2


def test_lists_are_kept_until_something_is_to_be_denied() -> None:
    """
    Settings of the cluster come from the store where it is trusted, and from the API server before a denial; nodes stay.
    """
    clock = Clock()
    kubevirt = document("kubevirt", "kubevirt")
    store = store_of(clock, {KubeVirt: [kubevirt], Node: [document("n", None)], StorageClass: []})
    recording = RecordingWorld(ClusterWorld(store, clock=clock), lambda kind: kind is not StorageClass)
    known, nodes = recording.every(KubeVirt), recording.every(Node)
    recording.every(StorageClass)
    kubevirts, classes = "/apis/kubevirt.io/v1/kubevirts", "/apis/storage.k8s.io/v1/storageclasses"
    transport = FakeTransport(fixed({kubevirts: listed(), classes: listed(document("ceph", None))}))

    world = confirming(recording, transport, store, clock)
    world.every(StorageClass)
    asked_at_first, kept = list(transport.asked), world.every(KubeVirt)
    forgotten = [world.read_lists(), world.read_lists()]

    assert not recording.named
    assert (asked_at_first, kept) == ([classes], known)
    assert forgotten == [True, False]
    assert world.every(KubeVirt) == ()
    assert world.every(Node) is nodes
    assert transport.asked == [classes, kubevirts]


def test_machines_are_never_listed_for_an_answer() -> None:
    """
    There are too many, and our account may not: that nobody knows them is the answer that stays.
    """
    clock = Clock()
    store = store_of(clock, {})
    recording = RecordingWorld(ClusterWorld(store, clock=clock), store.trusted)
    unknown = recording.every(VirtualMachine)
    transport = FakeTransport(fixed({}))

    world = confirming(recording, transport, store, clock)
    world.read_lists()

    assert isinstance(unknown, Unknown)
    assert world.every(VirtualMachine) is unknown
    assert transport.asked == []


def test_a_late_decision_prefers_live_answers_then_trusted_ones() -> None:
    """
    When no time is left, a live answer that came counts, then a recorded one of a fresh kind; everything else is Late.
    """
    clock = Clock()
    store = store_of(clock, {PersistentVolumeClaim: [claim("a"), claim("b")], KubeVirt: [], DataVolume: []})
    recording = RecordingWorld(ClusterWorld(store, clock=clock), lambda kind: kind is not DataVolume)
    for name in "ab":
        recording.find(PersistentVolumeClaim, "shop", name)
    recording.find(DataVolume, "shop", "a")
    recording.every(KubeVirt)

    def once(path: str, query: Mapping[str, str]) -> Answer:
        clock.now += 2
        return answer(claim(path[-1], "ReadWriteOnce"))

    world = confirming(recording, FakeTransport(once), store, clock)
    world.read(named(recording))
    late, blind = TimedOutWorld(recording, world), TimedOutWorld(recording)

    found = [late.find(PersistentVolumeClaim, "shop", name) for name in "ab"]
    assert [each.spec.access_modes for each in found if isinstance(each, PersistentVolumeClaim)] == [
        ["ReadWriteOnce"],
        ["ReadWriteMany"],
    ]
    assert late.every(KubeVirt) == ()
    assert isinstance(late.find(DataVolume, "shop", "a"), Late)
    assert isinstance(late.find(PersistentVolumeClaim, "shop", "c"), Late)
    assert isinstance(late.every(Node), Late)
    unread = blind.find(PersistentVolumeClaim, "shop", "a")
    assert isinstance(unread, PersistentVolumeClaim)
    assert unread.spec.access_modes == ["ReadWriteMany"]
