"""
Which access modes virt-handler will see behind a volume.

virt-controller copies ``spec.accessModes`` of the claim (``pkg/storage/types/pvc.go``, v1.9.0). Where the claim does not
exist yet, CDI makes it from a DataVolume and the StorageProfile (CDI ``pkg/controller/datavolume/util.go``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webhook.facts.unknown import ABSENT, Absent, Fact, Found, Unknown
from webhook.facts.world import World
from webhook.objects.storage import (
    ClaimPropertySet,
    ClaimSpec,
    DataVolume,
    DataVolumeSpec,
    PersistentVolumeClaim,
    StorageClass,
    StorageProfile,
)

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_VIRT_CLASS = "storageclass.kubevirt.io/is-default-virt-class"


@dataclass(frozen=True, slots=True)
class Modes:
    """Access modes of a claim, and what they were predicted from if the claim does not exist yet."""

    access_modes: Found[frozenset[str]]
    expected_from: str = ""


def modes_of(world: World, namespace: str, claim: str, templates: Mapping[str, DataVolumeSpec]) -> Modes:
    """
    The modes of ``claim``: its own where it exists (it outranks any template), else what CDI would give it.

    ``templates`` are the VirtualMachine's own ``dataVolumeTemplates`` by name.
    """
    found = world.find(PersistentVolumeClaim, namespace, claim)
    if isinstance(found, PersistentVolumeClaim):
        return _of_claim(world, found)
    volume: Found[DataVolume] | DataVolumeSpec
    volume = templates.get(claim) or world.find(DataVolume, namespace, claim)
    if isinstance(volume, DataVolumeSpec):
        return predicted(world, volume, f"dataVolumeTemplate {claim!r}")
    if isinstance(volume, DataVolume):
        return predicted(world, volume.spec, f"DataVolume {claim!r}")
    return Modes(found)


def _of_claim(world: World, claim: PersistentVolumeClaim) -> Modes:
    """A claim's own modes; CDI's webhook fills absent ones only where the claim is labelled for that."""
    asks_cdi = (claim.meta.labels or {}).get("cdi.kubevirt.io/applyStorageProfile") == "true"
    if not claim.spec.access_modes and asks_cdi:
        return _from_profile(world, claim.spec, f"claim {claim.name!r}")
    return Modes(frozenset(claim.spec.access_modes or ()))


def predicted(world: World, spec: DataVolumeSpec, what: str) -> Modes:
    """What CDI would ask for when it makes the claim of a DataVolume (CDI ``datavolume/util.go``)."""
    asked = spec.pvc or spec.storage
    if asked is None:
        return Modes(Unknown(f"{what} has neither pvc nor storage", "write spec.storage of the DataVolume"))
    if asked.access_modes:
        return Modes(frozenset(asked.access_modes), what)
    if spec.pvc is not None:
        return Modes(Unknown(f"{what} lists no accessModes under pvc", "write spec.pvc.accessModes"), what)
    return _from_profile(world, asked, what)


def _from_profile(world: World, asked: ClaimSpec, what: str) -> Modes:
    name = asked.storage_class_name or default_class(world, prefer_virt=True)
    if isinstance(name, Unknown):
        return Modes(Unknown(f"{what} names no storage class, and {name.why}", name.settle), what)
    if isinstance(name, Absent):
        return Modes(
            Unknown(f"{what} names no storage class, and the cluster has no default one", "write storageClassName"),
            what,
        )
    sets = property_sets(world, name)
    if isinstance(sets, Unknown):
        return Modes(
            Unknown(
                f"{what} lists no accessModes, and {sets.why}",
                f"write accessModes, or {sets.settle}",
            ),
            what,
        )
    fitting = first_fitting(sets, asked.volume_mode)
    if fitting is None:
        return Modes(
            Unknown(
                f"StorageProfile {name!r} offers nothing for {what}, so CDI cannot make its claim", "write accessModes"
            ),
            what,
        )
    return Modes(frozenset(fitting.access_modes or ()), f"StorageProfile {name!r}")


def first_fitting(sets: Sequence[ClaimPropertySet], volume_mode: str | None) -> ClaimPropertySet | None:
    """The first set, or the first with the volume mode that was asked for."""
    return next((each for each in sets if volume_mode is None or each.volume_mode == volume_mode), None)


def property_sets(world: World, storage_class: str) -> Fact[tuple[ClaimPropertySet, ...]]:
    """What the StorageProfile of a class offers; none where there is no profile."""
    profile = world.find(StorageProfile, "", storage_class)
    if isinstance(profile, Unknown):
        return profile
    return () if isinstance(profile, Absent) else profile.property_sets


def default_class(world: World, *, prefer_virt: bool) -> Found[str]:
    """
    The name of the default storage class: newest first, then by name, as Kubernetes chooses between several.

    CDI, and KubeVirt's own claims from 1.4 on, prefer the class that is marked as the default for virtual machines.
    """
    classes = world.every(StorageClass)
    if isinstance(classes, Unknown):
        return Unknown(
            "the cluster's default storage class is not known", "write storageClassName, or pass the StorageClasses"
        )
    for mark in (DEFAULT_VIRT_CLASS, DEFAULT_CLASS) if prefer_virt else (DEFAULT_CLASS,):
        marked = [each for each in classes if (each.meta.annotations or {}).get(mark) == "true"]
        if marked:
            marked.sort(key=lambda each: each.name)
            return max(marked, key=lambda each: each.meta.creation_timestamp or "").name
    return ABSENT
