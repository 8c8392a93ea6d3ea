"""Volume migration as a path for a running VM: its preconditions by release (LM212) and the volumes it refuses (LM213)."""

from typing import Any

import pytest

from tests.kubevirt.building import judgement, vm, world
from webhook.kubevirt.releases import Release, only
from webhook.rules.example import claim, kubevirt

Manifest = dict[str, Any]
ON_C = "{autoattachPodInterface: false, volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}"
ALL_GATES = ("VolumesUpdateStrategy", "VolumeMigration", "VMLiveUpdateFeatures")
LIVE = {"vmRolloutStrategy": "LiveUpdate"}


def cluster(*methods: str, gates: tuple[str, ...] = (), **configuration: Any) -> Manifest:
    """The KubeVirt CR with these workload update methods and feature gates."""
    made: Manifest = kubevirt(developerConfiguration={"featureGates": list(gates)}, **configuration)
    made["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": list(methods)}
    return made


def found(rule: str, release: str, *others: Manifest, fragment: str = ON_C, strategy: str = "Migration") -> list[str]:
    """The subjects of the findings."""
    at = only(Release(*map(int, release.split("."))))
    machine = vm(fragment, updateVolumesStrategy=strategy)
    around = world(claim("c", "ReadWriteOnce"), *others)
    return [finding.subject for finding in judgement(machine, around, at).findings if finding.rule.id == rule]


@pytest.mark.parametrize(
    ("release", "known", "subjects"),
    [
        ("1.9", cluster("LiveMigrate"), []),
        ("1.9", cluster("LiveMigrate", **LIVE), []),
        ("1.6", cluster("LiveMigrate"), []),
        ("1.9", cluster("LiveMigrate", vmRolloutStrategy="Stage"), ["vmRolloutStrategy"]),
        ("1.9", cluster("LiveMigrate", vmRolloutStrategy="liveUpdate"), ["vmRolloutStrategy"]),
        ("1.5", cluster("LiveMigrate"), ["vmRolloutStrategy"]),
        ("1.5", cluster("LiveMigrate", **LIVE), []),
        ("1.9", cluster(), ["workloadUpdateMethods"]),
        ("1.9", cluster("Evict"), ["workloadUpdateMethods"]),
        ("1.9", cluster("Evict", "LiveMigrate"), []),
        ("1.4", cluster("LiveMigrate", gates=ALL_GATES, **LIVE), []),
        ("1.4", cluster("LiveMigrate", gates=ALL_GATES[1:], **LIVE), ["feature gates"]),
        ("1.3", cluster("LiveMigrate", gates=ALL_GATES[:1], **LIVE), ["feature gates", "vmRolloutStrategy"]),
        ("1.3", cluster("LiveMigrate", gates=ALL_GATES[:2], **LIVE), ["vmRolloutStrategy"]),
        ("1.2", cluster("LiveMigrate"), []),
    ],
)
def test_the_preconditions_depend_on_the_release(release: str, known: Manifest, subjects: list[str]) -> None:
    """
    Gates up to 1.4, rollout strategy LiveUpdate (the default from 1.6 on), and workload update method LiveMigrate.
    """
    assert found("LM212", release, known) == subjects
    assert found("LM212", release, known, strategy="Replacement") == []


def test_an_unknown_cluster_gives_no_finding() -> None:
    """
    The settings are an administrator's, and every VM without a KubeVirt CR would get the same finding.
    """
    assert found("LM212", "1.9") == []


def test_another_reason_than_disks_blocks_volume_migration() -> None:
    """
    KubeVirt looks at StorageLiveMigratable, for which claims do not matter.
    """
    device = ON_C.replace(
        "autoattachPodInterface: false", "autoattachPodInterface: false, hostDevices: [{name: u, deviceName: x/u}]"
    )

    assert found("LM212", "1.9", cluster("LiveMigrate"), fragment=device) == ["StorageLiveMigratable"]


@pytest.mark.parametrize(
    ("devices", "volume", "since"),
    [
        ("disks: [{name: d, disk: {}}]", "persistentVolumeClaim: {claimName: c}", None),
        ("disks: [{name: d, lun: {}}]", "persistentVolumeClaim: {claimName: c}", "1.3 1.9"),
        ("disks: [{name: d, disk: {}, shareable: true}]", "dataVolume: {name: c}", "1.3 1.9"),
        ("disks: [{name: d, disk: {}, shareable: false}]", "dataVolume: {name: c}", None),
        ("filesystems: [{name: d, virtiofs: {}}]", "persistentVolumeClaim: {claimName: c}", "1.3 1.9"),
        ("disks: [{name: d, disk: {}}]", "dataVolume: {name: c, hotpluggable: true}", "1.3"),
        ("disks: [{name: d, lun: {}}]", "containerDisk: {image: i}", None),
    ],
)
def test_kubevirt_refuses_to_move_some_volumes(devices: str, volume: str, since: str | None) -> None:
    """
    Shareable disks, LUNs and filesystems in every release, hotpluggable volumes in 1.3 only.
    """
    volumes = f"volumes: [{{name: d, {volume}}}, {{name: e, dataVolume: {{name: c}}}}]"
    fragment = f"{{autoattachPodInterface: false, {devices}, {volumes}}}"

    refused = [release for release in ("1.2", "1.3", "1.9") if found("LM213", release, fragment=fragment)]

    assert refused == (since.split() if since else [])
