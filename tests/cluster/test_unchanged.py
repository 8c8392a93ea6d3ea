"""An allow stays valid if the named objects are the same on the API server. Everything else needs a judgement."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clocks import Clock
from tests.cluster.fake_apiserver import NO_SUCH_OBJECT, NOT_SERVED, answer, document, no_such
from webhook.cluster.facts import ClusterWorld
from webhook.cluster.lookups import RecordingWorld
from webhook.cluster.ports import Answer, Get
from webhook.cluster.store import Store
from webhook.cluster.unchanged import AT_ONCE, MOST, is_unchanged
from webhook.errors import Unavailable
from webhook.objects.instancetype import ControllerRevision, VirtualMachineInstancetype
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.storage import DataVolume, PersistentVolumeClaim

OS = "/api/v1/namespaces/shop/persistentvolumeclaims/os?resourceVersion=0"


@dataclass
class FakeReader:
    """An AsyncReader that answers by path, without a network."""

    answers: Mapping[str, Answer]
    asked: list[str] = field(default_factory=list)
    most: int = 0
    """The largest number of requests in one call."""

    async def get_all(self, gets: Sequence[Get], within_seconds: float) -> list[Answer]:
        self.asked += [get.path for get in gets]
        self.most = max(self.most, len(gets))
        if any(get.path not in self.answers for get in gets):
            raise Unavailable("no answer", remedy="Try again.")
        return [self.answers[get.path] for get in gets]

    def close(self) -> None:
        pass


def store_of(*claims: dict[str, Any], clock: Clock | None = None) -> Store:
    store = Store([PersistentVolumeClaim, DataVolume, VirtualMachineInstancetype, KubeVirt], clock or Clock())
    seen = [store.read(PersistentVolumeClaim, json.dumps(manifest).encode(), "v1") for manifest in claims]
    store.replace(PersistentVolumeClaim, seen, "v1")
    store.replace(VirtualMachineInstancetype, [], "v1beta1")
    store.replace(KubeVirt, [], "v1")
    store.miss(DataVolume)
    return store


def recording_of(store: Store) -> RecordingWorld:
    return RecordingWorld(ClusterWorld(store, default_namespace="shop", clock=Clock()), store.trusted)


def claim(version: int = 1, **metadata: str) -> dict[str, Any]:
    return document("os", version=version, metadata=metadata)


@pytest.mark.parametrize(
    ("stored", "live", "expected"),
    [
        ([claim()], answer(claim()), True),
        ([claim()], answer(claim(version=2)), False),
        ([claim()], answer(claim(uid="another")), False),
        ([claim()], NO_SUCH_OBJECT, False),
        ([claim()], answer(claim(), 500), False),
        ([claim()], answer({}, 403), False),
        ([claim()], Answer(200, b"<html>"), False),
        ([claim()], Answer(200, b"[]"), False),
        ([], NO_SUCH_OBJECT, True),
        ([], no_such("another"), False),
        ([], NOT_SERVED, False),
        ([], answer(claim()), False),
        ([claim() | {"spec": 7}], answer(claim()), False),
    ],
)
def test_an_unchanged_object_confirms_an_allow(stored: list[dict[str, Any]], live: Answer, expected: bool) -> None:
    """
    The object has the same uid and resourceVersion, or is absent in both places. Neither an error nor a response about another
    object confirms anything.
    """
    store = store_of(*stored)
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")
    reads = FakeReader({OS: live})

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) == expected
    assert reads.asked == [OS]


def test_one_changed_object_among_several_is_detected() -> None:
    """
    Objects of all kinds are read. The namespace of the cluster's facts counts where none is named.
    """
    store = store_of()
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "", "os")
    recording.find(VirtualMachineInstancetype, "shop", "small")
    small = "/apis/instancetype.kubevirt.io/v1beta1/namespaces/shop/virtualmachineinstancetypes/small?resourceVersion=0"
    recording.every(KubeVirt)
    recording.find(PersistentVolumeClaim, "shop", "../os")  # no name, so there is nothing to read
    none, some = (
        FakeReader({OS: NO_SUCH_OBJECT, small: no_such("small")}),
        FakeReader({OS: NO_SUCH_OBJECT, small: answer(claim())}),
    )

    assert asyncio.run(is_unchanged(recording, none, store, 1.0, "shop"))
    assert not asyncio.run(is_unchanged(recording, some, store, 1.0, "shop"))
    assert none.asked == some.asked == [OS, small]


@pytest.mark.parametrize("changed", [None, 0, AT_ONCE, MOST - 1])
def test_a_change_is_detected_among_as_many_names_as_a_vm_may_have(changed: int | None) -> None:
    """
    Names are read in groups, so that other reviews take their turn. Reading ends with the first difference.
    """
    store = store_of()
    recording = recording_of(store)
    paths = [OS.replace("/os", f"/c{number}") for number in range(MOST)]
    for number in range(MOST):
        recording.find(PersistentVolumeClaim, "shop", f"c{number}")
    answers = {path: no_such(f"c{number}") for number, path in enumerate(paths)}
    if changed is not None:
        answers[paths[changed]] = answer(claim())
    reads = FakeReader(answers)

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) == (changed is None)
    assert reads.asked == paths[: MOST if changed is None else changed // AT_ONCE * AT_ONCE + AT_ONCE]
    assert reads.most == AT_ONCE


def test_nothing_is_confirmed_without_a_response() -> None:
    """
    An API server that cannot be reached confirms nothing.
    """
    store = store_of(claim())
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")

    assert not asyncio.run(is_unchanged(recording, FakeReader({}), store, 1.0))


@pytest.mark.parametrize("why", ["many", "old", "not watched", "not served"])
def test_complex_requests_are_judged_again(why: str) -> None:
    """
    Many names, and kinds that are stale, not watched or not served, cause no read and confirm nothing.
    """
    clock = Clock()
    store = store_of(clock=clock)
    recording = recording_of(store)
    if why == "many":
        for number in range(MOST + 1):
            recording.find(PersistentVolumeClaim, "shop", f"c{number}")
    elif why == "old":
        clock.now += 91
        recording.find(PersistentVolumeClaim, "shop", "os")
    elif why == "not watched":
        recording.find(ControllerRevision, "shop", "r1")
    else:
        recording.find(DataVolume, "shop", "os")
    reads = FakeReader({})

    assert not asyncio.run(is_unchanged(recording, reads, store, 1.0))
    assert reads.asked == []
