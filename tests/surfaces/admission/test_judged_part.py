"""The judged part of each kind: only its fields decide whether an update is judged."""

import json
from typing import Any

import pytest

from tests.generating.hostile import deep, rendered
from webhook.objects.json_depth import Place
from webhook.surfaces.admission.judged_part import KUBEVIRT_FIELDS, is_judged, only_judged, same_judged_part

MACHINE = ("template", "dataVolumeTemplates", "instancetype", "preference")
JUDGED: list[tuple[str, Place]] = [
    *(("VirtualMachine", ("spec", field)) for field in MACHINE),
    *(("VirtualMachinePool", ("spec", "virtualMachineTemplate", "spec", field)) for field in MACHINE),
    ("VirtualMachineInstance", ("spec",)),
    ("VirtualMachineInstanceReplicaSet", ("spec", "template")),
    *(("KubeVirt", ("spec", field)) for field in KUBEVIRT_FIELDS),
    ("NetworkAttachmentDefinition", ("spec", "config")),
    ("MigrationPolicy", ("spec",)),
]
NOT_JUDGED: list[tuple[str, Place]] = [
    ("VirtualMachine", ("metadata", "labels")),
    ("VirtualMachine", ("spec", "runStrategy")),
    ("VirtualMachinePool", ("spec", "replicas")),
    ("VirtualMachinePool", ("spec", "virtualMachineTemplate", "metadata")),
    ("VirtualMachinePool", ("spec", "virtualMachineTemplate", "spec", "runStrategy")),
    ("VirtualMachineInstance", ("status",)),
    ("VirtualMachineInstanceReplicaSet", ("spec", "replicas")),
    ("KubeVirt", ("spec", "workloads")),
    ("NetworkAttachmentDefinition", ("metadata", "annotations")),
    ("MigrationPolicy", ("status",)),
]


def holding(place: Place, value: Any) -> dict[str, Any]:
    """An object that has nothing but this value at this place."""
    for key in reversed(place):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("kind", "place", "judged"), [(*place, True) for place in JUDGED] + [(*place, False) for place in NOT_JUDGED]
)
def test_a_change_is_judged_by_its_place(kind: str, place: Place, judged: bool) -> None:
    """
    A value that is changed, added or removed within the judged part makes another judged part; any other does not.
    """
    old, new = written(holding(place, {"a": 1})), written(holding(place, {"a": 2}))

    assert same_judged_part(kind, new, old) is not judged
    assert not (judged and same_judged_part(kind, new, b"{}"))
    assert is_judged(kind, (*place, "a")) is is_judged(kind, place) is judged


@pytest.mark.parametrize("text", [b"{", b'{"spec": {"template": "\xff"}}'], ids=["no JSON", "no UTF-8"])
def test_invalid_json_equals_no_object(text: bytes) -> None:
    """
    Not even as itself: nothing is known of it.
    """
    assert not same_judged_part("VirtualMachine", text, text)


@pytest.mark.parametrize("depth", [600, 3_000])
def test_deep_values_are_compared_to_their_end(depth: int) -> None:
    """
    Two templates that differ below the levels that are read have different judged parts.
    """
    one, same, other = (
        rendered(holding(("spec", "template"), {"x": deep(levels)})) for levels in (depth, depth, depth + 1)
    )

    assert same_judged_part("VirtualMachine", one, same)
    assert not same_judged_part("VirtualMachine", one, other)


def test_a_deep_status_makes_no_other_judged_part() -> None:
    """
    A template of 600 levels is the same beside a status that is too deep to be parsed and beside none.
    """
    template = holding(("spec", "template"), deep(600))

    assert same_judged_part("VirtualMachine", rendered({**template, "status": deep(3_000)}), rendered(template))


@pytest.mark.parametrize("kind", ["VirtualMachine", "VirtualMachinePool"])
@pytest.mark.parametrize("value", [7, ["spec"], {"spec": 7}, {"spec": None}])
def test_a_value_of_the_wrong_type_on_the_way_counts_as_it_is(kind: str, value: Any) -> None:
    """
    It is part of what is compared, so putting it right is a change.
    """
    assert same_judged_part(kind, written(value), written(value))
    for other in (holding(("spec", "template"), 1), "another"):
        assert not same_judged_part(kind, written(value), written(other))


def test_the_judged_part_alone_has_its_metadata_and_nothing_else() -> None:
    """
    Status, and fields beside the judged ones, are left out at every level.
    """
    machine = {"template": {"a": 1}, "instancetype": {"name": "x"}, "runStrategy": "Always"}
    pool = {
        "metadata": {"name": "web"},
        "status": {},
        "spec": {"replicas": 1, "virtualMachineTemplate": {"metadata": {}, "spec": machine}},
    }

    kept = {key: value for key, value in machine.items() if key != "runStrategy"}
    assert only_judged("VirtualMachinePool", pool) == {
        "metadata": {"name": "web"},
        "spec": {"virtualMachineTemplate": {"spec": kept}},
    }
