"""Lookups in a ClusterWorld without live reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import Clock
from tests.cluster.fake_apiserver import FakeTransport, claim, document, fixed
from tests.cluster.stores import store_of
from webhook.cluster.facts import WATCHED, ClusterWorld
from webhook.cluster.live_reads import LiveReads
from webhook.facts.unknown import ABSENT, Unknown, Unread
from webhook.objects.instancetype import ControllerRevision, VirtualMachineInstancetype
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import DataVolume, PersistentVolumeClaim, StorageClass, StorageProfile

NAD = NetworkAttachmentDefinition
BAD_NAMES = ["../secrets/db", "a%2f..", "x?watch=1", "a" * 254, "", "Os", "os.", "os/status", "os\n", "ſ"]


def test_a_world_returns_stored_objects() -> None:
    """
    Claims by namespace and name; of cluster-scoped kinds the namespace does not count; an empty one is the default.
    """
    clock = Clock()
    store = store_of(clock, {PersistentVolumeClaim: [claim("os")], StorageProfile: [document("ceph", None)]})

    world = ClusterWorld(store, default_namespace="shop", clock=clock)

    lookups = [
        world.find(PersistentVolumeClaim, "shop", "os"),
        world.find(PersistentVolumeClaim, "", "os"),
        world.find(StorageProfile, "shop", "ceph"),
    ]
    names = [item.name for item in lookups if isinstance(item, Kubernetes)]
    assert names == ["os", "os", "ceph"]
    assert world.every(StorageProfile) == (lookups[2],)
    assert isinstance(world.find(PersistentVolumeClaim, "other", "os"), Unknown)


@pytest.mark.parametrize(("kind", "what"), [(PersistentVolumeClaim, "PVC"), (DataVolume, "DataVolume")])
def test_a_missing_claim_is_unknown_because_it_can_be_created_later(kind: type[Kubernetes], what: str) -> None:
    """
    A VM may be created before its claims, so their absence says nothing about what they will be.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {kind: []}), clock=clock)

    lookup = world.find(kind, "shop", "os")

    assert lookup == Unknown(
        f"{what} 'os' does not exist yet in namespace 'shop', so its access modes are unknown",
        "create it with `accessModes: [ReadWriteMany]`",
    )


@pytest.mark.parametrize("kind", [NAD, StorageProfile, StorageClass, KubeVirt, VirtualMachineInstancetype])
def test_missing_objects_of_other_kinds_are_absent(kind: type[Kubernetes]) -> None:
    """
    Of what was listed whole, the rest does not exist.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {kind: []}), clock=clock)

    assert world.find(kind, "shop", "os") is ABSENT
    assert world.every(kind) == ()


def test_a_kind_without_installed_crd_has_no_objects() -> None:
    """
    Without CDI there is no DataVolume, and that is known.
    """
    clock = Clock()
    store = store_of(clock, {})
    store.miss(DataVolume)
    world = ClusterWorld(store, clock=clock)

    assert world.find(DataVolume, "shop", "os") is ABSENT
    assert world.every(DataVolume) == ()


def test_a_kind_that_was_never_listed_is_unknown() -> None:
    """
    An object is unknown before the first list, and if its kind is not watched.
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


def test_a_stale_store_is_not_trusted() -> None:
    """
    Ninety seconds without a bookmark: not even an object that is stored counts.
    """
    clock = Clock()
    world = ClusterWorld(store_of(clock, {PersistentVolumeClaim: [claim("os")]}), clock=clock)
    clock.now += 91

    expected = Unread("the watch of PVCs has received nothing for more than 90 seconds", "try again")
    assert world.find(PersistentVolumeClaim, "shop", "os") == expected
    assert world.every(PersistentVolumeClaim) == expected


def test_a_lookup_for_advice_sends_no_request() -> None:
    """
    An object that is not stored stays unknown.
    """
    clock, transport = Clock(), FakeTransport(fixed({}))
    world = ClusterWorld(store_of(clock, {}), LiveReads(transport, lambda _: "", clock), clock=clock)

    advice = world.for_advice()

    assert isinstance(advice.find(PersistentVolumeClaim, "shop", "os"), Unread)
    assert isinstance(advice.every(StorageClass), Unread)
    assert transport.asked == []
    world.find(PersistentVolumeClaim, "shop", "os")
    assert transport.asked


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", [*WATCHED, ControllerRevision])
def test_an_invalid_name_is_not_sent_to_the_api_server(kind: type[Kubernetes], name: str) -> None:
    """
    Names are checked before a path is made of them (DNS-1123, at most 253 characters).
    """
    clock, transport = Clock(), FakeTransport(fixed({}))
    live = LiveReads(transport, lambda _: "", clock)
    world = ClusterWorld(store_of(clock, {}), live, clock=clock)

    lookups = [world.find(kind, "shop", name), live.confirm(kind, "shop", name, 1.0)]

    assert all(isinstance(lookup, Unknown) and lookup.why.startswith("invalid ") for lookup in lookups)
    assert all(isinstance(lookup, Unknown) and "\n" not in lookup.why and len(lookup.why) < 110 for lookup in lookups)
    assert transport.asked == []


@pytest.mark.parametrize("namespace", ["../kube-system", "a/b", "", "a" * 64, "a.b", "Shop"])
def test_an_invalid_namespace_is_not_sent_to_the_api_server(namespace: str) -> None:
    """
    The same holds for namespaces, which are labels: no dots, at most 63 characters.
    """
    transport = FakeTransport(fixed({}))

    lookup = LiveReads(transport, lambda _: "", Clock()).confirm(PersistentVolumeClaim, namespace, "os", 1.0)

    assert isinstance(lookup, Unknown)
    assert transport.asked == []


@given(st.text(max_size=300))
def test_a_path_contains_only_valid_names(name: str) -> None:
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
