"""
The claims of a pod that is to be scheduled, and the reasons why they exclude all nodes.

Source: ``PreFilter`` of ``volumerestrictions``, ``volumebinding`` and ``volumezone`` in
``pkg/scheduler/framework/plugins``, and ``k8s.io/component-helpers/storage/ephemeral``, Kubernetes v1.34.2.
"""

from collections.abc import Iterator

from webhook.objects.pods import Pod, PodVolume
from webhook.objects.volumes import ClusterVolume, VolumeClaim
from webhook.scheduling.pod_info import claim_of
from webhook.scheduling.storage import DELAYED, Storage, class_of, is_bound
from webhook.scheduling.verdicts import Refusal, Unknown

_RESTRICTIONS = "VolumeRestrictions"
_BINDING = "VolumeBinding"
_UNBOUND = Refusal(_BINDING, "pod has unbound immediate PersistentVolumeClaims")


class PodClaims:
    """The claims of a pod, and their volumes. ``bound`` and ``delayed`` keep the order of the pod's volumes."""

    __slots__ = ("bound", "delayed", "once", "rejection", "unknown", "zoned")

    def __init__(self, pod: Pod, storage: Storage) -> None:
        self.bound: list[tuple[VolumeClaim, ClusterVolume | None]] = []
        """The bound claims with their volumes. A volume is None if it does not exist."""
        self.delayed: list[VolumeClaim] = []
        """The claims that are bound once the pod has a node."""
        self.once: list[str] = []
        """The names of claims with access mode ReadWriteOncePod."""
        self.zoned: list[ClusterVolume] = []
        """The volumes that VolumeZone compares."""
        self.rejection: Refusal | None = None
        """The reason why the pod is unschedulable, whatever the nodes are."""
        self.unknown: Unknown | None = None
        """A missing fact about a claim or its volume."""
        for outcome in _prefilters(self, pod, storage):
            if isinstance(outcome, Refusal):
                self.rejection = outcome
                return
            self.unknown = self.unknown or outcome


def _prefilters(claims: PodClaims, pod: Pod, storage: Storage) -> Iterator[Refusal | Unknown]:
    volumes = [(volume, name) for volume in pod.spec.volumes or () if (name := claim_of(pod, volume)) is not None]
    if not volumes:
        return
    found: list[tuple[PodVolume, VolumeClaim]] = []
    for volume, name in volumes:
        claim = storage.claim(pod.namespace, name)
        if isinstance(claim, Unknown):
            yield claim
        elif claim is not None:
            found.append((volume, claim))
        elif volume.persistent_volume_claim is not None:
            yield Refusal(_RESTRICTIONS, f'persistentvolumeclaim "{name}" not found')
    claims.once = [
        claim.name
        for volume, claim in found
        if volume.persistent_volume_claim is not None and "ReadWriteOncePod" in (claim.spec.access_modes or ())
    ]
    yield from _unusable(pod, volumes, storage)
    yield from _sorted(claims, (claim for _, claim in found), storage)
    for volume, claim in found:
        if volume.persistent_volume_claim is not None and claim.spec.volume_name:
            yield from _zone(claims, claim.spec.volume_name, storage)


def _unusable(pod: Pod, volumes: list[tuple[PodVolume, str]], storage: Storage) -> Iterator[Refusal]:
    """Source: ``podHasPVCs``."""
    for volume, name in volumes:
        claim = storage.claim(pod.namespace, name)
        if claim is None:
            yield Refusal(
                _BINDING, f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            )
        elif not isinstance(claim, Unknown):
            if claim.status is not None and claim.status.phase == "Lost":
                bound = claim.spec.volume_name
                yield Refusal(
                    _BINDING, f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{bound}"'
                )
            if claim.meta.deletion_timestamp is not None:
                yield Refusal(_BINDING, f'persistentvolumeclaim "{name}" is being deleted')
            if volume.persistent_volume_claim is None and not _is_owner(pod, claim):
                places = f"PVC {claim.namespace}/{name} was not created for pod {pod.namespace}/{pod.name}"
                yield Refusal(_BINDING, f"{places} (pod is not owner)")


def _is_owner(pod: Pod, claim: VolumeClaim) -> bool:
    return any(owner.controller and owner.uid == pod.meta.uid for owner in claim.meta.owner_references or ())


def _sorted(claims: PodClaims, found: Iterator[VolumeClaim], storage: Storage) -> Iterator[Refusal | Unknown]:
    """Source: ``GetPodVolumeClaims`` and ``IsDelayBindingMode``."""
    immediate = False
    for claim in found:
        if is_bound(claim):
            volume = storage.volumes.find(claim.spec.volume_name)
            if isinstance(volume, Unknown):
                yield volume
            else:
                claims.bound.append((claim, volume))
            continue
        name = class_of(claim)
        storage_class = storage.classes.find(name) if name else None
        if isinstance(storage_class, Unknown) and not claim.spec.volume_name:
            yield storage_class
        elif (
            storage_class is not None
            and not isinstance(storage_class, Unknown)
            and storage_class.volume_binding_mode == DELAYED
            and not claim.spec.volume_name
        ):
            claims.delayed.append(claim)
            if storage.is_taken(claim):
                yield Unknown(
                    f"the volume of claim {claim.namespace}/{claim.name} depends on a pod that is placed before"
                )
        else:
            immediate = True
    if immediate:
        yield _UNBOUND


def _zone(claims: PodClaims, name: str, storage: Storage) -> Iterator[Refusal | Unknown]:
    """Source: ``getPVbyPod``."""
    volume = storage.volumes.find(name)
    if volume is None:
        yield Refusal("VolumeZone", f'persistentvolume "{name}" not found')
    elif isinstance(volume, Unknown):
        yield volume
    else:
        claims.zoned.append(volume)
