"""Judged objects take little memory, and lose nothing that is judged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apiserver.clusters.machines import instance, virtual_machine
from tests.apiserver.clusters.shape import Shape
from tests.audit.clusters import Manifest, running, vm
from webhook.audit.watching.compression import Compression
from webhook.audit.watching.packed import Packed, Packing
from webhook.cluster.projection import Key, Malformed
from webhook.facts.unknown import Unknown
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance

SHAPE = Shape(200)
MOST_BYTES = 300


def packed(manifest: Manifest, kind: Any = VirtualMachine) -> Packed:
    value = Packing(kind, lambda _key: None).read(json.dumps(manifest).encode(), "v1").value
    assert isinstance(value, Packed)
    return value


def test_the_spec_and_the_metadata_stay_as_they_are() -> None:
    """
    Fields that no API server sets have the same place afterwards, because rules report them.
    """
    machine = vm("a", "one", labels={"app": "db"}, metadata={"annotations": {"note": "x"}, "unknown": [1, 2.5, None]})
    machine["spec"]["unknown"] = {"deep": ["é", True]}

    assert json.loads(packed(machine).raw) == machine


def test_fields_that_change_often_are_left_out() -> None:
    """
    And the annotation of kubectl, which repeats the object.
    """
    machine = vm("a", metadata={"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "x"}})
    machine["metadata"] |= {"managedFields": [{"manager": "kubectl"}], "generation": 3, "resourceVersion": "7"}

    metadata = json.loads(packed(machine).raw)["metadata"]

    assert set(metadata) == {"name", "namespace", "uid", "annotations"}
    assert metadata["annotations"] == {"note": "x"}


def test_a_vmi_keeps_the_conditions_that_are_compared_with_the_verdict() -> None:
    """
    Without their times and messages.
    """
    vmi = running(vm("a"), LiveMigratable="False DisksNotLiveMigratable", Ready="True")
    vmi["status"]["conditions"][0] |= {"message": "canary", "lastProbeTime": "2026-01-01T00:00:00Z"}

    status = json.loads(packed(vmi, VirtualMachineInstance).raw)["status"]

    assert status == {
        "phase": "Running",
        "conditions": [{"type": "LiveMigratable", "status": "False", "reason": "DisksNotLiveMigratable"}],
    }


@pytest.mark.parametrize("part", ["spec", "status"])
def test_an_object_with_a_wrong_type_is_kept_and_unreadable(part: str) -> None:
    """
    Its judgement is a problem that names the field.
    """
    machine = vm("a") | {"status": {}}
    machine[part] |= {"template": 7} if part == "spec" else {"conditions": "none"}

    stored = packed(machine)

    assert isinstance(stored.view, Unknown)
    assert json.loads(stored.raw)[part] == machine[part]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"metadata": {}}', b'{"metadata": {"name": 7}}', b"\xff"])
def test_data_without_a_name_is_malformed(text: bytes) -> None:
    """
    The response does not come from an API server, or is truncated.
    """
    with pytest.raises(Malformed):
        Packing(VirtualMachine, lambda _key: None).read(text, "v1")


@pytest.mark.parametrize("kind", [VirtualMachine, VirtualMachineInstance])
def test_a_hundred_thousand_vms_fit_into_memory(kind: Any, record_property: Any) -> None:
    """
    VMs resemble one another, so each is stored as its difference from the first.
    """
    known: dict[Key, Any] = {}
    packing = Packing(kind, known.get)
    sizes = []
    for number in range(SHAPE.vms):
        namespace, variant = SHAPE.namespace(number), SHAPE.variants[number]
        made = (
            virtual_machine(number, namespace, variant)
            if kind is VirtualMachine
            else instance(number, namespace, variant, f"uid-{number}", "node")
        )
        stored = packing.read(json.dumps(made).encode(), "v1").value
        assert isinstance(stored, Packed)
        sizes.append(len(stored.content))

    record_property("figure", f"a compressed {kind.__name__} takes {sum(sizes) / len(sizes):.0f} bytes")
    assert sum(sizes) / len(sizes) <= MOST_BYTES


@given(st.lists(st.binary(max_size=50_000), min_size=1, max_size=5))
def test_compressed_texts_expand_to_themselves(texts: list[bytes]) -> None:
    """
    Also those that are longer than the dictionary, and empty ones.
    """
    compression = Compression()

    compressed = [compression.compress(text) for text in texts]

    assert [compression.expand(one) for one in compressed] == texts
