"""Bundled instancetypes and preferences at the command line, the API and admission (F45)."""

from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.doors import Doors, Manifest
from tests.surfaces.test_settings_that_work import cr

MASQUERADE = {"network": {"defaultNetworkInterface": "masquerade"}}
MEDIUM: Manifest = {"instancetype": {"name": "u1.medium"}, "preference": {"name": "fedora"}}
GPU: Manifest = {"instancetype": {"name": "gn1.xlarge"}}
WINDOWS: Manifest = {"preference": {"name": "windows.11"}}


def machine(kind: str, fields: Manifest) -> Manifest:
    """A VM or pool without interfaces of its own, whose spec has these fields."""
    vm = {"runStrategy": "Always", "template": {"spec": {"domain": {"devices": {}}}}, **fields}
    spec = {"virtualMachineTemplate": {"spec": vm}} if kind == "VirtualMachinePool" else vm
    group = "pool.kubevirt.io/v1alpha1" if kind == "VirtualMachinePool" else "kubevirt.io/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "vm", "namespace": "lab"}, "spec": spec}


def answer(folder: Path, made: Manifest, *world: Manifest) -> tuple[Any, Any, frozenset[str]]:
    """LiveMigratable, its reason, and the rules with a finding. All surfaces must agree."""
    doors = Doors(folder, world)
    answers = [
        (said.verdict.live_migratable, said.verdict.reason, frozenset(finding.rule for finding in said.findings))
        for said in (doors.by_command_line(made), doors.by_api(made), doors.by_admission(made)[0])
    ]
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


@pytest.mark.parametrize("kind", ["VirtualMachine", "VirtualMachinePool"])
@pytest.mark.parametrize("version", ["v1.4.0", "v1.6.6", "v1.9.0"])
def test_a_bundled_instancetype_and_preference_are_resolved(tmp_path: Path, kind: str, version: str) -> None:
    """
    Without the objects in the input, the verdict is proven.
    """
    live_migratable, reason, rules = answer(tmp_path, machine(kind, MEDIUM), cr(MASQUERADE, version=version))

    assert (live_migratable, reason) == (True, None)
    assert "LM505" not in rules


def test_the_devices_of_a_bundled_instancetype_decide(tmp_path: Path) -> None:
    """
    The instancetypes of series gn1 have a GPU. KubeVirt 1.5 and later do not deploy them.
    """
    old = answer(tmp_path, machine("VirtualMachine", GPU), cr(MASQUERADE, version="v1.4.0"))
    new = answer(tmp_path, machine("VirtualMachine", GPU), cr(MASQUERADE, version="v1.5.0"))

    assert old[:2] == (False, "HostDeviceNotLiveMigratable")
    assert "LM302" in old[2]
    assert new[:2] == (None, None)
    assert "LM505" in new[2]


def test_the_features_of_a_bundled_preference_decide(tmp_path: Path) -> None:
    """
    The preferences for Windows turn on reenlightenment, which needs a TSC frequency that the nodes decide.
    """
    live_migratable, _, rules = answer(tmp_path, machine("VirtualMachine", WINDOWS), cr(MASQUERADE))

    assert live_migratable is None
    assert {"LM405"} <= rules
    assert "LM505" not in rules


@pytest.mark.parametrize(
    ("configuration", "version", "resolved"),
    [
        ({"commonInstancetypesDeployment": {"enabled": False}}, "v1.9.0", False),
        ({"commonInstancetypesDeployment": {"enabled": True}}, "v1.9.0", True),
        ({"developerConfiguration": {"featureGates": ["CommonInstancetypesDeploymentGate"]}}, "v1.3.0", True),
        ({}, "v1.3.0", False),
        ({}, "v1.0.0", False),
    ],
)
def test_the_cr_of_the_cluster_decides_whether_names_are_resolved(
    tmp_path: Path, configuration: Manifest, version: str, resolved: bool
) -> None:
    """
    From 1.4 on a field switches the deployment off. In 1.1 to 1.3 a feature gate switches it on.
    """
    made = machine("VirtualMachine", MEDIUM)

    live_migratable, _, rules = answer(tmp_path, made, cr(MASQUERADE | configuration, version=version))

    assert live_migratable is (True if resolved else None)
    assert ("LM505" not in rules) is resolved


def test_a_name_that_no_release_deploys_is_unproven(tmp_path: Path) -> None:
    """
    The cluster can have an instancetype of its own, which was not provided.
    """
    made = machine("VirtualMachine", {"instancetype": {"name": "u1.enormous"}})

    assert "LM505" in answer(tmp_path, made, cr(MASQUERADE))[2]
