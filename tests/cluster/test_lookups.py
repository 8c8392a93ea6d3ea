"""Recorded lookups, and their repetition at the API server."""

from collections.abc import Mapping

from tests.clocks import Clock
from tests.cluster.fake_apiserver import FakeTransport, answer, claim, document, fixed, listed
from tests.cluster.stores import OS, confirming, named, store_of
from webhook.cluster.facts import ClusterFacts, ClusterWorld
from webhook.cluster.lookups import Question, RecordingWorld, TimedOutWorld
from webhook.cluster.ports import Answer
from webhook.facts.unknown import Late, Unknown, Unread
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import Node
from webhook.objects.storage import DataVolume, PersistentVolumeClaim, StorageClass
from webhook.objects.vm import VirtualMachine


def test_a_judgement_is_confirmed_by_the_same_lookups() -> None:
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


def test_a_recording_knows_untrusted_results() -> None:
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

    lookups = [world.find(PersistentVolumeClaim, "shop", name) for name in "abc"]
    assert [isinstance(lookup, Late) for lookup in lookups] == [False, False, True]
    assert world.is_late
    assert len(transport.asked) == 2


def test_recorded_lists_are_used_until_a_denial() -> None:
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


def test_vms_are_never_listed_for_a_decision() -> None:
    """
    A cluster has too many VMs, and the account may not list them. The result stays unknown after a live read.
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


def test_a_late_decision_prefers_live_results_to_trusted_ones() -> None:
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

    lookups = [late.find(PersistentVolumeClaim, "shop", name) for name in "ab"]
    assert [lookup.spec.access_modes for lookup in lookups if isinstance(lookup, PersistentVolumeClaim)] == [
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
