"""Live reads: results, errors, versions and pages."""

from collections.abc import Mapping

import pytest

from tests.clocks import Clock
from tests.cluster.fake_apiserver import (
    NO_SUCH_OBJECT,
    NOT_SERVED,
    FakeTransport,
    Get,
    answer,
    claim,
    document,
    fixed,
    listed,
    unreachable,
)
from tests.cluster.stores import OS, store_of
from webhook.cluster.facts import ClusterWorld
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.ports import Answer
from webhook.facts.unknown import ABSENT, Late, Unknown, Unread
from webhook.objects.instancetype import ControllerRevision, VirtualMachineInstancetype
from webhook.objects.nad import Node
from webhook.objects.storage import PersistentVolumeClaim

CLAIMS = "/api/v1/persistentvolumeclaims"


def live_claim(response: Answer, *, deadline: float = 1.0) -> object:
    return LiveReads(FakeTransport(fixed({OS: response})), lambda _: "v1", Clock()).confirm(
        PersistentVolumeClaim, "shop", "os", deadline
    )


def test_a_live_read_returns_the_object() -> None:
    """
    The object as it is now, reduced as in the store.
    """
    read = live_claim(answer(claim("os", "ReadWriteOnce")))

    assert isinstance(read, PersistentVolumeClaim)
    assert read.spec.access_modes == ["ReadWriteOnce"]


LATE = Late("the API server did not return PVC 'os' in time", "try again")
NO_ANSWER = Unread("the API server did not return PVC 'os'", "try again")


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            NO_SUCH_OBJECT,
            Unknown(
                "PVC 'os' does not exist yet in namespace 'shop', so its access modes are unknown",
                "create it with `accessModes: [ReadWriteMany]`",
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
def test_a_failed_live_read_has_a_reason(response: Answer, expected: Unknown) -> None:
    """
    It never raises, and never takes an error for an absence.
    """
    assert live_claim(response) == expected


def test_no_request_is_sent_after_the_deadline() -> None:
    """
    A deadline that is over costs no request.
    """
    transport = FakeTransport(fixed({}))

    read = LiveReads(transport, lambda _: "v1", Clock()).confirm(PersistentVolumeClaim, "shop", "os", 0.0)

    assert read == LATE
    assert transport.asked == []


def test_a_live_read_tries_all_versions_of_a_kind() -> None:
    """
    Without a known version the newest is tried first. A version that is not served differs from a missing object.
    """
    root = "/apis/instancetype.kubevirt.io"
    rest = "namespaces/shop/virtualmachineinstancetypes/os"
    transport = FakeTransport(fixed({f"{root}/v1alpha2/{rest}": NO_SUCH_OBJECT}))

    read = LiveReads(transport, lambda _: "", Clock()).confirm(VirtualMachineInstancetype, "shop", "os", 1.0)

    assert read is ABSENT
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

    nodes = live.confirm_every(Node, 1.0)

    assert isinstance(nodes, tuple)
    assert [node.name for node in nodes] == ["n1", "n2"]
    assert {header.split(",")[0] for header in transport.accepts} == {
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
def test_a_failed_live_list_is_unread(broken: Get, expected: Unread) -> None:
    """
    A failed list is never an empty list.
    """
    outcome = LiveReads(FakeTransport(broken), lambda _: "v1", Clock()).confirm_every(PersistentVolumeClaim, 1.0)

    assert outcome == expected


def test_a_world_with_a_live_reader_reads_untrusted_kinds() -> None:
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

    stored = ClusterWorld(store, live, clock=clock).find(ControllerRevision, "shop", "r")
    fresh = ClusterWorld(store, live, clock=clock).find(PersistentVolumeClaim, "shop", "os")
    clock.now += 91
    late = ClusterWorld(store, live, clock=clock).find(PersistentVolumeClaim, "shop", "os")

    assert isinstance(stored, ControllerRevision)
    assert isinstance(fresh, PersistentVolumeClaim)
    assert isinstance(late, PersistentVolumeClaim)
    assert (fresh.spec.access_modes, late.spec.access_modes) == (["ReadWriteMany"], ["ReadWriteOnce"])
    assert transport.asked == [revision, OS]
