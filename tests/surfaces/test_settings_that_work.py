"""Mistakes in the KubeVirt CR that KubeVirt accepts in silence: the same findings at command line, API and admission."""

from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.doors import Doors

Manifest = dict[str, Any]
UPDATES = {"workloadUpdateMethods": ["LiveMigrate", "Evict"]}
METHODS = "spec.workloadUpdateStrategy.workloadUpdateMethods"
INTERFACE = "spec.configuration.network.defaultNetworkInterface"
DEVELOPER = "spec.configuration.developerConfiguration"


def cr(configuration: Manifest, strategy: Any = UPDATES, version: str = "v1.9.0") -> Manifest:
    """A KubeVirt CR of a release."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration, "workloadUpdateStrategy": strategy},
        "status": {"observedKubeVirtVersion": version},
    }


def found(folder: Path, manifest: Manifest) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Action, message and remedy by rule and path. All surfaces must agree."""
    doors = Doors(folder, [manifest])
    answers = [
        {(finding.rule, finding.path): (finding.action, finding.message, finding.remedy) for finding in said.findings}
        for said in (doors.by_command_line(manifest), doors.by_api(manifest), doors.by_admission(manifest)[0])
    ]
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


@pytest.mark.parametrize("version", ["v1.3.1", "v1.5.3", "v1.6.6", "v1.9.0"])
@pytest.mark.parametrize(
    ("configuration", "path", "remedy"),
    [
        ({"network": {"defaultNetworkInterface": "Masquerade"}}, INTERFACE, "Did you mean masquerade?"),
        ({"network": {"defaultNetworkInterface": "Bridge"}}, INTERFACE, "Did you mean bridge?"),
        ({"network": {"defaultNetworkInterface": "sriov"}}, INTERFACE, "Write bridge, slirp or masquerade."),
        ({"imagePullPolicy": "ifNotPresent"}, "spec.configuration.imagePullPolicy", "Did you mean IfNotPresent?"),
        ({"developerConfiguration": {"cpuAllocationRatio": -1}}, f"{DEVELOPER}.cpuAllocationRatio", "positive"),
        ({"developerConfiguration": {"memoryOvercommit": -5}}, f"{DEVELOPER}.memoryOvercommit", "positive"),
        (
            {"developerConfiguration": {"pvcTolerateLessSpaceUpToPercent": 101}},
            f"{DEVELOPER}.pvcTolerateLessSpaceUpToPercent",
            "0 to 100",
        ),
    ],
)
def test_a_value_that_freezes_the_configuration_is_denied(
    tmp_path: Path, configuration: Manifest, path: str, remedy: str, version: str
) -> None:
    """
    KubeVirt ignores the whole configuration (F10).
    """
    result = found(tmp_path, cr({"vmRolloutStrategy": "Stage", **configuration}, version=version))

    action, message, cure = result["LM628", path]
    assert action == "deny"
    assert "ignores the whole spec.configuration" in message
    assert remedy in cure


@pytest.mark.parametrize(
    ("methods", "remedies"),
    [
        (["LiveMigration", "evict"], {0: "Did you mean LiveMigrate?", 1: "Did you mean Evict?"}),
        (["livemigrate"], {0: "Did you mean LiveMigrate?"}),
        (["Shutdown", "Evict"], {0: "Write LiveMigrate, Evict or both."}),
        (["LiveMigrate", "Evict"], {}),
    ],
)
def test_a_misspelt_update_method_gets_the_meant_one(
    tmp_path: Path, methods: list[str], remedies: dict[int, str]
) -> None:
    """
    The CRD has no enum for the methods (F12).
    """
    result = found(tmp_path, cr({"vmRolloutStrategy": "Stage"}, {"workloadUpdateMethods": methods}))

    named = {path: (action, remedy) for (rule, path), (action, _, remedy) in result.items() if rule == "LM629"}
    assert named == {f"{METHODS}[{index}]": ("warn", remedy) for index, remedy in remedies.items()}


@pytest.mark.parametrize(
    ("version", "strategy", "expected"),
    [
        ("v1.5.3", {}, ""),
        ("v1.6.0", {}, "KubeVirt does not start"),
        ("v1.9.0", {"workloadUpdateMethods": []}, "VMs keep their old virt-launcher"),
        ("v1.9.0", {"workloadUpdateMethods": ["Evict"]}, "evicts the VM's pod"),
        ("v1.9.0", {"workloadUpdateMethods": ["LiveMigrate"]}, ""),
    ],
)
def test_live_update_is_the_default_from_1_6_on(tmp_path: Path, version: str, strategy: Any, expected: str) -> None:
    """
    Without a method, changes wait for a migration. With Evict alone, they stop the VM (F4, F13).
    """
    result = found(tmp_path, cr({}, strategy, version))

    messages = [message for (rule, _), (_, message, _) in result.items() if rule == "LM627"]
    assert [expected in message for message in messages] == ([True] if expected else [])


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("kubevirt.io/drain", ""),
        ("example.com/maintenance", ""),
        ("node.kubernetes.io/unschedulable", "kubectl cordon"),
        ("node.kubernetes.io/disk-pressure", "already has a problem"),
        ("node-role.kubernetes.io/control-plane", "always have this taint"),
        ("kubevirt.io/drain=true:NoSchedule", "A taint cannot have this key"),
        ("kubevirt.io/drain ", "A taint cannot have this key"),
    ],
)
def test_a_drain_taint_is_a_key_that_only_a_drain_sets(tmp_path: Path, key: str, problem: str) -> None:
    """
    A taint with this key moves all VMs of a node.
    """
    result = found(tmp_path, cr({"vmRolloutStrategy": "Stage", "migrations": {"nodeDrainTaintKey": key}}))

    messages = [message for (rule, _), (_, message, _) in result.items() if rule == "LM630"]
    assert [problem in message for message in messages] == ([True] if problem else [])
