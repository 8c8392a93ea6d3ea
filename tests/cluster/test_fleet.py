"""The list of the objects for a rehearsal, and the use of an earlier list."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tests.cluster.fake_apiserver import NOT_SERVED, FakeTransport, document, listed
from tests.drain.fleets import vmi
from webhook.cluster.fleet import list_fleet
from webhook.cluster.ports import Answer
from webhook.facts.fleet import Fleet
from webhook.objects.fleet_kinds import DRAIN_KINDS, classes_of
from webhook.objects.nad import Node
from webhook.objects.running import RunningVMI

KINDS = [kind for kind in DRAIN_KINDS if kind.reads in (Node, RunningVMI)]
VMIS = "/apis/kubevirt.io/v1/virtualmachineinstances"


def fleet_of(vmis: list[Any], before: Fleet | None = None) -> Fleet:
    def get(path: str, _query: Mapping[str, str]) -> Answer:
        return {VMIS: listed(*vmis), "/api/v1/nodes": listed(document("n1", None))}.get(path, NOT_SERVED)

    return list_fleet(FakeTransport(get), KINDS, 60.0, before=before)


def version(name: str, number: int, **spec: Any) -> dict[str, Any]:
    made = vmi(name, "n1", **spec)
    made["metadata"]["resourceVersion"] = str(number)
    return made


def test_unchanged_objects_of_an_earlier_list_are_kept() -> None:
    """
    All views of an object are kept if its resourceVersion is the same. Others are read, and deleted objects disappear.
    """
    before = fleet_of([version("a", 1), version("b", 2), version("gone", 3)])
    after = fleet_of([version("a", 1), version("b", 4, memory="8Gi"), version("new", 5)], before)

    assert after == fleet_of([version("a", 1), version("b", 4, memory="8Gi"), version("new", 5)])
    (kind,) = (kind for kind in KINDS if kind.reads is RunningVMI)
    for reads in classes_of(kind):
        same = [one.name for one in after.given(reads) if any(one is other for other in before.given(reads))]
        assert same == ["a"]
    assert after.given(Node)[0] is before.given(Node)[0]


def test_an_object_of_another_api_version_is_read_again() -> None:
    """
    The resourceVersion does not change when another version is served.
    """
    before = fleet_of([version("a", 1)])
    old = Fleet({kind: tuple(map(in_alpha, members)) for kind, members in before.objects.items()}, before.provided)

    assert fleet_of([version("a", 1)], old) == before


def in_alpha(one: Any) -> Any:
    return msgspec.structs.replace(one, api_version="kubevirt.io/v1alpha3")
