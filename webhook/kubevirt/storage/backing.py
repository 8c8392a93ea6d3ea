"""
The storage behind the claims of a VMI: StorageClass, PersistentVolume and StorageProfile.

A claim matters here only if KubeVirt would migrate a VM with it: its access modes include ReadWriteMany, or it is the base of
an ephemeral volume. For the mode of a future claim, see CDI ``pkg/controller/datavolume/util.go`` getDefaultVolumeMode.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from webhook.facts.migration import ClaimFacts, MigrationFacts
from webhook.facts.storage import BLOCK, FILESYSTEM, BackedClaim, StorageFacts, VolumeMigrationFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import default_class
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import Subject
from webhook.objects.nad import Node
from webhook.objects.scheduling import NodeTerm
from webhook.objects.storage import (
    ClaimPropertySet,
    ClaimSpec,
    DataVolume,
    DataVolumeSpec,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    StorageProfile,
)

SHARED: Final = "ReadWriteMany"
_SHARED_BASES: Final = frozenset((SHARED, "ReadOnlyMany"))


class _Asked(msgspec.Struct, frozen=True):
    """The spec of a claim, and whether the claim exists."""

    spec: ClaimSpec
    exists: bool
    by_profile: bool
    """Whether CDI fills in missing fields from the StorageProfile."""
    uid: str = ""


def storage_facts(
    facts: MigrationFacts, subject: Subject, world: World, reasons: Mapping[tuple[str, ...], Releases]
) -> StorageFacts | None:
    """
    The facts about the storage of a VMI, or None if no rule can report anything. ``reasons`` are the reasons of condition
    StorageLiveMigratable.
    """
    moving = _moving(facts, world, reasons) if facts.volumes_strategy is not None else None
    claims = [
        claim for claim in facts.claims if _is_shared(claim, {SHARED}) and claim.volume not in facts.migrated_volumes
    ]
    claims += [claim for claim in facts.overlaid_claims if _is_shared(claim, _SHARED_BASES)]
    if not claims and moving is None:
        return None
    templates = subject.data_volumes
    backed = [one for claim in claims if (one := _backed(claim, facts.namespace, templates, world)) is not None]
    return StorageFacts(tuple(backed), moving) if backed or moving is not None else None


def _moving(
    facts: MigrationFacts, world: World, reasons: Mapping[tuple[str, ...], Releases]
) -> VolumeMigrationFacts | None:
    from webhook.kubevirt.storage.moving import volume_migration_facts  # noqa: PLC0415 - few VMs use volume migration

    return volume_migration_facts(facts, world, reasons)


def _is_shared(claim: ClaimFacts, modes: frozenset[str] | set[str]) -> bool:
    return isinstance(claim.access_modes, frozenset) and not claim.access_modes.isdisjoint(modes)


def _backed(
    claim: ClaimFacts, namespace: str, templates: Mapping[str, DataVolumeSpec], world: World
) -> BackedClaim | None:
    """The known part of the storage behind a claim, or None if no part is known."""
    asked = _asked(claim.claim, namespace, templates, world)
    if asked is None:
        return None
    name = _class_name(asked, world)
    volume = _volume(asked, namespace, claim.claim, world)
    exists = asked.exists or volume is not None
    sets = _profile_sets(name, world) if name and not exists else ()
    classes = world.every(StorageClass) if name else ()  # the server has this list in memory
    known = None if isinstance(classes, Unknown) else next((one for one in classes if one.name == name), None)
    is_missing = bool(name) and known is None and not exists and isinstance(world.find(StorageClass, "", name), Absent)
    if volume is None and not sets and known is None and not is_missing:
        return None
    modes = claim.access_modes if isinstance(claim.access_modes, frozenset) else frozenset[str]()
    backed = BackedClaim(
        claim.volume,
        claim.claim,
        claim.path,
        storage_class=name,
        is_class_missing=is_missing,
        provisioner=known.provisioner if known is not None else "",
        parameters=(known.parameters or {}) if known is not None else None,
        volume_mode=_volume_mode(asked, modes, sets),
        offered=tuple((frozenset(one.access_modes or ()), one.volume_mode) for one in sets) or None,
        modes=modes,
    )
    return _with_volume(backed, volume, world) if volume is not None else backed


def _asked(name: str, namespace: str, templates: Mapping[str, DataVolumeSpec], world: World) -> _Asked | None:
    """The claim, the DataVolume or the ``dataVolumeTemplate``, whichever exists first."""
    claim = world.find(PersistentVolumeClaim, namespace, name)
    if isinstance(claim, PersistentVolumeClaim):
        exists = bool(claim.spec.volume_name or claim.meta.uid)
        return _Asked(claim.spec, exists=exists, by_profile=False, uid=claim.meta.uid or "")
    volume = world.find(DataVolume, namespace, name)
    spec = volume.spec if isinstance(volume, DataVolume) else templates.get(name)
    if spec is None:
        return None
    if spec.pvc is not None:
        return _Asked(spec.pvc, exists=False, by_profile=False)
    return _Asked(spec.storage, exists=False, by_profile=True) if spec.storage is not None else None


def _class_name(asked: _Asked, world: World) -> str:
    if asked.spec.storage_class_name is not None:
        return asked.spec.storage_class_name
    name = default_class(world, prefer_virt=asked.by_profile)
    return "" if isinstance(name, Unknown | Absent) else name


def _profile_sets(name: str, world: World) -> Sequence[ClaimPropertySet]:
    """
    The profile is looked up in the list of all profiles. The server has this list in memory, so admission needs no further
    read.
    """
    profiles = world.every(StorageProfile)
    if isinstance(profiles, Unknown):
        return ()
    return next((profile.property_sets for profile in profiles if profile.name == name), ())


def _volume_mode(asked: _Asked, modes: frozenset[str], sets: Sequence[ClaimPropertySet]) -> str | None:
    """The volume mode. For a DataVolume with ``storage``, CDI uses the first set of the profile with one of the modes."""
    if asked.spec.volume_mode in (BLOCK, FILESYSTEM):
        return asked.spec.volume_mode
    if not asked.by_profile:
        return FILESYSTEM if asked.spec.volume_mode is None else None
    fitting = [one for one in sets if not modes.isdisjoint(one.access_modes or ())] or sets
    return fitting[0].volume_mode if fitting else None


def _volume(asked: _Asked, namespace: str, name: str, world: World) -> PersistentVolume | None:
    """
    The PersistentVolume that the claim names, or the volume that is reserved for the claim.

    Kubernetes binds a claim without ``volumeName`` to the volume whose ``claimRef`` names it (``FindMatchingVolume`` of
    k8s.io/component-helpers storage/volume/pv_helpers.go). A uid in ``claimRef`` belongs to one claim only.
    """
    if asked.spec.volume_name:
        volume = world.find(PersistentVolume, "", asked.spec.volume_name)
        return volume if isinstance(volume, PersistentVolume) else None
    volumes = world.every(PersistentVolume)
    if isinstance(volumes, Unknown):
        return None
    for volume in volumes:
        reserved = volume.spec.claim_ref
        if reserved is None or reserved.name != name or namespace not in ("", reserved.namespace):
            continue
        if not (reserved.uid and asked.uid and reserved.uid != asked.uid):
            return volume
    return None


def _with_volume(backed: BackedClaim, volume: PersistentVolume, world: World) -> BackedClaim:
    spec = volume.spec
    affinity = spec.node_affinity.required if spec.node_affinity is not None else None
    terms = (affinity.node_selector_terms if affinity is not None else None) or ()
    return msgspec.structs.replace(
        backed,
        persistent_volume=volume.name,
        usable_nodes=_usable_nodes(terms, world) if terms else None,
        is_on_a_node=spec.host_path is not None or spec.local is not None,
        provisioner=(spec.csi.driver if spec.csi is not None else "") or backed.provisioner,
    )


def _usable_nodes(terms: Sequence[NodeTerm], world: World) -> tuple[str, ...] | None:
    from webhook.kubevirt.storage.nodes import usable_nodes  # noqa: PLC0415 - few manifests have a PersistentVolume

    return usable_nodes(terms, world.every(Node))
