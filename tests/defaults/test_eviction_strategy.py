"""The eviction strategy that is written into a VM."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.defaults.requests import STRATEGY, kubevirt, operations, patched, vmi
from tests.generating import Manifest, instances, machines, pools, replica_sets

PATHS = {
    "VirtualMachine": ("spec", "template", "spec"),
    "VirtualMachineInstance": ("spec",),
    "VirtualMachineInstanceReplicaSet": ("spec", "template", "spec"),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(vmi(), STRATEGY, id="absent"),
        pytest.param(vmi(evictionStrategy=None), STRATEGY, id="null"),
        pytest.param(vmi(evictionStrategy="None"), "None", id="None"),
        pytest.param(vmi(evictionStrategy=""), "", id="empty"),
        pytest.param(vmi(evictionStrategy="LiveMigrate"), "LiveMigrate", id="set"),
        pytest.param(vmi(volumes=[{"name": "a", "hostDisk": {"path": "/a", "type": "Disk"}}]), None, id="refused"),
        pytest.param(vmi(volumes=[{"name": "a", "dataVolume": {"name": "a"}}]), STRATEGY, id="unproven"),
    ],
)
def test_a_vm_that_is_not_refused_gets_the_eviction_strategy(manifest: Manifest, expected: str | None) -> None:
    """
    The default fills an absent field only. A VM whose verdict is False gets none, because its node could not be drained.
    """
    patch = operations(manifest)

    assert patch is not None
    assert patched(manifest, patch)["spec"].get("evictionStrategy") == expected


@settings(deadline=None, max_examples=60)
@given(st.one_of(machines(), instances(), replica_sets(), pools()))
def test_the_eviction_strategy_is_written_into_the_spec_of_the_vmi(manifest: Manifest) -> None:
    """
    A VM, a replica set and a pool get it in their template.
    """
    patch = operations(manifest) or []

    place = "/" + "/".join((*PATHS[manifest["kind"]], "evictionStrategy"))
    assert [operation["path"] for operation in patch] in ([], [place])


@pytest.mark.parametrize(
    ("manifest", "how", "fills"),
    [
        pytest.param(vmi(), {"operation": "UPDATE"}, False, id="update of a VMI"),
        pytest.param(kubevirt(), {"operation": "UPDATE"}, True, id="update of the CR"),
        pytest.param(kubevirt(), {"operation": "UPDATE", "sub_resource": "status"}, False, id="status"),
        pytest.param(
            kubevirt(deletionTimestamp="2026-01-01T00:00:00Z"), {"operation": "UPDATE"}, False, id="deletion of the CR"
        ),
    ],
)
def test_defaults_apply_to_new_vms_and_to_every_write_of_the_cr(
    manifest: Manifest, how: dict[str, Any], fills: bool
) -> None:
    """
    Updates of VMs, status writes and objects that are being deleted get no patch.
    """
    assert bool(operations(manifest, **how)) is fills
