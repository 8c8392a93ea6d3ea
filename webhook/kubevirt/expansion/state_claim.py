"""
The claim for persistent TPM and EFI state. Only KubeVirt 1.3 checks the access modes of this claim.

Source: ``pkg/storage/backend-storage/backend-storage.go`` and ``pkg/virt-handler/vm.go``, v1.3.1.
"""

from webhook.facts.migration import ClaimFacts
from webhook.facts.unknown import Absent, Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import Modes, default_class, property_sets
from webhook.kubevirt.releases import Release, Releases, only
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import PreferenceSpec
from webhook.objects.kubevirt import Configuration
from webhook.objects.path import FieldPath
from webhook.objects.storage import PersistentVolumeClaim
from webhook.objects.vmi import Devices, Domain

STATE_CLAIM_COUNTS: Releases = only(Release(1, 3))
_NO_DOMAIN = Domain()
_NO_DEVICES = Devices()


def state_claim(
    subject: Subject, world: World, configuration: Fact[Configuration], preference: PreferenceSpec
) -> ClaimFacts | None:
    """
    The claim that KubeVirt 1.3 creates, or None for a VM without persistent state.

    The mode is ReadWriteMany if ``vmStateStorageClass`` is set, and otherwise ReadWriteOnce. The StorageProfile's modes for
    volumeMode Filesystem have precedence over this mode. If the claim exists, KubeVirt reads only its first access mode.
    """
    path = _persistent_state(subject, preference)
    if path is None:
        return None
    claim = f"persistent-state-for-{subject.name}"
    existing = world.find(PersistentVolumeClaim, subject.namespace, claim)
    if isinstance(existing, PersistentVolumeClaim):
        return ClaimFacts("", claim, path, frozenset((existing.spec.access_modes or ())[:1]))
    if isinstance(existing, Unknown) and existing.may_exist:
        return ClaimFacts("", claim, path, existing)
    modes = _chosen(world, configuration)
    return ClaimFacts("", claim, path, modes.access_modes, modes.expected_from)


def _persistent_state(subject: Subject, preference: PreferenceSpec) -> FieldPath | None:
    """The field that requests persistent state. A preference adds a TPM only to a VM without a TPM."""
    domain = subject.spec.domain or _NO_DOMAIN
    own = (domain.devices or _NO_DEVICES).tpm
    preferred = preference.devices.preferred_tpm if preference.devices is not None else None
    bootloader = domain.firmware.bootloader if domain.firmware is not None else None
    if own is not None and own.persistent:
        return (*subject.base, "domain", "devices", "tpm", "persistent")
    if own is None and preferred is not None and preferred.persistent:
        return (*subject.owner, "preference")
    if bootloader is not None and bootloader.efi is not None and bootloader.efi.persistent:
        return (*subject.base, "domain", "firmware", "bootloader", "efi", "persistent")
    return None


def _chosen(world: World, configuration: Fact[Configuration]) -> Modes:
    if isinstance(configuration, Unknown):
        return Modes(configuration)
    named = configuration.vm_state_storage_class
    storage_class = named or default_class(world, prefer_virt=False)
    if isinstance(storage_class, Unknown):
        return Modes(storage_class)
    if isinstance(storage_class, Absent):
        why = "the cluster has no default storage class, so KubeVirt 1.3 cannot create the claim and does not start the VM"
        return Modes(Unknown(why, "ask the platform team to set vmStateStorageClass in the KubeVirt CR"))
    sets = property_sets(world, storage_class)
    if isinstance(sets, Unknown):
        return Modes(sets)
    mode = "ReadWriteMany" if named else "ReadWriteOnce"
    offered = {mode for one in sets if one.volume_mode == "Filesystem" for mode in one.access_modes or ()}
    if offered & {"ReadWriteMany", "ReadWriteOnce"}:
        mode = "ReadWriteMany" if "ReadWriteMany" in offered else "ReadWriteOnce"
    return Modes(frozenset((mode,)), "KubeVirt's choice for persistent TPM or EFI state")
