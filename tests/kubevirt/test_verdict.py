"""The migration method, status.migrationMethod (webhook.kubevirt.verdict)."""

import pytest

from tests.kubevirt.building import Manifest, judgement, vm, vmi, world
from webhook.kubevirt.releases import SUPPORTED, Reason, Release, only
from webhook.kubevirt.verdict import Verdict
from webhook.rules.example import claim, kubevirt, node

STATE = "persistent-state-for-vm"
TPM = "{autoattachPodInterface: false, tpm: {persistent: true}}"
RWX, RWO = ("ReadWriteMany",), ("ReadWriteOnce",)


def method(manifest: Manifest, *around: Manifest, release: tuple[int, int] = (1, 9)) -> str:
    verdict = judgement(manifest, world(kubevirt(), *around), only(Release(*release))).verdict
    assert verdict is not None
    return verdict.migration_method


@pytest.mark.parametrize(
    ("release", "modes", "expected"),
    [
        ((1, 3), RWO, "BlockMigration"),
        ((1, 3), RWX, "LiveMigration"),
        ((1, 4), RWO, "LiveMigration"),
    ],
)
def test_an_unshared_state_claim_is_copied_in_1_3(
    release: tuple[int, int], modes: tuple[str, ...], expected: str
) -> None:
    """
    Only KubeVirt 1.3 checks the claim with the state of TPM and EFI.
    """
    assert method(vm(TPM), claim(STATE, *modes), release=release) == expected


def test_the_newest_release_decides_whether_a_state_claim_counts() -> None:
    """
    Where several releases are judged at once, the method is that of the newest.
    """
    verdict = judgement(vm(TPM), world(kubevirt(), claim(STATE, *RWO)), SUPPORTED).verdict

    assert verdict is not None
    assert verdict.migration_method == "LiveMigration"


def test_a_state_claim_of_unknown_modes_is_not_called_copied() -> None:
    """
    A claim that would be made from an unknown class has no modes to judge by.
    """
    assert method(vm(TPM), release=(1, 3)) == "LiveMigration"


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "c", "containerDisk": {"image": "i"}}]},
        {"domain": {}, "volumes": [{"name": "c", "containerDisk": {"image": "i"}}]},
        {"domain": {"devices": {}}, "volumes": [{"name": "c", "containerDisk": {"image": "i"}}]},
    ],
)
def test_a_volume_without_a_disk_is_copied(spec: Manifest) -> None:
    """
    A VMI without domain, devices or disks still has its volumes copied.
    """
    whole = {**vmi("{}"), "spec": spec}

    assert method(whole) == "BlockMigration"


def test_a_vmi_without_volumes_copies_nothing() -> None:
    """
    LiveMigration is the method where there is no volume.
    """
    assert method(vmi("{autoattachPodInterface: false}")) == "LiveMigration"


MOVING = {"migratedVolumes": [{"volumeName": "os"}]}
ON_CLAIM = "{autoattachPodInterface: false, volumes: [{name: os, persistentVolumeClaim: {claimName: single}}]}"


@pytest.mark.parametrize(
    ("release", "status", "expected"),
    [
        ((1, 3), None, "BlockMigration"),
        ((1, 3), MOVING, "LiveMigration"),
        ((1, 4), MOVING, "BlockMigration"),
        ((1, 9), MOVING, "BlockMigration"),
    ],
)
def test_a_migrated_volume_is_copied_from_1_4(release: tuple[int, int], status: Manifest | None, expected: str) -> None:
    """
    A volume in status.migratedVolumes is copied whatever its claim; 1.3 ignores the list.
    """
    assert method(vmi(ON_CLAIM, status=status), claim("single", *RWO), release=release) == expected


def test_a_volume_that_stays_is_judged_beside_one_that_moves() -> None:
    """
    LiveMigration is the method where volumes are shared and none is migrated.
    """
    assert method(vmi(ON_CLAIM), claim("single", *RWX), release=(1, 9)) == "LiveMigration"


@pytest.mark.parametrize(
    ("release", "filesystem", "expected"),
    [
        ((1, 4), "files", "BlockMigration"),
        ((1, 5), "files", "LiveMigration"),
        ((1, 9), "files", "LiveMigration"),
        ((1, 9), "others", "BlockMigration"),
    ],
)
def test_a_shared_filesystem_is_not_copied_from_1_5(release: tuple[int, int], filesystem: str, expected: str) -> None:
    """
    virtiofs carries the volume of its name.
    """
    fragment = (
        f"{{autoattachPodInterface: false, filesystems: [{{name: {filesystem}, virtiofs: {{}}}}],"
        " volumes: [{name: files, configMap: {name: c}}]}"
    )

    assert method(vmi(fragment), release=release) == expected


def verdict_of(manifest: Manifest, *around: Manifest, release: tuple[int, int] = (1, 9)) -> Verdict:
    verdict = judgement(manifest, world(*around, complete=()), only(Release(*release))).verdict
    assert verdict is not None
    return verdict


SEV = "{autoattachPodInterface: false, launchSecurity: {sev: {}}, cpu: {model: Haswell}}"
SEV_ON_POD_NETWORK = "{launchSecurity: {sev: {}}, cpu: {model: Haswell}}"


def test_the_reason_is_kubevirts_if_no_earlier_reason_is_unproven() -> None:
    verdict = verdict_of(vm(SEV))

    assert (verdict.live_migratable, verdict.reason, verdict.possible) == (False, Reason.SEV, ())


def test_an_unproven_earlier_reason_leaves_the_reason_open() -> None:
    """Without the KubeVirt CR, the default interface of the VM can be a bridge."""
    verdict = verdict_of(vm(SEV_ON_POD_NETWORK))

    assert (verdict.live_migratable, verdict.reason) == (False, None)
    assert verdict.possible == (Reason.INTERFACE, Reason.SEV)


def test_an_unproven_later_reason_does_not_count() -> None:
    """In KubeVirt 1.9, DisksNotLiveMigratable comes after SEVNotLiveMigratable; in 1.5 it comes first."""
    with_disk = {**vm(SEV)}
    with_disk["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "x"}}]

    assert verdict_of(with_disk).reason is Reason.SEV
    assert verdict_of(with_disk, release=(1, 5)).possible == (Reason.DISKS, Reason.SEV)


REENLIGHTENED = "{autoattachPodInterface: false, features: {hyperv: {reenlightenment: {}}}, cpu: {model: host-model}}"
REPORTING = node("n1", **{"kubevirt.io/schedulable": "true", "host-model-cpu.node.kubevirt.io/Haswell": "true"})
SILENT = node("n2", **{"kubevirt.io/schedulable": "true"})


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ((REPORTING,), (False, Reason.NO_TSC)),
        ((SILENT,), (False, Reason.CPU_MODE)),
        ((REPORTING, SILENT), (None, None)),
    ],
)
def test_nodes_that_differ_in_their_host_model_leave_a_missing_tsc_frequency_unproven(
    nodes: tuple[Manifest, ...], expected: tuple[bool | None, Reason | None]
) -> None:
    """The node that runs the VM decides between the two reasons."""
    verdict = judgement(vm(REENLIGHTENED), world(kubevirt(), *nodes), only(Release(1, 9))).verdict

    assert verdict is not None
    assert (verdict.live_migratable, verdict.reason) == expected
    assert bool(verdict.unproven) == (expected == (None, None))
