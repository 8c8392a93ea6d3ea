"""The store holds the latest objects of the cluster, and only the fields that are read."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import Clock
from webhook.cluster.projection import Malformed, position_of
from webhook.cluster.store import KindStatistics, Store
from webhook.facts.unknown import Unknown
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import ObjectMeta
from webhook.objects.nad import NetworkAttachmentDefinition, NetworkSpec, Node
from webhook.objects.storage import ClaimSpec, DataVolume, PersistentVolumeClaim, StorageClass

NAD = NetworkAttachmentDefinition


def raw(name: str, version: int = 1, namespace: str | None = "shop", **more: Any) -> bytes:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return json.dumps({"metadata": metadata | more.pop("metadata", {}), **more}).encode()


def nad(name: str, version: int, config: object = "{}") -> bytes:
    return raw(name, version, spec={"config": config})


def filled(kind: Any, *objects: bytes, clock: Clock | None = None, version: str = "v1") -> Store:
    store = Store([kind], clock or Clock())
    store.replace(kind, [store.read(kind, manifest, version) for manifest in objects], version)
    return store


NAMES = st.sampled_from("abc")
CONFIGS = st.sampled_from(("{}", "[]", 7))  # a number cannot be a config: such an object is kept as Unknown
CHANGES = st.one_of(
    st.tuples(st.sampled_from(("put", "remove")), NAMES, CONFIGS),
    st.tuples(st.just("list"), st.dictionaries(NAMES, CONFIGS)),
)


@given(st.lists(CHANGES, max_size=30))
def test_the_store_equals_the_cluster_after_any_events_and_lists(changes: list[Any]) -> None:
    """
    After every event and every list, the store equals a model that is a plain dict.
    """
    store, model, version = filled(NAD), dict[str, object](), 1

    for change in changes:
        version += 1
        match change:
            case ("put", name, config):
                store.put(NAD, nad(name, version, config))
                model[name] = config
            case ("remove", name, config):
                store.remove(NAD, nad(name, version, config))
                model.pop(name, None)
            case ("list", listed):
                seen = [store.read(NAD, nad(name, version, config), "v1") for name, config in listed.items()]
                store.replace(NAD, seen, "v1")
                model = dict(listed)

        held = {name: store.get(NAD, "shop", name) for name in "abc"}
        configs = {name: entry.spec.config for name, entry in held.items() if isinstance(entry, NAD)}
        unknown = {name for name, entry in held.items() if isinstance(entry, Unknown)}
        assert configs == {name: config for name, config in model.items() if config != 7}
        assert unknown == {name for name, config in model.items() if config == 7}
        every = store.every(NAD)
        if unknown and not configs:
            assert isinstance(every, Unknown)
        else:
            assert isinstance(every, tuple)
            assert {network.name: network.spec.config for network in every} == configs
        (now,) = store.statistics()
        assert (now.objects, now.undecodable) == (len(model), len(unknown))


def test_the_store_keeps_only_the_fields_of_a_claim_that_are_read() -> None:
    """
    A hundred thousand claims fit into memory: annotations, other labels, owners and status are left out.
    """
    written = raw(
        "os",
        7,
        metadata={
            "labels": {"app": "shop", "instancetype.kubevirt.io/default-preference": "linux"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "secret"},
            "ownerReferences": [{"name": "os", "kind": "DataVolume"}],
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        spec={"accessModes": ["ReadWriteMany"], "storageClassName": "ceph", "volumeName": "pvc-1"},
        status={"phase": "Bound"},
    )

    stored = filled(PersistentVolumeClaim, written).get(PersistentVolumeClaim, "shop", "os")

    assert stored == PersistentVolumeClaim(
        "v1",
        "PersistentVolumeClaim",
        ObjectMeta(
            name="os",
            namespace="shop",
            uid="uid-os",
            resource_version="7",
            labels={"instancetype.kubevirt.io/default-preference": "linux"},
        ),
        ClaimSpec(["ReadWriteMany"], None, "ceph"),
    )


def test_equal_claims_share_one_spec() -> None:
    """
    Equal specs are one object in memory.
    """
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": "ceph"}
    store = filled(PersistentVolumeClaim, raw("a", spec=spec), raw("b", spec=spec))

    first, second = (store.get(PersistentVolumeClaim, "shop", name) for name in "ab")

    assert isinstance(first, PersistentVolumeClaim)
    assert isinstance(second, PersistentVolumeClaim)
    assert first.spec is second.spec


def test_a_storage_class_keeps_what_chooses_the_default() -> None:
    """
    The default class is found by annotation and age, so both stay; what kubectl noted does not.
    """
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    metadata = {
        "namespace": None,
        "annotations": default | {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }

    stored = filled(StorageClass, raw("ceph", metadata=metadata)).get(StorageClass, "", "ceph")

    assert isinstance(stored, StorageClass)
    assert stored.meta.annotations == default
    assert stored.meta.creation_timestamp == "2026-01-01T00:00:00Z"


def test_an_object_that_cannot_be_decoded_is_unknown_and_not_absent() -> None:
    """
    It is counted and kept under its name, and its content is not in the message.
    """
    store = filled(NAD, nad("lan", 1, {"canary": 1}))

    stored = store.get(NAD, "shop", "lan")

    assert stored == Unknown(
        "NetworkAttachmentDefinition 'lan' in namespace 'shop' exists but cannot be read: a field has the wrong type",
        "correct the types of its fields",
        unreadable=True,
    )


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"{}", b'{"metadata": {"name": 7}}', b"[" * 100_000, b"\xff"])
def test_an_object_without_a_name_changes_nothing(junk: bytes) -> None:
    """
    Bytes that no API server sends raise one known error.
    """
    store = filled(NAD, nad("lan", 1))
    before = store.statistics()

    with pytest.raises(Malformed):
        store.put(NAD, junk)
    with pytest.raises(Malformed):
        position_of(junk)

    assert store.statistics() == before


def test_a_list_keeps_unchanged_objects_in_memory() -> None:
    """
    A second list needs no additional memory. A changed or recreated object is replaced.
    """
    store = filled(NAD, nad("same", 1), nad("changed", 1))
    same, changed = (store.get(NAD, "shop", name) for name in ("same", "changed"))

    store.replace(NAD, [store.read(NAD, nad("same", 1), "v1"), store.read(NAD, nad("changed", 2, "[]"), "v1")], "v1")

    assert store.get(NAD, "shop", "same") is same
    after = store.get(NAD, "shop", "changed")
    assert after is not changed
    assert isinstance(after, NAD)
    assert after.spec == NetworkSpec("[]")


def test_a_list_of_all_objects_is_kept_until_one_changes() -> None:
    """
    Reading all nodes in each review costs nothing while the nodes do not change.
    """
    store = filled(Node, raw("n1", namespace=None))

    first, second = store.every(Node), store.every(Node)
    store.put(Node, raw("n2", namespace=None))

    assert first is second
    assert isinstance(third := store.every(Node), tuple)
    assert [node.name for node in third] == ["n1", "n2"]


@pytest.mark.parametrize("change", ["put", "remove"])
def test_the_kept_list_is_dropped_before_an_object_changes(change: str) -> None:
    """
    A reader that has seen the change of an object does not get a list from before the change.
    """
    store = filled(NAD, nad("a", 1))
    shelf = store._state_of(NAD)
    lists: list[object] = []

    class Watched(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            lists.append(shelf.everything)
            super().__setitem__(key, value)

        def pop(self, *key: Any) -> Any:
            lists.append(shelf.everything)
            return super().pop(*key)

    shelf.objects = Watched(shelf.objects)
    store.every(NAD)

    getattr(store, change)(NAD, nad("a", 2))

    assert lists == [None]


def test_an_incomplete_list_changes_nothing() -> None:
    """
    The facts from before stay.
    """
    store = filled(NAD, nad("lan", 1))
    before = store.statistics()

    def half() -> Any:
        yield store.read(NAD, nad("wan", 2), "v1")
        raise Malformed

    with pytest.raises(Malformed):
        store.replace(NAD, half(), "v1")

    assert store.statistics() == before
    assert store.get(NAD, "shop", "wan") is None


def test_statistics_have_age_and_failure_of_each_kind() -> None:
    """
    Age counts from the last list, event or bookmark. A failure is reported until the next one arrives.
    """
    clock = Clock()
    store = filled(KubeVirt, raw("kubevirt"), clock=clock)
    clock.now += 91
    store.failed(KubeVirt, "the API server returned HTTP 401")
    store.restarted(KubeVirt)

    silent, fresh_then = store.statistics(), store.fresh(KubeVirt)
    store.heard(KubeVirt)
    heard, fresh_now = store.statistics(), store.fresh(KubeVirt)

    problem = "the API server returned HTTP 401"
    assert silent == (KindStatistics("KubeVirt", 1, 0, True, False, 91.0, 1, 1, problem),)
    assert heard == (KindStatistics("KubeVirt", 1, 0, True, False, 0.0, 1, 1, ""),)
    assert (fresh_then, fresh_now) == (False, True)


def test_objects_of_a_kind_that_is_no_longer_served_are_removed() -> None:
    """
    When a CustomResourceDefinition is removed, its objects are removed, too. When it returns, its kind is listed again.
    """
    store = filled(DataVolume, raw("os"), version="v1beta1")

    store.miss(DataVolume)

    assert store.get(DataVolume, "shop", "os") is None
    assert (store.missing(DataVolume), store.synced(DataVolume), store.version(DataVolume)) == (True, False, "")
    store.replace(DataVolume, [], "v1beta1")
    assert (store.missing(DataVolume), store.synced(DataVolume)) == (False, True)


def test_the_store_is_imported_without_the_kubernetes_client() -> None:
    """
    Who reads manifests alone does not pay for the client.
    """
    code = "import sys, webhook.cluster.store, webhook.cluster.facts; sys.exit('kubernetes' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)

    assert done.returncode == 0


class Listener:
    """Records changes as kind, name, and versions before and after."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int | None, int | None]] = []
        self.store: Store | None = None

    def __call__(self, kind: Any, key: tuple[str, str], before: Any, after: Any) -> None:
        if self.store is not None:
            assert self.store.get(kind, *key) is after
        self.heard.append((key[1], version_of(before), version_of(after)))


def version_of(stored: Any) -> int | None:
    return None if stored is None else int(stored.meta.resource_version)


def heard(*actions: Any) -> list[tuple[str, int | None, int | None]]:
    """The changes that a listener receives after a list of the networks a and b in version 1."""
    listener = Listener()
    listener.store = store = Store([NAD], Clock(), changed=listener)
    store.replace(NAD, [store.read(NAD, nad(name, 1), "v1") for name in "ab"], "v1")
    listener.heard.clear()
    for action in actions:
        action(store)
    return listener.heard


def test_a_listener_receives_each_change_when_the_store_has_it() -> None:
    """
    With the object before and after. A deleted object has none after, and an added one none before.
    """
    assert heard(
        lambda store: store.put(NAD, nad("a", 2)),
        lambda store: store.put(NAD, nad("c", 3)),
        lambda store: store.remove(NAD, nad("b", 4)),
        lambda store: store.heard(NAD),
    ) == [("a", 1, 2), ("c", None, 3), ("b", 1, None)]


def test_another_list_tells_only_the_differences() -> None:
    """
    Objects that were changed, added or deleted while the watch was interrupted.
    """
    again = [("a", 1), ("b", 2), ("c", 3)]

    assert heard(
        lambda store: store.replace(NAD, [store.read(NAD, nad(*one), "v1") for one in again], "v1"),
        lambda store: store.replace(NAD, [store.read(NAD, nad("c", 3), "v1")], "v1"),
    ) == [("b", 1, 2), ("c", None, 3), ("a", 1, None), ("b", 2, None)]


def test_a_kind_that_becomes_readable_or_is_no_longer_served_is_one_change() -> None:
    """
    A lookup that was unknown then has a result, also if the kind has no objects.
    """
    listener = Listener()
    store = Store([NAD], Clock(), changed=listener)

    store.replace(NAD, [], "v1")
    store.replace(NAD, [], "v1")
    store.miss(NAD)
    store.miss(NAD)
    store.replace(NAD, [], "v1")

    assert listener.heard == [("", None, None)] * 3


def test_an_error_of_a_listener_does_not_end_a_watch(caplog: pytest.LogCaptureFixture) -> None:
    """
    It is logged, without content of the object.
    """

    def fail(*_: object) -> None:
        raise ValueError("canary")

    store = Store([NAD], Clock(), changed=fail)

    store.put(NAD, nad("a", 1))

    assert store.get(NAD, "shop", "a") is not None
    assert [record.getMessage() for record in caplog.records] == ["a change was not processed"]
    assert "canary" not in str([vars(record) for record in caplog.records])


def test_a_refused_kind_is_refused_until_it_is_listed() -> None:
    """
    An interruption of another kind replaces the refusal.
    """
    store = Store([NAD], Clock())
    store.failed(NAD, "HTTP 403", refused=True)
    refused = store.refused(NAD)

    store.replace(NAD, [], "v1")

    assert refused
    assert not store.refused(NAD)
