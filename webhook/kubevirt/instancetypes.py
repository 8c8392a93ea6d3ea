"""
Which instancetype and preference count for a VirtualMachine.

Source: ``pkg/instancetype/find`` and ``pkg/instancetype/infer``, v1.9.0: ``revisionName`` first, then the revision noted in
the VM's status if it belongs to the same name, then the live object; an empty ``kind`` is the cluster-scoped one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Found, Unknown
from webhook.facts.world import World
from webhook.objects.instancetype import (
    ControllerRevision,
    InstancetypeSpec,
    PreferenceSpec,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
    VirtualMachineInstancetype,
    VirtualMachinePreference,
)
from webhook.objects.meta import Kubernetes, Read
from webhook.objects.storage import DataSource, DataVolume, DataVolumeSpec, PersistentVolumeClaim, VolumeOrigin
from webhook.objects.vm import InstancetypeStatusRef, Matcher
from webhook.objects.vmi import VMISpec

S = TypeVar("S", InstancetypeSpec, PreferenceSpec)

LABEL = "instancetype.kubevirt.io/default-"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The reference that counts after inference, for messages: ``instancetype 'u1.medium'``."""

    what: str
    name: str


class _RevisionData(Read, frozen=True):
    spec: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Reference:
    """What to look for: which of the two, its kinds, and how its spec is read."""

    what: str
    namespaced: type[VirtualMachineInstancetype] | type[VirtualMachinePreference]
    cluster: type[VirtualMachineClusterInstancetype] | type[VirtualMachineClusterPreference]
    spec: type[InstancetypeSpec] | type[PreferenceSpec]


INSTANCETYPE = Reference(
    "instancetype", VirtualMachineInstancetype, VirtualMachineClusterInstancetype, InstancetypeSpec
)
PREFERENCE = Reference("preference", VirtualMachinePreference, VirtualMachineClusterPreference, PreferenceSpec)


@dataclass(frozen=True, slots=True)
class Named:
    """Where a VirtualMachine's references are looked up."""

    world: World
    namespace: str
    template: VMISpec
    data_volumes: Mapping[str, DataVolumeSpec]


def find_instancetype(
    named: Named, matcher: Matcher | None, noted: InstancetypeStatusRef | None
) -> tuple[Found[InstancetypeSpec], str]:
    """The instancetype's spec (ABSENT where the VM has none) and its name."""
    found, name = _find(named, INSTANCETYPE, matcher, noted)
    return (found if isinstance(found, InstancetypeSpec | Unknown) else ABSENT), name


def find_preference(
    named: Named, matcher: Matcher | None, noted: InstancetypeStatusRef | None
) -> tuple[Found[PreferenceSpec], str]:
    """The preference's spec (ABSENT where the VM has none) and its name."""
    found, name = _find(named, PREFERENCE, matcher, noted)
    return (found if isinstance(found, PreferenceSpec | Unknown) else ABSENT), name


def _find(
    named: Named, reference: Reference, matcher: Matcher | None, noted: InstancetypeStatusRef | None
) -> tuple[Found[InstancetypeSpec | PreferenceSpec], str]:
    if matcher is None:
        return ABSENT, ""
    inferred: Found[Matcher] = matcher
    if matcher.infer_from_volume and not matcher.name:
        inferred = _infer(named, reference, matcher)
        if isinstance(inferred, Unknown):
            return inferred, ""
        if isinstance(inferred, Absent):
            return ABSENT, ""
    assert isinstance(inferred, Matcher)  # noqa: S101 - narrows for the type checker
    name = inferred.name or ""
    revision = inferred.revision_name
    if not revision and noted is not None and noted.name == name and noted.controller_revision_ref is not None:
        revision = noted.controller_revision_ref.name
    if revision:
        return _from_revision(named, reference, name, revision), name
    kind = _kind(reference, inferred.kind)
    if kind is None:
        return Unknown(f"{reference.what} {name!r} has kind {inferred.kind!r}, which KubeVirt does not know"), name
    found = named.world.find(kind, named.namespace, name)
    if isinstance(found, Absent):
        return Unknown(f"{reference.what} {name!r} does not exist", "create it, or correct its name and kind"), name
    if isinstance(found, Unknown):
        return found, name
    return found.spec, name  # type: ignore[attr-defined] # each of the four kinds has one


def _kind(reference: Reference, kind: str | None) -> type[Kubernetes] | None:
    """The class of a kind as KubeVirt accepts it: any case, singular or plural, empty for the cluster-scoped one."""
    word = (kind or "").lower().rstrip("s")
    if not word or word == reference.cluster.__name__.lower():
        return reference.cluster
    return reference.namespaced if word == reference.namespaced.__name__.lower() else None


def _from_revision(
    named: Named, reference: Reference, name: str, revision: str
) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec that a ControllerRevision froze; junk in it is Unknown, never a crash."""
    found = named.world.find(ControllerRevision, named.namespace, revision)
    if isinstance(found, Absent):
        return Unknown(
            f"ControllerRevision {revision!r} of {reference.what} {name!r} does not exist", "remove revisionName"
        )
    if isinstance(found, Unknown):
        return found
    data = found.data
    if isinstance(data, dict) and isinstance(data.get("spec"), dict):
        try:
            return msgspec.convert(data["spec"], reference.spec)
        except msgspec.ValidationError:
            pass
    return Unknown(
        f"ControllerRevision {revision!r} does not hold {reference.what} {name!r} in a form that can be read",
        "remove revisionName, so that the live object counts",
    )


def _infer(named: Named, reference: Reference, matcher: Matcher) -> Found[Matcher]:
    """Follows ``inferFromVolume`` to the labels of the claim, DataVolume or DataSource behind that volume."""
    wanted = matcher.infer_from_volume or ""
    volume = next((each for each in named.template.volumes or () if each.name == wanted), None)
    labels: Found[Mapping[str, str]] = Unknown(
        f"volume {wanted!r} to infer from is not in the template", "name a volume"
    )
    if volume is not None and volume.persistent_volume_claim is not None:
        labels = _labels_of_claim(named, named.namespace, volume.persistent_volume_claim.claim_name)
    elif volume is not None and volume.data_volume is not None:
        labels = _labels_of_data_volume(named, volume.data_volume.name, reference)
    if isinstance(labels, Unknown):
        return Unknown(f"the {reference.what} is inferred from volume {wanted!r}, and {labels.why}", labels.settle)
    name = {} if isinstance(labels, Absent) else labels
    if default := name.get(LABEL + reference.what):
        return Matcher(name=default, kind=name.get(f"{LABEL}{reference.what}-kind"))
    if matcher.infer_from_volume_failure_policy == "Ignore":
        return ABSENT
    return Unknown(
        f"the {reference.what} is inferred from volume {wanted!r}, and nothing behind it carries the label "
        f"{LABEL}{reference.what}",
        f"name the {reference.what}",
    )


def _labels_of_claim(named: Named, namespace: str, name: str) -> Found[Mapping[str, str]]:
    claim = named.world.find(PersistentVolumeClaim, namespace, name)
    return claim.meta.labels or {} if isinstance(claim, PersistentVolumeClaim) else claim


def _labels_of_data_volume(named: Named, name: str, reference: Reference) -> Found[Mapping[str, str]]:
    """The labels of the DataVolume itself, else of what it is made from; a claim of that name if there is neither."""
    template = named.data_volumes.get(name)
    if template is not None:
        return _labels_of_source(named, template)
    found = named.world.find(DataVolume, named.namespace, name)
    if isinstance(found, DataVolume):
        own = found.meta.labels or {}
        return own if LABEL + reference.what in own else _labels_of_source(named, found.spec)
    if isinstance(found, Absent):
        return _labels_of_claim(named, named.namespace, name)
    return found


def _labels_of_source(named: Named, spec: DataVolumeSpec) -> Found[Mapping[str, str]]:
    if spec.source is not None:
        return _labels_of_origin(named, spec.source, named.namespace)
    ref = spec.source_ref
    if ref is None:
        return ABSENT
    namespace = ref.namespace or named.namespace
    source = named.world.find(DataSource, namespace, ref.name)
    if not isinstance(source, DataSource):
        return source
    own = source.meta.labels or {}
    if any(key.startswith(LABEL) for key in own) or source.spec.source is None:
        return own
    return _labels_of_origin(named, source.spec.source, namespace)


def _labels_of_origin(named: Named, origin: VolumeOrigin, namespace: str) -> Found[Mapping[str, str]]:
    if origin.pvc is None:
        return ABSENT
    return _labels_of_claim(named, origin.pvc.namespace or namespace, origin.pvc.name)
