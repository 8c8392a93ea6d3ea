"""An allow stands where what was named is the same on the API server, and nothing else stands without a judgement."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.fake_apiserver import NO_SUCH_OBJECT, NOT_SERVED, Clock, answer, document
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
        ([], NOT_SERVED, False),
        ([], answer(claim()), False),
        ([claim() | {"spec": 7}], answer(claim()), False),
    ],
)
def test_what_is_the_same_there_stands(stored: list[dict[str, Any]], live: Answer, expected: bool) -> None:
    """
    The same uid and resourceVersion, or absent here and there; an error is neither.
    """
    store = store_of(*stored)
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")
    reads = FakeReader({OS: live})

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) == expected
    assert reads.asked == [OS]


def test_one_change_among_several_is_seen() -> None:
    """
    All names are read, of whatever kind; the namespace of the cluster's facts counts where none was given.
    """
    store = store_of()
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "", "os")
    recording.find(VirtualMachineInstancetype, "shop", "small")
    small = "/apis/instancetype.kubevirt.io/v1beta1/namespaces/shop/virtualmachineinstancetypes/small?resourceVersion=0"
    recording.every(KubeVirt)
    recording.find(PersistentVolumeClaim, "shop", "../os")  # no name, so there is nothing to read
    none, some = (
        FakeReader({OS: NO_SUCH_OBJECT, small: NO_SUCH_OBJECT}),
        FakeReader({OS: NO_SUCH_OBJECT, small: answer(claim())}),
    )

    assert asyncio.run(is_unchanged(recording, none, store, 1.0, "shop"))
    assert not asyncio.run(is_unchanged(recording, some, store, 1.0, "shop"))
    assert none.asked == some.asked == [OS, small]


@pytest.mark.parametrize("changed", [None, 0, AT_ONCE, MOST - 1])
def test_a_change_is_seen_among_as_many_names_as_a_machine_may_hold(changed: int | None) -> None:
    """
    They are read some at a time, so that others take their turn, and no more once one differs.
    """
    store = store_of()
    recording = recording_of(store)
    paths = [OS.replace("/os", f"/c{number}") for number in range(MOST)]
    for number in range(MOST):
        recording.find(PersistentVolumeClaim, "shop", f"c{number}")
    answers = dict.fromkeys(paths, NO_SUCH_OBJECT)
    if changed is not None:
        answers[paths[changed]] = answer(claim())
    reads = FakeReader(answers)

    assert asyncio.run(is_unchanged(recording, reads, store, 1.0)) == (changed is None)
    assert reads.asked == paths[: MOST if changed is None else changed // AT_ONCE * AT_ONCE + AT_ONCE]
    assert reads.most == AT_ONCE


def test_without_an_answer_nothing_stands() -> None:
    """
    Who cannot be asked has not said that it is so.
    """
    store = store_of(claim())
    recording = recording_of(store)
    recording.find(PersistentVolumeClaim, "shop", "os")

    assert not asyncio.run(is_unchanged(recording, FakeReader({}), store, 1.0))


@pytest.mark.parametrize("why", ["many", "old", "not watched", "not served"])
def test_what_is_not_simple_is_left_to_a_judgement(why: str) -> None:
    """
    Many names, kinds that are old, not watched or not served: no read, and no.
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
