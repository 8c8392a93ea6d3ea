"""Persistent TPM and EFI state: only KubeVirt 1.3 checks its claim."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import EVERYTHING, RELEASES, Manifest, judgement, named, read, verdicts, vm, vmi, world
from webhook.facts.migration import ClaimFacts
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown, Unread
from webhook.kubevirt.expansion.state_claim import state_claim
from webhook.kubevirt.releases import Release, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import PreferenceSpec
from webhook.objects.kubevirt import Configuration
from webhook.objects.storage import PersistentVolumeClaim, StorageClass, StorageProfile
from webhook.rules.example import claim, kubevirt, storage_profile

V1_3 = Release(1, 3)
NO_INTERFACE = "autoattachPodInterface: false"
TPM = f"{{{NO_INTERFACE}, tpm: {{persistent: true}}}}"
DISKS = "DisksNotLiveMigratable"
STATE = "persistent-state-for-vm"
DEFAULT: Manifest = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "sc", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
}
VIRT_DEFAULT: Manifest = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "virt", "annotations": {"storageclass.kubevirt.io/is-default-virt-class": "true"}},
}
OWN_CLASS = kubevirt(vmStateStorageClass="own")


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ((DEFAULT,), DISKS),
        ((DEFAULT, storage_profile("sc", "ReadWriteMany")), "OK"),
        ((DEFAULT, storage_profile("sc", "ReadWriteOnce", "ReadWriteMany")), "OK"),
        ((DEFAULT, storage_profile("sc", "ReadWriteMany", volume_mode="Block")), DISKS),
        ((DEFAULT, storage_profile("sc", "ReadOnlyMany")), DISKS),
        ((OWN_CLASS,), "OK"),
        ((OWN_CLASS, storage_profile("own", "ReadWriteOnce")), DISKS),
        ((OWN_CLASS, storage_profile("own", "ReadOnlyMany")), "OK"),
        ((OWN_CLASS, storage_profile("own", "ReadWriteOnce", volume_mode="Block")), "OK"),
        ((OWN_CLASS, DEFAULT, storage_profile("sc", "ReadWriteOnce")), "OK"),
        ((VIRT_DEFAULT, storage_profile("virt", "ReadWriteMany")), "unproven"),
        ((), "unproven"),
        ((DEFAULT, claim(STATE, "ReadWriteMany")), "OK"),
        ((OWN_CLASS, claim(STATE, "ReadWriteOnce")), DISKS),
        ((DEFAULT, claim(STATE, "ReadWriteOnce", "ReadWriteMany")), DISKS),
        ((DEFAULT, claim(STATE, "ReadWriteMany", "ReadWriteOnce")), "OK"),
    ],
)
def test_1_3_chooses_the_access_mode_of_the_state_claim(around: tuple[Manifest, ...], expected: str) -> None:
    """
    ReadWriteMany where the cluster sets a class for VM state; a StorageProfile's filesystems have precedence, and the
    first mode of an existing claim over both. Other releases do not check it.
    """
    objects = around if any(manifest["kind"] == "KubeVirt" for manifest in around) else (kubevirt(), *around)

    by_release = verdicts(vm(TPM), world(*objects))

    assert by_release == {str(release): expected if release == V1_3 else "OK" for release in RELEASES}


@pytest.mark.parametrize(
    ("fragment", "path"),
    [
        ("tpm: {persistent: true}", "devices.tpm.persistent"),
        ("tpm: {enabled: false, persistent: true}", "devices.tpm.persistent"),
        ("firmware: {bootloader: {efi: {persistent: true}}}", "firmware.bootloader.efi.persistent"),
        ("tpm: {}", None),
        ("tpm: {persistent: false}", None),
        ("firmware: {bootloader: {efi: {}}}", None),
        ("firmware: {bootloader: {bios: {}}}", None),
    ],
)
def test_state_is_kept_where_tpm_or_efi_is_persistent(fragment: str, path: str | None) -> None:
    """
    The finding has the path of the field that requests persistent state.
    """
    result = judgement(vmi(f"{{{NO_INTERFACE}, {fragment}}}"), world(kubevirt(), DEFAULT), only(V1_3))

    assert [".".join(map(str, item.path)) for item in result.findings] == ([f"spec.domain.{path}"] if path else [])


def test_unknown_storage_makes_the_state_claim_unproven() -> None:
    """
    Without the storage classes the default class is unknown.
    """
    complete = [kind for kind in EVERYTHING if kind is not StorageClass]

    assert verdicts(vm(TPM), world(kubevirt(), complete=complete), [V1_3]) == {"1.3": "unproven"}


def state_of(manifest: Manifest, *around: Manifest, preference: PreferenceSpec | None = None) -> ClaimFacts | None:
    subject = subject_of(read(manifest))
    assert subject is not None
    return state_claim(subject, world(*around), Configuration(), preference or PreferenceSpec())


def test_the_state_claim_has_no_volume() -> None:
    """
    KubeVirt makes it, or finds it; a claim without access modes is not shared.
    """
    bare = named("PersistentVolumeClaim", STATE, "v1", spec={})
    path = ("spec", "domain", "devices", "tpm", "persistent")

    assert state_of(vmi(TPM), claim(STATE, "ReadWriteOnce")) == ClaimFacts(
        "", STATE, path, frozenset({"ReadWriteOnce"})
    )
    assert state_of(vmi(TPM), bare) == ClaimFacts("", STATE, path, frozenset())
    assert state_of(vmi(TPM), DEFAULT) == ClaimFacts(
        "", STATE, path, frozenset({"ReadWriteOnce"}), "KubeVirt's choice for persistent TPM or EFI state"
    )
    assert state_of(vmi(TPM), DEFAULT, storage_profile("sc", "ReadWriteOnce")) == state_of(vmi(TPM), DEFAULT)
    bare_profile = storage_profile("sc") | {"status": {"claimPropertySets": [{"volumeMode": "Filesystem"}]}}
    assert state_of(vmi(TPM), DEFAULT, bare_profile) == state_of(vmi(TPM), DEFAULT)


def test_a_state_claim_that_cannot_be_read_is_unknown() -> None:
    """
    It exists, so KubeVirt does not choose the modes of a new one.
    """
    subject = subject_of(read(vmi(TPM)))
    assert subject is not None
    unread = Unread("the claim could not be read")

    class Unreadable(ObjectsWorld):
        def find(self, kind: Any, namespace: str, name: str) -> Any:
            return unread

    claim = state_claim(subject, Unreadable([]), Configuration(), PreferenceSpec())

    assert claim == ClaimFacts("", STATE, ("spec", "domain", "devices", "tpm", "persistent"), unread)


@pytest.mark.parametrize("spec", [{}, {"domain": {}}, {"domain": {"devices": {}}}])
def test_a_vmi_without_devices_keeps_no_state(spec: Manifest) -> None:
    """
    There is no TPM and no firmware that could be persistent.
    """
    assert state_of(vmi("{}") | {"spec": spec}) is None


@pytest.mark.parametrize(
    ("own", "preferred", "kept"),
    [
        ("{}", {"persistent": True}, True),
        ("{}", {}, False),
        ("{}", {"persistent": False}, False),
        ("{tpm: {}}", {"persistent": True}, False),
    ],
)
def test_a_preference_adds_a_tpm_to_a_vm_without_one(own: str, preferred: Manifest, kept: bool) -> None:
    """
    The finding is at the reference to the preference.
    """
    preference = msgspec.convert({"devices": {"preferredTPM": preferred}}, PreferenceSpec)

    claim = state_of(vm(own), DEFAULT, preference=preference)

    assert (claim.path if claim is not None else None) == (("spec", "preference") if kept else None)


def test_a_storage_profile_that_is_not_provided_leaves_the_state_claim_open() -> None:
    """
    It may offer shared filesystems.
    """
    complete = [kind for kind in EVERYTHING if kind is not StorageProfile]
    subject = subject_of(read(vmi(TPM)))
    assert subject is not None

    claim = state_claim(subject, world(DEFAULT, complete=complete), Configuration(), PreferenceSpec())

    assert claim is not None
    assert isinstance(claim.access_modes, Unknown)


def test_a_state_claim_that_is_not_provided_is_chosen_by_kubevirt() -> None:
    """
    KubeVirt creates this claim, so its absence from the manifests proves nothing.
    """
    subject = subject_of(read(vmi(TPM)))
    assert subject is not None
    complete = [kind for kind in EVERYTHING if kind is not PersistentVolumeClaim]

    claim = state_claim(subject, world(DEFAULT, complete=complete), Configuration(), PreferenceSpec())

    assert claim is not None
    assert claim.access_modes == frozenset({"ReadWriteOnce"})
