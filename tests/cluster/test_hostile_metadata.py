"""No metadata hides an object, and no object hides another, by whichever way it is read."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster.fake_apiserver import NADS, Clock, FakeStream, FakeTransport, document, fixed
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
def test_a_fact_is_read_whatever_its_metadata_holds(kind: type[Kubernetes], metadata: Any, unread: str) -> None:
    """
    Its judged part is what it is without such metadata, and so are name, namespace, uid and resourceVersion.
    """
    projection = Projection(BY_CLASS[kind])
    plain = projection.read(rendered(document("os", spec=SPECS[kind])), "v1")

    hostile = document("os", metadata=metadata, spec={**SPECS[kind], "unread": unread}, unread=unread)
    seen = projection.read(rendered(hostile), "v1")

    assert not isinstance(seen.value, Unknown)
    meta = msgspec.structs.replace(seen.value.meta, **dict.fromkeys(OWN))
    assert msgspec.structs.replace(seen, value=msgspec.structs.replace(seen.value, metadata=meta)) == plain


def test_a_list_goes_on_past_a_hostile_object() -> None:
    """
    One object with thousands of levels and one with wrong types leave the others of the page, and the watch begins.
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


def test_a_watch_goes_on_past_a_hostile_event() -> None:
    """
    Each event with thousands of levels, also an error or a bookmark, is what it is without them.
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


def test_a_live_read_and_a_live_list_bear_hostile_objects() -> None:
    """
    What is read past the store is read like what is stored.
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
def test_a_second_look_bears_a_hostile_object(status: int) -> None:
    """
    Whether an object is still as it was told can be seen at any depth; a 404 of any depth is none that names an object.
    """
    claim = document("os", metadata=HOSTILE, spec={"accessModes": ["ReadWriteMany"]})
    store = store_of(document("os", spec={"accessModes": ["ReadWriteMany"]}))
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")
    reads = FakeReader({OS: Answer(status, rendered(claim))})

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) is (status == 200)


def test_an_access_review_bears_any_depth() -> None:
    """
    What an API server adds to a review is skipped, however deep it is.
    """

    class Reviews(FakeTransport):
        def post(self, path: str, body: Any, *, timeout_seconds: float) -> Answer:
            return Answer(201, rendered({"status": {"allowed": True, "x": deep(9_900)}}))

    assert ClusterAccess(Reviews(fixed({}))).may_make_vms(User("jane"), "shop")


def test_what_cannot_be_read_is_left_out_of_lists_while_others_can_be() -> None:
    """
    One unreadable KubeVirt resource does not hide the cluster's own; where it is the only one, the list is unknown.
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
