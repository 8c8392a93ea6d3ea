"""Metadata never hides an object, and no object hides another, in any way of reading."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import Clock
from tests.cluster.fake_apiserver import NADS, FakeStream, FakeTransport, document, fixed
from tests.cluster.test_unchanged import OS, FakeReader, recording_of, store_of
from tests.cluster.test_watch import Loop
from tests.generating.hostile import METADATA, NESTED, deep, rendered
from webhook.cluster.access_reviews import ClusterAccess, User
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.ports import Answer
from webhook.cluster.projection import Projection
from webhook.cluster.unchanged import is_unchanged
from webhook.facts.unknown import Unknown
from webhook.objects.instancetype import VirtualMachineInstancetype
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import DataVolume, PersistentVolumeClaim, StorageProfile

SPECS: dict[type[Kubernetes], dict[str, Any]] = {
    PersistentVolumeClaim: {"accessModes": ["ReadWriteOnce"]},
    NetworkAttachmentDefinition: {"config": "{}"},
    DataVolume: {"storage": {"accessModes": ["ReadWriteOnce"]}},
    VirtualMachineInstancetype: {"gpus": [{"name": "g", "deviceName": "vendor.com/g"}]},
    StorageProfile: {"claimPropertySets": [{"accessModes": ["ReadWriteOnce"]}]},
    KubeVirt: {"configuration": {"evictionStrategy": "LiveMigrate"}},
}
HOSTILE = {"managedFields": [{"fieldsV1": deep(3_000, "o")}]}
OWN = ("labels", "annotations", "owner_references")


def nad(name: str, config: object = "{}", **metadata: Any) -> dict[str, Any]:
    return document(name, metadata=metadata, spec={"config": config})


def page(*items: dict[str, Any]) -> Answer:
    return Answer(200, rendered({"metadata": {"resourceVersion": "10", "continue": ""}, "items": list(items)}))


def event(kind: str, what: dict[str, Any]) -> bytes:
    return rendered({"type": kind, "object": what})


@settings(deadline=None)
@given(st.sampled_from(list(SPECS)), METADATA, NESTED)
def test_a_fact_is_read_with_any_metadata(kind: type[Kubernetes], metadata: Any, unread: str) -> None:
    """
    The judged part, name, namespace, uid and resourceVersion are those of the same object without such metadata.
    """
    projection = Projection(BY_CLASS[kind])
    plain = projection.read(rendered(document("os", spec=SPECS[kind])), "v1")

    hostile = document("os", metadata=metadata, spec={**SPECS[kind], "unread": unread}, unread=unread)
    seen = projection.read(rendered(hostile), "v1")

    assert not isinstance(seen.value, Unknown)
    meta = msgspec.structs.replace(seen.value.meta, **dict.fromkeys(OWN))
    assert msgspec.structs.replace(seen, value=msgspec.structs.replace(seen.value, metadata=meta)) == plain


def test_a_list_continues_after_a_hostile_object() -> None:
    """
    One object with thousands of levels and one with wrong types do not affect the others of the page, and the watch
    begins.
    """
    answers = fixed({NADS: page(nad("a"), nad("deep", **HOSTILE), nad("mistyped", 7), nad("z"))})

    loop = Loop(FakeTransport(answers)).run(turns=1)

    held = {name: loop.store.get(NetworkAttachmentDefinition, "shop", name) for name in ("a", "deep", "mistyped", "z")}
    assert {name: type(entry) for name, entry in held.items()} == {
        "a": NetworkAttachmentDefinition,
        "deep": NetworkAttachmentDefinition,
        "mistyped": Unknown,
        "z": NetworkAttachmentDefinition,
    }
    assert loop.problem == ""
    assert loop.store.synced(NetworkAttachmentDefinition)


def test_a_watch_continues_after_a_hostile_event() -> None:
    """
    An event, error or bookmark with thousands of levels has the same effect as one without them.
    """
    deep_meta = {"metadata": {"resourceVersion": "14", "x": deep(9_900)}}
    lines = [
        event("ADDED", nad("deep", **HOSTILE)),
        event("ADDED", nad("gone", **HOSTILE)),
        event("DELETED", nad("gone", **HOSTILE)),
        event("BOOKMARK", deep_meta),
        event("ADDED", nad("after")),
    ]

    def stream(_: Mapping[str, str]) -> FakeStream:
        def ends() -> Iterator[bytes]:
            yield from lines
            loop.clock.now += 60

        return FakeStream(200, ends)

    loop = Loop(FakeTransport(fixed({NADS: page()}), stream))
    loop.run(turns=2)

    every = loop.store.every(NetworkAttachmentDefinition)
    assert not isinstance(every, Unknown)
    assert [item.name for item in every] == ["deep", "after"]
    assert loop.problem == ""


def test_live_reads_and_lists_accept_hostile_objects() -> None:
    """
    Live reads treat such objects as the store does.
    """
    path = "/apis/k8s.cni.cncf.io/v1/namespaces/shop/network-attachment-definitions/deep"
    one = Answer(200, rendered(nad("deep", **HOSTILE)))
    live = LiveReads(
        FakeTransport(fixed({NADS: page(nad("deep", **HOSTILE), nad("mistyped", 7)), path: one})),
        lambda _: "v1",
        Clock(),
    )

    network = live.confirm(NetworkAttachmentDefinition, "shop", "deep", 1)
    every = live.confirm_every(NetworkAttachmentDefinition, 1)

    assert isinstance(network, NetworkAttachmentDefinition)
    assert not isinstance(every, Unknown)
    assert [item.name for item in every] == ["deep"]


@pytest.mark.parametrize("status", [200, 404])
def test_a_check_for_changes_accepts_a_hostile_object(status: int) -> None:
    """
    Whether an object is unchanged can be seen at any depth. A deeply nested 404 does not count as a missing object.
    """
    claim = document("os", metadata=HOSTILE, spec={"accessModes": ["ReadWriteMany"]})
    store = store_of(document("os", spec={"accessModes": ["ReadWriteMany"]}))
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")
    reads = FakeReader({OS: Answer(status, rendered(claim))})

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) is (status == 200)


def test_an_access_review_accepts_any_depth() -> None:
    """
    Additional fields of an API server in a review are skipped, however deep they are.
    """

    class Reviews(FakeTransport):
        def post(self, path: str, body: Any, *, timeout_seconds: float) -> Answer:
            return Answer(201, rendered({"status": {"allowed": True, "x": deep(9_900)}}))

    assert ClusterAccess(Reviews(fixed({}))).may_make_vms(User("jane"), "shop")


def test_unreadable_objects_are_left_out_of_lists_with_readable_ones() -> None:
    """
    One unreadable KubeVirt CR does not hide the cluster's own. If it is the only one, the list is unknown.
    """
    store = store_of()
    broken, sound = (document(name, spec=spec) for name, spec in (("a", {"configuration": 7}), ("b", {})))

    store.put(KubeVirt, json.dumps(broken).encode())
    alone = store.every(KubeVirt)
    store.put(KubeVirt, json.dumps(sound).encode())
    beside = store.every(KubeVirt)

    assert isinstance(alone, Unknown)
    assert not alone.unreadable
    assert not isinstance(beside, Unknown)
    assert [item.name for item in beside] == ["b"]
