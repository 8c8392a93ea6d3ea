"""
The claim in which KubeVirt keeps persistent TPM and EFI state: 1.3 alone looks at its access modes.

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
    The claim as 1.3 makes it, or None where no state is to be kept.

    ReadWriteMany where ``vmStateStorageClass`` is set, else ReadWriteOnce; a StorageProfile's set with volumeMode
    Filesystem outranks both. Of a claim that exists already, only the first access mode is read.
    """
    path = _asked_for(subject, preference)
    if path is None:
        return None
    claim = f"persistent-state-for-{subject.name}"
    found = world.find(PersistentVolumeClaim, subject.namespace, claim)
    if isinstance(found, PersistentVolumeClaim):
        return ClaimFacts("", claim, path, frozenset((found.spec.access_modes or ())[:1]))
    if isinstance(found, Unknown) and found.may_exist:
        return ClaimFacts("", claim, path, found)
    modes = _chosen(world, configuration)
    return ClaimFacts("", claim, path, modes.access_modes, modes.expected_from)


def _asked_for(subject: Subject, preference: PreferenceSpec) -> FieldPath | None:
    """The field that asks for persistent state; a preference brings a TPM to a VM that has none of its own."""
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
        why = (
            "the cluster has no default storage class, so KubeVirt 1.3 cannot make the claim and does not start the VM"
        )
        return Modes(Unknown(why, "ask the platform team to set vmStateStorageClass in the KubeVirt CR"))
    sets = property_sets(world, storage_class)
    if isinstance(sets, Unknown):
        return Modes(sets)
    mode = "ReadWriteMany" if named else "ReadWriteOnce"
    offered = {each for one in sets if one.volume_mode == "Filesystem" for each in one.access_modes or ()}
    if offered & {"ReadWriteMany", "ReadWriteOnce"}:
        mode = "ReadWriteMany" if "ReadWriteMany" in offered else "ReadWriteOnce"
    return Modes(frozenset((mode,)), "KubeVirt's choice for persistent TPM or EFI state")
