"""Findings whose words depend on what KubeVirt does next: GPUs, stopped VMs, selectors, crashes and dead settings."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.surfaces.doors import Doors, as_yaml
from tests.surfaces.running import Program
from tests.surfaces.test_settings_that_work import cr

Manifest = dict[str, Any]
GPU = {"gpus": [{"name": "g", "deviceName": "nvidia.com/G"}]}
BRIDGE = {"interfaces": [{"name": "default", "bridge": {}}]}
PREFERENCE: Manifest = {
    "apiVersion": "instancetype.kubevirt.io/v1beta1",
    "kind": "VirtualMachinePreference",
    "metadata": {"name": "p", "namespace": "lab"},
    "spec": {"cpu": {"preferredCPUFeatures": [{"name": "aes", "policy": "require"}]}},
}


def vgpus(gates: list[str], version: str) -> Manifest:
    """A KubeVirt CR that permits one kind of virtual GPU."""
    devices = {"mediatedDevices": [{"mdevNameSelector": "G", "resourceName": "nvidia.com/G"}]}
    developer = {"featureGates": gates}
    return cr({"permittedHostDevices": devices, "developerConfiguration": developer}, version=version)


def machine(kind: str = "VirtualMachine", devices: Any = BRIDGE, vmi: Any = None, **outer: Any) -> Manifest:
    """A VM, VMI or replica set with masquerade or these devices."""
    spec = {
        "evictionStrategy": "LiveMigrateIfPossible",
        "domain": {"devices": devices},
        "networks": [{"name": "default", "pod": {}}] if "interfaces" in devices else [],
        **(vmi or {}),
    }
    inner = spec if kind == "VirtualMachineInstance" else {"template": {"metadata": {}, "spec": spec}, **outer}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": kind,
        "metadata": {"name": "vm", "namespace": "lab"},
        "spec": inner,
    }


def messages(folder: Path, rule: str, manifest: Manifest, *world: Manifest) -> list[str]:
    """The messages of one rule about an object. All surfaces must agree."""
    doors = Doors(folder, [manifest, *world])
    answers = [
        [finding.message for finding in said.findings if finding.rule == rule]
        for said in (doors.by_command_line(manifest), doors.by_api(manifest), doors.by_admission(manifest)[0])
    ]
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


@pytest.mark.parametrize(
    ("gates", "version", "refused"),
    [(["VGPULiveMigration"], "v1.9.0", False), ([], "v1.9.0", True), (["VGPULiveMigration"], "v1.8.4", True)],
)
def test_one_virtual_gpu_is_only_on_the_fixed_list_where_kubevirt_migrates_it(
    tmp_path: Path, gates: list[str], version: str, refused: bool
) -> None:
    """
    The message then names the condition for a migration (F5).
    """
    (message,) = messages(
        tmp_path, "LM302", machine(devices=GPU | {"autoattachPodInterface": False}), vgpus(gates, version)
    )

    assert ("cannot" in message) is refused
    assert ("the same driver" in message) is not refused


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (machine(runStrategy="Always"), "starts it again on a node that fits"),
        (machine(running=True), "starts it again on a node that fits"),
        (machine(runStrategy="RerunOnFailure"), "only after a failure"),
        (machine(runStrategy="Manual"), "stays stopped"),
        (machine(runStrategy="Once"), "does not start the VM again"),
        (machine(running=False), "so a node drain stops it"),
        (machine("VirtualMachineInstance"), "does not start a VirtualMachineInstance again"),
        (machine("VirtualMachineInstanceReplicaSet", replicas=1), "creates a new VM"),
    ],
)
def test_a_drain_that_stops_a_vm_says_if_it_starts_again(tmp_path: Path, made: Manifest, expected: str) -> None:
    """
    The run strategy, or the kind of the owner, decides (LM504).
    """
    (message,) = messages(tmp_path, "LM504", made, cr({"vmRolloutStrategy": "Stage"}))

    assert message.startswith("evictionStrategy is LiveMigrateIfPossible")
    assert expected in message


@pytest.mark.parametrize(
    ("cpu", "outer", "crashes"),
    [
        (None, {}, True),
        ({}, {}, False),
        ({"cores": 2}, {}, False),
        (None, {"instancetype": {"name": "u1.small", "kind": "VirtualMachineInstancetype"}}, False),
    ],
)
def test_preferred_cpu_features_crash_virt_api_without_a_cpu(
    tmp_path: Path, cpu: Any, outer: Manifest, crashes: bool
) -> None:
    """
    An instancetype, or an empty ``cpu``, prevents the crash (LM408).
    """
    preference = {"preference": {"name": "p", "kind": "VirtualMachinePreference"}}
    made = machine(runStrategy="Always", **preference, **outer)
    if cpu is not None:
        made["spec"]["template"]["spec"]["domain"]["cpu"] = cpu

    result = messages(tmp_path, "LM408", made, PREFERENCE, cr({"vmRolloutStrategy": "Stage"}))

    assert ["crashes" in message for message in result] == ([True] if crashes else [])


@pytest.mark.parametrize(
    ("completion", "progress", "reported"), [(20, 150, False), (None, 150, False), (20, 151, True), (60, 150, True)]
)
def test_default_timeouts_of_vendors_are_not_reported(
    tmp_path: Path, completion: int | None, progress: int, reported: bool
) -> None:
    """
    A user has not chosen these values (LM616).
    """
    timeouts = {"progressTimeout": progress} | ({"completionTimeoutPerGiB": completion} if completion else {})

    result = messages(tmp_path, "LM616", cr({"vmRolloutStrategy": "Stage", "migrations": timeouts}))

    assert bool(result) is reported


def checked(folder: Path, *manifests: Manifest, fix: bool = False) -> tuple[str, str]:
    """The output of ``migratable check``, and the file afterwards."""
    file = folder / "object.yaml"
    file.write_bytes(as_yaml(*manifests))
    result = CliRunner().invoke(Program(), ["check", str(file), *(["--fix"] if fix else [])])
    return " ".join(result.output.split()), file.read_text()


@pytest.mark.parametrize(
    ("selector", "remedy", "fixed"),
    [
        ({"matchLabels": {"workload": "db"}}, "{workload: db}", True),
        ({"matchLabels": {"tier": "1", "app": "db"}}, '{tier: "1", app: db}', True),
        ({"app": "db", "matchLabels": {"workload": "db"}}, "{app: db, workload: db}", True),
        ({"app": "web", "matchLabels": {"app": "db"}}, "Write selectors as maps from label to value", False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "Remove matchExpressions", False),
    ],
)
def test_match_labels_of_a_policy_are_written_directly(
    tmp_path: Path, selector: Manifest, remedy: str, fixed: bool
) -> None:
    """
    The fix is safe if the labels do not contradict each other (F7).
    """
    policy = {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": "p"},
        "spec": {"selectors": {"virtualMachineInstanceSelector": selector}, "allowPostCopy": False},
    }

    output, _ = checked(tmp_path, policy)
    _, text = checked(tmp_path, policy, fix=True)

    assert "LM631" in output
    assert remedy in output
    assert ("matchLabels" not in text and "matchExpressions" not in text) is fixed


@pytest.mark.parametrize(("name", "warned"), [("kubevirt-config", True), ("cdi-config", False)])
def test_the_dead_config_map_is_reported(tmp_path: Path, name: str, warned: bool) -> None:
    """
    KubeVirt reads only its CR (F15).
    """
    data = {"feature-gates": "LiveMigration"}
    metadata = {"name": name, "namespace": "kubevirt"}

    output, _ = checked(tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

    assert ("warn LM810 dead-configuration" in output) is warned
