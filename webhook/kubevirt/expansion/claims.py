"""
The access modes of the PersistentVolumeClaim (PVC) behind a volume.

virt-controller copies ``spec.accessModes`` of the claim (``pkg/storage/types/pvc.go``, v1.9.0). If the claim does not exist
yet, CDI creates it from a DataVolume and the StorageProfile (CDI ``pkg/controller/datavolume/util.go``).
"""

from collections.abc import Mapping, Sequence

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Ambiguous, Fact, Found, Unknown
from webhook.facts.world import World
from webhook.objects.meta import Quantity
from webhook.objects.storage import (
    ClaimPropertySet,
    ClaimSpec,
    DataVolume,
    DataVolumeSpec,
    MisspeltClaimSpec,
    PersistentVolumeClaim,
    StorageClass,
    StorageProfile,
)

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_VIRT_CLASS = "storageclass.kubevirt.io/is-default-virt-class"
ARCHIVE = "archive"
"""
The ``contentType`` of a DataVolume that contains files instead of a disk image.

CDI then uses volume mode Filesystem, and ignores the default class for virtual machines.
"""
FROM_PROFILE = "FromStorageProfile"
"""A ``volumeMode`` that CDI's webhook for labelled claims treats as absent."""


class Modes(msgspec.Struct, frozen=True):
    """Access modes of a claim. ``expected_from`` names the source of the modes if the claim does not exist yet."""

    access_modes: Found[frozenset[str]]
    expected_from: str = ""
    requested: Quantity | None = None
    """The requested size of the claim."""
    is_new: bool = False
    """Whether the modes come from a ``dataVolumeTemplate`` although the claim, which was not provided, might exist."""
    is_bare: bool = False
    """Whether the claim exists and names neither a StorageClass nor a PersistentVolume."""
    misspelt: tuple[str, ...] = ()
    """The right path of ``accessModes``, and the path of a misspelt or misplaced one, if there is no other."""


def modes_of(world: World, namespace: str, claim: str, templates: Mapping[str, DataVolumeSpec | Unknown]) -> Modes:
    """
    The access modes of ``claim``, taken from the first object that exists: the claim, the DataVolume or the
    ``dataVolumeTemplate``.

    ``templates`` are the VirtualMachine's own ``dataVolumeTemplates`` by name.
    """
    existing = world.find(PersistentVolumeClaim, namespace, claim)
    if isinstance(existing, PersistentVolumeClaim):
        return _of_claim(world, existing)
    if isinstance(existing, Unknown) and existing.may_exist:
        return Modes(existing)
    volume = world.find(DataVolume, namespace, claim)
    if isinstance(volume, Unknown) and volume.may_exist:
        return Modes(volume)
    if isinstance(volume, DataVolume):
        return _sized(predicted(world, volume.spec, f"DataVolume {claim!r}"), volume.spec.pvc or volume.spec.storage)
    template = templates.get(claim)
    if template is None:
        return Modes(existing)
    modes = of_template(world, claim, template)
    return msgspec.structs.replace(modes, is_new=True) if isinstance(existing, Unknown) else modes


def of_template(world: World, name: str, template: DataVolumeSpec | Unknown) -> Modes:
    """The modes of the claim that CDI will create from a ``dataVolumeTemplate``."""
    if isinstance(template, Unknown):
        return Modes(template, f"dataVolumeTemplate {name!r}")
    return _sized(predicted(world, template, f"dataVolumeTemplate {name!r}"), template.pvc or template.storage)


def _sized(modes: Modes, claim: ClaimSpec | None) -> Modes:
    requested = _requested(claim) if claim is not None else None
    misspelt = _misspelt(claim)
    if requested is None and not misspelt:
        return modes
    return Modes(modes.access_modes, modes.expected_from, requested, misspelt=misspelt)


def _misspelt(claim: ClaimSpec | None) -> tuple[str, ...]:
    return claim.misspelt if isinstance(claim, MisspeltClaimSpec) else ()


def _requested(claim: ClaimSpec) -> Quantity | None:
    requests = claim.resources.requests if claim.resources is not None else None
    return requests.get("storage") if requests else None


def _of_claim(world: World, claim: PersistentVolumeClaim) -> Modes:
    """The access modes that the claim itself lists. CDI's webhook adds missing modes only to a claim with CDI's label."""
    spec, expected_from = claim.spec, ""
    written = spec.access_modes or ()
    modes: Found[frozenset[str]] | None = _SINGLE.get(written[0]) if len(written) == 1 else None
    if modes is None:
        source = f"PVC {claim.name!r}"
        if not written and (claim.meta.labels or {}).get("cdi.kubevirt.io/applyStorageProfile") == "true":
            mode = None if spec.volume_mode == FROM_PROFILE else spec.volume_mode
            profile = _from_profile(world, spec, mode, source)
            modes, expected_from = profile.access_modes, profile.expected_from
        else:
            modes = _written(written, source)
    requested = _requested(spec) if spec.resources is not None else None
    is_bare = not (spec.storage_class_name or spec.volume_name)
    return Modes(modes, expected_from, requested, is_bare=is_bare, misspelt=_misspelt(spec))


_SINGLE: Mapping[str, frozenset[str]] = {
    mode: frozenset((mode,)) for mode in ("ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod")
}
"""The sets of one access mode. Most claims list one."""


def _written(modes: Sequence[str], source: str) -> Fact[frozenset[str]]:
    """The modes as written, or Unknown if one of them is a placeholder of a template."""
    placeholder = next((mode for mode in modes if mode.startswith(("${", "{{"))), "")
    if placeholder and "ReadWriteMany" not in modes:
        why = f"the accessModes of {source} contain the placeholder {placeholder!a}"
        return Unknown(why, "give the parameter a value")
    return frozenset(modes)


def predicted(world: World, spec: DataVolumeSpec, source: str) -> Modes:
    """The modes of the claim that CDI creates for the DataVolume ``source`` (CDI ``datavolume/util.go``)."""
    claim = spec.pvc or spec.storage
    if claim is None:
        return Modes(Unknown(f"{source} has neither pvc nor storage", "add spec.storage to the DataVolume"))
    modes = claim.access_modes or ()
    if spec.pvc is not None and len(modes) != 1:
        why = f"{source} lists {len(modes) or 'no'} accessModes under pvc, and CDI accepts exactly one"
        return Modes(Unknown(why, "write one access mode under spec.pvc.accessModes"), source)
    if modes:
        return Modes(_written(modes, source), source)
    if spec.content_type != ARCHIVE:
        return _from_profile(world, claim, claim.volume_mode, source)
    if claim.volume_mode == "Block":
        why = f"{source} has contentType archive and volumeMode Block, which CDI refuses"
        return Modes(Unknown(why, "set volumeMode to Filesystem"), source)
    return _from_profile(world, claim, "Filesystem", source, prefer_virt=False)


def _from_profile(
    world: World, claim: ClaimSpec, volume_mode: str | None, source: str, *, prefer_virt: bool = True
) -> Modes:
    name: Found[str]
    name = (
        default_class(world, prefer_virt=prefer_virt) if claim.storage_class_name is None else claim.storage_class_name
    )
    if isinstance(name, Unknown):
        return Modes(name.within(f"{source} has no storage class, and {name.why}"), source)
    if isinstance(name, Absent):
        why = f"{source} has no storage class, and the cluster has no default storage class"
        return Modes(Unknown(why, "set storageClassName"), source)
    if not name:
        why = f"{source} has an empty storageClassName and no accessModes"
        return Modes(Unknown(why, "add accessModes"), source)
    sets = property_sets(world, name)
    if isinstance(sets, Unknown):
        why = f"{source} has no accessModes, and {sets.why}"
        return Modes(sets.within(why, f"add accessModes, or {sets.settle}"), source)
    modes = offered(sets, volume_mode)
    if not modes:
        why = f"StorageProfile {name!r} has no access modes for {source}, so CDI cannot create the PVC"
        return Modes(Unknown(why, "add accessModes"), source)
    return Modes(frozenset(modes), f"StorageProfile {name!r}")


def offered(sets: Sequence[ClaimPropertySet], volume_mode: str | None) -> Sequence[str]:
    """
    The access modes that CDI uses. Without a volume mode, CDI uses the modes of the first property set. With a volume mode, CDI
    uses the first property set that has this volume mode and any access modes.

    Source: CDI ``getDefaultVolumeAndAccessMode`` and ``getDefaultAccessModes``.
    """
    if not volume_mode:
        return (sets[0].access_modes or ()) if sets else ()
    return next((one.access_modes for one in sets if one.volume_mode == volume_mode and one.access_modes), ())


def property_sets(world: World, storage_class: str) -> Fact[tuple[ClaimPropertySet, ...]]:
    """The property sets in the StorageProfile of a storage class, or an empty tuple if the class has no StorageProfile."""
    profile = world.find(StorageProfile, "", storage_class)
    if isinstance(profile, Unknown):
        return profile
    return () if isinstance(profile, Absent) else profile.property_sets


def default_class(world: World, *, prefer_virt: bool) -> Found[str]:
    """
    The name of the default storage class. If several classes are the default, Kubernetes uses the newest. Among equally new
    classes, the first by name wins.

    CDI prefers the default class for virtual machines. From 1.4 on, KubeVirt also prefers this class for the claims that it
    creates.
    """
    classes = world.every(StorageClass)
    if isinstance(classes, Ambiguous):
        return classes
    if isinstance(classes, Unknown):
        return Unknown(
            "the cluster's default storage class is not known", "set storageClassName, or pass the StorageClasses"
        )
    for mark in (DEFAULT_VIRT_CLASS, DEFAULT_CLASS) if prefer_virt else (DEFAULT_CLASS,):
        marked = [one for one in classes if (one.meta.annotations or {}).get(mark) == "true"]
        if marked:
            marked.sort(key=lambda storage_class: storage_class.name)
            return max(marked, key=lambda storage_class: storage_class.meta.creation_timestamp or "").name
    return ABSENT
