"""
The claims that a launcher pod mounts.

Source: ``pkg/virt-controller/services/rendervolumes.go`` and ``pkg/storage/backend-storage/backend-storage.go``, v1.3.1 to
v1.9.0. This module does no I/O.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.launcher.containers import HOOKS
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings
from webhook.kubevirt.launcher.traits import has_tpm
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import Json
from webhook.objects.pods import PodClaim, PodVolume
from webhook.objects.storage import PersistentVolumeClaim

_STATE: Final = "persistent-state-for"
STATE_VOLUME: Final = "vm-state"
_SHARED: Final = "ReadWriteMany"
_TRACKING: Final = frozenset(("Initializing", "Enabled"))


def claim_volumes(vmi: LauncherVMI) -> Iterator[PodVolume]:
    """The claims of the VMI's own volumes. A hotplugged volume belongs to another pod."""
    plugged = {status.name for status in vmi.status.volume_status or () if status.hotplug_volume is not None}
    for volume in vmi.spec.volumes or ():
        claim, data = volume.persistent_volume_claim, volume.data_volume
        if volume.name in plugged or any(source is not None and source.hotpluggable for source in (claim, data)):
            continue
        if volume.ephemeral is not None and volume.ephemeral.persistent_volume_claim is not None:
            claim = volume.ephemeral.persistent_volume_claim
        if claim is not None:
            yield PodVolume(volume.name, PodClaim(claim.claim_name, claim.read_only))
        elif data is not None:
            yield PodVolume(volume.name, PodClaim(data.name))


def missing_claim(vmi: LauncherVMI, around: Surroundings) -> NoPod | None:
    """The error of virt-controller if a claim of the VMI does not exist, or None."""
    if isinstance(around.claims, Unknown):
        return None
    for volume in claim_volumes(vmi):
        claim = volume.persistent_volume_claim
        if claim is not None and claim.claim_name not in around.claims:
            return NoPod(f"failed to render launch manifest: didn't find PVC {claim.claim_name}")
    return None


class StateClaim(msgspec.Struct, frozen=True):
    """The claim with the state of a VMI's TPM and EFI."""

    name: str
    is_shared: bool
    """Whether source and target pod can use the claim."""

    def is_replaced(self, version: Version) -> bool:
        """Whether KubeVirt creates a new claim for the target pod (``CreatePVCForMigrationTarget``)."""
        return not self.is_shared and version[:2] >= (1, 4)


def state_claim(
    vmi: LauncherVMI, version: Version, claims: Fact[Mapping[str, PersistentVolumeClaim]]
) -> StateClaim | None:
    """
    The claim with the state of the VMI (``PVCForVMI``), or None if the VMI needs no such claim. If the claims are not known, the
    status of the VMI names the claim.
    """
    if not needs_state_claim(vmi, version):
        return None
    legacy = f"{_STATE}-{vmi.name}"
    if isinstance(claims, Unknown):
        for status in vmi.status.volume_status or ():
            info = status.persistent_volume_claim_info
            if status.name.startswith(_STATE) and info is not None:
                return StateClaim(info.claim_name, _SHARED in (info.access_modes or ()))
        return StateClaim(legacy, is_shared=False)
    for claim in claims.values():
        if (claim.meta.labels or {}).get(_STATE) == vmi.name and claim.meta.deletion_timestamp is None:
            return StateClaim(claim.name, _SHARED in (claim.spec.access_modes or ()))
    modes = claims[legacy].spec.access_modes if legacy in claims else None
    return StateClaim(legacy, _SHARED in (modes or ()))


def needs_state_claim(vmi: LauncherVMI, version: Version) -> bool:
    """Whether a claim keeps the state of the VMI (``IsBackendStorageNeeded``)."""
    domain, tracking = vmi.spec.domain, vmi.status.changed_block_tracking
    tpm = domain.devices.tpm
    bootloader = domain.firmware.bootloader if domain.firmware is not None else None
    efi = bootloader.efi if bootloader is not None else None
    return (
        (tpm is not None and bool(tpm.persistent) and has_tpm(vmi, version))
        or (efi is not None and bool(efi.persistent))
        or (version[:2] >= (1, 7) and tracking is not None and tracking.state in _TRACKING)
    )


def state_volume(claim: StateClaim) -> PodVolume:
    """The volume with the state of the VMI."""
    return PodVolume(STATE_VOLUME, PodClaim(claim.name))


def hook_sidecars(vmi: LauncherVMI) -> list[Json] | NoPod:
    """The hook sidecars in the annotation of the VMI (``UnmarshalHookSidecarList`` of ``pkg/hooks/hooks.go``)."""
    text = (vmi.meta.annotations or {}).get(HOOKS)
    if text is None:
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if value is not None and not isinstance(value, list):
        return NoPod(f"failed to render launch manifest: the annotation {HOOKS} is not a JSON list")
    return value or []


def hook_volumes(sidecars: list[Json]) -> Iterator[PodVolume]:
    """The claims that hook sidecars mount."""
    for sidecar in sidecars:
        claim = sidecar.get("pvc") if isinstance(sidecar, dict) else None
        name = claim.get("name") if isinstance(claim, dict) else None
        if isinstance(name, str):
            yield PodVolume(name, PodClaim(name))
