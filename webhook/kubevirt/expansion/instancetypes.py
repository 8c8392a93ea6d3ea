"""
Which instancetype and preference count for a VirtualMachine.

Source: ``pkg/instancetype/find`` and ``pkg/instancetype/infer``, v1.9.0: ``revisionName`` first, then the revision noted in
the VM's status (1.5 and later) if it was made from an object of the same name, then the live object; an empty ``kind``
is the cluster-scoped one.
"""

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Found, Unknown
from webhook.kubevirt.expansion.inferred import Named, infer
from webhook.objects.instancetype import (
    ControllerRevision,
    InstancetypeSpec,
    PreferenceSpec,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
    VirtualMachineInstancetype,
    VirtualMachinePreference,
)
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import InstancetypeStatusRef, Matcher

MADE_FROM = "instancetype.kubevirt.io/object-name"
"""The label of a ControllerRevision that names the object it was made from."""


class Reference(msgspec.Struct, frozen=True):
    """What to look for: which of the two, its kinds, and how its spec is read."""

    what: str
    namespaced: type[VirtualMachineInstancetype] | type[VirtualMachinePreference]
    cluster: type[VirtualMachineClusterInstancetype] | type[VirtualMachineClusterPreference]
    spec: type[InstancetypeSpec] | type[PreferenceSpec]


INSTANCETYPE = Reference(
    "instancetype", VirtualMachineInstancetype, VirtualMachineClusterInstancetype, InstancetypeSpec
)
PREFERENCE = Reference("preference", VirtualMachinePreference, VirtualMachineClusterPreference, PreferenceSpec)


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
    inferred = infer(named, reference.what, matcher) if matcher.infer_from_volume else matcher
    if not isinstance(inferred, Matcher):
        return inferred, ""
    name = inferred.name or ""
    if inferred.revision_name:
        return _from_revision(named, reference, name, inferred.revision_name), name
    if noted is not None and noted.name in (name, None) and noted.controller_revision_ref is not None:
        frozen = _noted(named, reference, name, noted.controller_revision_ref.name or "")
        if not isinstance(frozen, Absent):
            return frozen, name
    return _live(named, reference, name, inferred.kind), name


def _live(named: Named, reference: Reference, name: str, kind: str | None) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec of the object that the VM names."""
    if not name:
        return Unknown(f"spec.{reference.what} names nothing", f"name the {reference.what}")
    reads = _kind(reference, kind)
    if reads is None:
        kinds = f"{reference.namespaced.__name__} or {reference.cluster.__name__}"
        return Unknown(f"{reference.what} {name!r} has kind {kind!a}, which KubeVirt does not know", f"write {kinds}")
    found = named.world.find(reads, named.namespace, name)
    if isinstance(found, Absent):
        return Unknown(f"{reference.what} {name!r} does not exist", "create it, or correct its name and kind")
    if isinstance(found, Unknown):
        return found
    return found.spec  # type: ignore[attr-defined,no-any-return] # each of the four kinds has one


def _kind(reference: Reference, kind: str | None) -> type[Kubernetes] | None:
    """The class of a kind as KubeVirt accepts it: any case, singular or plural, empty for the cluster-scoped one."""
    word = (kind or "").lower()
    for reads in (reference.cluster, reference.namespaced):
        singular = reads.__name__.lower()
        if word in (singular, f"{singular}s"):
            return reads
    return None if word else reference.cluster


def _noted(named: Named, reference: Reference, name: str, revision: str) -> Found[InstancetypeSpec | PreferenceSpec]:
    """What the revision noted in the status holds; ABSENT where it was made from another object, so does not count."""
    found = named.world.find(ControllerRevision, named.namespace, revision) if revision else ABSENT
    if isinstance(found, ControllerRevision) and (found.meta.labels or {}).get(MADE_FROM) != name:
        return ABSENT
    return _from_revision(named, reference, name, revision) if revision else ABSENT


def _from_revision(
    named: Named, reference: Reference, name: str, revision: str
) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec that a ControllerRevision froze; junk in it is Unknown, never a crash."""
    found = named.world.find(ControllerRevision, named.namespace, revision)
    what = f"ControllerRevision {revision!r} of {reference.what} {name!r}"
    if isinstance(found, Absent):
        return Unknown(f"{what} does not exist", f"remove revisionName from spec.{reference.what}")
    if isinstance(found, Unknown):
        return found
    data = found.data
    kinds = (reference.namespaced.__name__, reference.cluster.__name__, None)
    if isinstance(data, dict) and isinstance(data.get("spec"), dict) and data.get("kind") in kinds:
        try:
            return msgspec.convert(data["spec"], reference.spec)
        except msgspec.ValidationError:
            pass
    return Unknown(
        f"{what} holds something else",
        f"remove revisionName from spec.{reference.what}, so that the live object counts",
    )
