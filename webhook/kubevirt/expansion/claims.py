"""
Which access modes virt-handler will see behind a volume.

virt-controller copies ``spec.accessModes`` of the claim (``pkg/storage/types/pvc.go``, v1.9.0). Where the claim does not
exist yet, CDI makes it from a DataVolume and the StorageProfile (CDI ``pkg/controller/datavolume/util.go``).
"""

from collections.abc import Mapping, Sequence

import msgspec

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
ARCHIVE = "archive"
"""``contentType`` of files instead of a disk: CDI puts them on a filesystem, and not on the class for virtual machines."""
FROM_PROFILE = "FromStorageProfile"
"""A ``volumeMode`` that CDI's webhook for labelled claims reads as none."""


class Modes(msgspec.Struct, frozen=True):
    """Access modes of a claim, and what they were predicted from if the claim does not exist yet."""

    access_modes: Found[frozenset[str]]
    expected_from: str = ""


def modes_of(world: World, namespace: str, claim: str, templates: Mapping[str, DataVolumeSpec | Unknown]) -> Modes:
    """
    The modes of ``claim``: its own where it exists (it outranks any template), else what CDI would give it.

    ``templates`` are the VirtualMachine's own ``dataVolumeTemplates`` by name; a DataVolume that exists outranks them, too.
    """
    found = world.find(PersistentVolumeClaim, namespace, claim)
    if isinstance(found, PersistentVolumeClaim):
        return _of_claim(world, found)
    if isinstance(found, Unknown) and found.may_exist:
        return Modes(found)  # the modes of a claim that exists outrank those that CDI would give it
    volume = world.find(DataVolume, namespace, claim)
    if isinstance(volume, Unknown) and volume.may_exist:
        return Modes(volume)
    if isinstance(volume, DataVolume):
        return predicted(world, volume.spec, f"DataVolume {claim!r}")
    template = templates.get(claim)
    return Modes(found) if template is None else of_template(world, claim, template)


def of_template(world: World, name: str, template: DataVolumeSpec | Unknown) -> Modes:
    """The modes of a claim that is still to be made from a ``dataVolumeTemplate``."""
    if isinstance(template, Unknown):
        return Modes(template, f"dataVolumeTemplate {name!r}")
    return predicted(world, template, f"dataVolumeTemplate {name!r}")


def _of_claim(world: World, claim: PersistentVolumeClaim) -> Modes:
    """A claim's own modes; CDI's webhook fills absent ones only where the claim is labelled for that."""
    asks_cdi = (claim.meta.labels or {}).get("cdi.kubevirt.io/applyStorageProfile") == "true"
    if not claim.spec.access_modes and asks_cdi:
        mode = None if claim.spec.volume_mode == FROM_PROFILE else claim.spec.volume_mode
        return _from_profile(world, claim.spec, mode, f"claim {claim.name!r}")
    return Modes(frozenset(claim.spec.access_modes or ()))


def predicted(world: World, spec: DataVolumeSpec, what: str) -> Modes:
    """What CDI would ask for when it makes the claim of a DataVolume (CDI ``datavolume/util.go``)."""
    asked = spec.pvc or spec.storage
    if asked is None:
        return Modes(Unknown(f"{what} has neither pvc nor storage", "write spec.storage of the DataVolume"))
    modes = asked.access_modes or ()
    if spec.pvc is not None and len(modes) != 1:
        why = f"{what} lists {len(modes) or 'no'} accessModes under pvc, and CDI takes exactly one"
        return Modes(Unknown(why, "write one of them under spec.pvc.accessModes"), what)
    if modes:
        return Modes(frozenset(modes), what)
    if spec.content_type != ARCHIVE:
        return _from_profile(world, asked, asked.volume_mode, what)
    if asked.volume_mode == "Block":
        why = f"{what} has contentType archive and volumeMode Block, which CDI refuses"
        return Modes(Unknown(why, "write volumeMode: Filesystem"), what)
    return _from_profile(world, asked, "Filesystem", what, prefer_virt=False)


def _from_profile(
    world: World, asked: ClaimSpec, volume_mode: str | None, what: str, *, prefer_virt: bool = True
) -> Modes:
    name: Found[str]
    name = (
        default_class(world, prefer_virt=prefer_virt) if asked.storage_class_name is None else asked.storage_class_name
    )
    if isinstance(name, Unknown):
        return Modes(name.within(f"{what} names no storage class, and {name.why}"), what)
    if isinstance(name, Absent):
        why = f"{what} names no storage class, and the cluster has no default one"
        return Modes(Unknown(why, "write storageClassName"), what)
    if not name:
        why = f"{what} asks for no storage class (storageClassName is empty) and lists no accessModes"
        return Modes(Unknown(why, "write accessModes"), what)
    sets = property_sets(world, name)
    if isinstance(sets, Unknown):
        why = f"{what} lists no accessModes, and {sets.why}"
        return Modes(sets.within(why, f"write accessModes, or {sets.settle}"), what)
    modes = offered(sets, volume_mode)
    if not modes:
        why = f"StorageProfile {name!r} offers nothing for {what}, so CDI cannot make its claim"
        return Modes(Unknown(why, "write accessModes"), what)
    return Modes(frozenset(modes), f"StorageProfile {name!r}")


def offered(sets: Sequence[ClaimPropertySet], volume_mode: str | None) -> Sequence[str]:
    """
    The modes that CDI takes: those of the first set; where a volume mode is asked for, of the first that fits and has any.

    Source: CDI ``getDefaultVolumeAndAccessMode`` and ``getDefaultAccessModes``.
    """
    if not volume_mode:
        return (sets[0].access_modes or ()) if sets else ()
    return next((each.access_modes for each in sets if each.volume_mode == volume_mode and each.access_modes), ())


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
