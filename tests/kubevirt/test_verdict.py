"""How the migration would move disks: status.migrationMethod (webhook.kubevirt.verdict)."""

import pytest

from tests.kubevirt.building import Manifest, judgement, vm, vmi, world
from webhook.kubevirt.releases import SUPPORTED, Release, only
from webhook.rules.example import claim, kubevirt

STATE = "persistent-state-for-vm"
TPM = "{autoattachPodInterface: false, tpm: {persistent: true}}"
RWX, RWO = ("ReadWriteMany",), ("ReadWriteOnce",)


def method(manifest: Manifest, *around: Manifest, release: tuple[int, int] = (1, 9)) -> str:
    found = judgement(manifest, world(kubevirt(), *around), only(Release(*release))).verdict
    assert found is not None
    return found.migration_method


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
    KubeVirt 1.3 alone looks at the claim with the state of TPM and EFI.
    """
    assert method(vm(TPM), claim(STATE, *modes), release=release) == expected


def test_the_newest_release_decides_whether_a_state_claim_counts() -> None:
    """
    Where several releases are judged at once, the method is that of the newest.
    """
    found = judgement(vm(TPM), world(kubevirt(), claim(STATE, *RWO)), SUPPORTED).verdict

    assert found is not None
    assert found.migration_method == "LiveMigration"


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
    A VMI may have neither domain nor devices nor disks when it is judged; its volumes are copied all the same.
    """
    whole = {**vmi("{}"), "spec": spec}

    assert method(whole) == "BlockMigration"


def test_a_vmi_without_volumes_copies_nothing() -> None:
    """
    LiveMigration is the method where there is no volume.
    """
    assert method(vmi("{autoattachPodInterface: false}")) == "LiveMigration"
