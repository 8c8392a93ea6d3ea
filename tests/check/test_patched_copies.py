"""The patches of VirtualMachineClones, judged together with the source VM (webhook.check.patched_copies)."""

import json
from typing import Any

import pytest

from tests.check.test_migration_requests import CLAIM, checked, vm
from tests.generating import Manifest
from webhook.report.model import Report

BRIDGE = {
    "op": "replace",
    "path": "/spec/template/spec/domain/devices/interfaces/0",
    "value": {"name": "n", "bridge": {}},
}
SHARED = {**CLAIM, "spec": {"accessModes": ["ReadWriteMany"]}}


def clone(*patches: Any, kind: str = "VirtualMachineClone", source: str = "vm") -> Manifest:
    group = "clone" if kind == "VirtualMachineClone" else "snapshot"
    return {
        "apiVersion": f"{group}.kubevirt.io/v1beta1",
        "kind": kind,
        "metadata": {"name": "c", "namespace": "lab"},
        "spec": {
            "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": source},
            "patches": [patch if isinstance(patch, str) else json.dumps(patch) for patch in patches],
        },
    }


def found(report: Report) -> list[tuple[str, str]]:
    return [
        (finding.path, finding.action)
        for judged in report.objects
        if judged.kind == "VirtualMachineClone"
        for finding in judged.findings
    ]


@pytest.mark.parametrize("order", [1, -1], ids=["the VM first", "the clone first"])
def test_a_patch_that_adds_a_violation_is_reported_at_the_patch(order: int) -> None:
    """
    The clone and the VM can be in any files, in any order.
    """
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}

    report = checked(*[[vm(), SHARED], [clone(label, BRIDGE)]][::order])

    assert found(report) == [("spec.patches[1]", "warn")]
    assert not report.notes


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "replace", "path": "/spec/template/spec/domain/cpu/model", "value": "Haswell"},
        {"op": "remove", "path": "/spec/runStrategy"},
        {"op": "add", "path": "/spec/template/spec/evictionStrategy", "value": "LiveMigrate"},
    ],
    ids=["model", "run strategy", "eviction strategy"],
)
@pytest.mark.parametrize("claim", [CLAIM, SHARED], ids=["ReadWriteOnce", "ReadWriteMany"])
def test_violations_of_the_source_vm_are_not_reported_again(patch: Manifest, claim: Manifest) -> None:
    report = checked([vm(), claim, clone(patch)])

    assert found(report) == []
    assert not report.notes


def test_a_patch_with_another_claim_is_judged() -> None:
    """
    Also a claim that the input contains, and that is not shared.
    """
    other = {**CLAIM, "metadata": {"name": "other", "namespace": "lab"}}
    patch = {"op": "replace", "path": "/spec/template/spec/volumes/0/persistentVolumeClaim/claimName", "value": "other"}

    assert found(checked([vm(), SHARED, other, clone(patch)])) == [("spec.patches[0]", "warn")]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (clone(BRIDGE, source="db"), "add VirtualMachine 'db'"),
        (clone({**BRIDGE, "op": "test"}), "whose result depends on the VM"),
        (clone({**BRIDGE, "path": "/status/x"}), "outside of /spec/"),
        (clone({**BRIDGE, "path": "/spec/template/spec/gadgets/0"}), "is not known"),
        (clone({**BRIDGE, "value": "text"}), "a value of a wrong type"),
        (clone("{"), "a patch is not JSON"),
        (clone("7"), "not an object"),
        (clone(BRIDGE, kind="VirtualMachineRestore"), "The patched VM is not checked"),
    ],
    ids=["unknown VM", "test", "status", "unknown parent", "wrong type", "no JSON", "number", "restore"],
)
def test_patches_that_cannot_be_judged_get_a_note(made: Manifest, words: str) -> None:
    """
    The note names the missing input, or the reason.
    """
    report = checked([vm(), SHARED, made])

    assert found(report) == []
    (note,) = report.notes
    assert words in note
