"""
The instancetype and the preference of a VirtualMachine.

Source: ``pkg/instancetype/find`` and ``pkg/instancetype/infer``, v1.9.0. KubeVirt reads the first of these that is set: the
revision in ``revisionName``, the revision in the VM's status (1.5 and later), the object itself. The revision in the status
counts only if it is a copy of an object with the same name (1.5.2 and later). An empty ``kind`` means the cluster-scoped kind.
"""

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Found, NotGiven, Unknown
from webhook.kubevirt.expansion.inferred import Scope, infer
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

OBJECT_NAME = "instancetype.kubevirt.io/object-name"
"""The label of a ControllerRevision that contains the name of the copied object."""


class Reference(msgspec.Struct, frozen=True):
    """A type of reference (instancetype or preference): the name in messages, the kinds, and the type of the spec."""

    what: str
    namespaced: type[VirtualMachineInstancetype] | type[VirtualMachinePreference]
    cluster: type[VirtualMachineClusterInstancetype] | type[VirtualMachineClusterPreference]
    spec: type[InstancetypeSpec] | type[PreferenceSpec]


INSTANCETYPE = Reference(
    "instancetype", VirtualMachineInstancetype, VirtualMachineClusterInstancetype, InstancetypeSpec
)
PREFERENCE = Reference("preference", VirtualMachinePreference, VirtualMachineClusterPreference, PreferenceSpec)


def find_instancetype(
    scope: Scope, matcher: Matcher | None, in_status: InstancetypeStatusRef | None
) -> tuple[Found[InstancetypeSpec], str]:
    """The instancetype's spec and name. The spec is ABSENT if the VM has no instancetype."""
    spec, name = _find(scope, INSTANCETYPE, matcher, in_status)
    return (spec if isinstance(spec, InstancetypeSpec | Unknown) else ABSENT), name


def find_preference(
    scope: Scope, matcher: Matcher | None, in_status: InstancetypeStatusRef | None
) -> tuple[Found[PreferenceSpec], str]:
    """The preference's spec and name. The spec is ABSENT if the VM has no preference."""
    spec, name = _find(scope, PREFERENCE, matcher, in_status)
    return (spec if isinstance(spec, PreferenceSpec | Unknown) else ABSENT), name


def _find(
    scope: Scope, reference: Reference, matcher: Matcher | None, in_status: InstancetypeStatusRef | None
) -> tuple[Found[InstancetypeSpec | PreferenceSpec], str]:
    if matcher is None:
        return ABSENT, ""
    inferred = infer(scope, reference.what, matcher) if matcher.infer_from_volume else matcher
    if not isinstance(inferred, Matcher):
        return inferred, ""
    name = inferred.name or ""
    if inferred.revision_name:
        return _from_revision(scope, reference, name, inferred.revision_name), name
    named = in_status is not None and (scope.any_revision or in_status.name in (name, None))
    if in_status is not None and named and in_status.controller_revision_ref is not None:
        revision = _in_status(scope, reference, name, in_status.controller_revision_ref.name or "")
        if not isinstance(revision, Absent):
            return revision, name
    return _live(scope, reference, name, inferred.kind), name


def _live(scope: Scope, reference: Reference, name: str, kind: str | None) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec of the object that the VM names."""
    if not name:
        return Unknown(f"spec.{reference.what} has no name", f"set the name of the {reference.what}")
    known_kind = _kind(reference, kind)
    if known_kind is None:
        kinds = f"{reference.namespaced.__name__} or {reference.cluster.__name__}"
        return Unknown(f"{reference.what} {name!r} has the unknown kind {kind!a}", f"write {kinds}")
    referenced = scope.world.find(known_kind, scope.namespace, name)
    if isinstance(referenced, Absent):
        return Unknown(f"{reference.what} {name!r} does not exist", "create it, or correct its name and kind")
    if isinstance(referenced, Unknown):
        bundled = _bundled(scope, known_kind, name) if isinstance(referenced, NotGiven) else None
        return referenced if bundled is None else bundled
    return referenced.spec  # type: ignore[attr-defined,no-any-return] # all four kinds have a spec


def _bundled(scope: Scope, kind: type[Kubernetes], name: str) -> InstancetypeSpec | PreferenceSpec | None:
    """The spec of an object that KubeVirt itself deploys, or None if KubeVirt does not deploy such an object."""
    if scope.bundle is None:
        return None
    if kind is VirtualMachineClusterInstancetype:
        return scope.bundle.instancetype(name)
    return scope.bundle.preference(name) if kind is VirtualMachineClusterPreference else None


def _kind(reference: Reference, kind: str | None) -> type[Kubernetes] | None:
    """
    The class for a kind. Like KubeVirt, this function accepts upper and lower case, singular and plural. An empty kind means
    the cluster-scoped kind.
    """
    word = (kind or "").lower()
    for known_kind in (reference.cluster, reference.namespaced):
        singular = known_kind.__name__.lower()
        if word in (singular, f"{singular}s"):
            return known_kind
    return None if word else reference.cluster


def _in_status(
    scope: Scope, reference: Reference, name: str, revision: str
) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec in the revision that the VM's status names, or ABSENT if the revision is a copy of another object."""
    existing = scope.world.find(ControllerRevision, scope.namespace, revision) if revision else ABSENT
    copied = (existing.meta.labels or {}).get(OBJECT_NAME) if isinstance(existing, ControllerRevision) else name
    if copied != name and not scope.any_revision:
        return ABSENT
    return _from_revision(scope, reference, name, revision) if revision else ABSENT


def _from_revision(
    scope: Scope, reference: Reference, name: str, revision: str
) -> Found[InstancetypeSpec | PreferenceSpec]:
    """The spec in a ControllerRevision, or Unknown if the ControllerRevision contains something else."""
    existing = scope.world.find(ControllerRevision, scope.namespace, revision)
    what = f"ControllerRevision {revision!r} of {reference.what} {name!r}"
    if isinstance(existing, Absent):
        return Unknown(f"{what} does not exist", f"remove revisionName from spec.{reference.what}")
    if isinstance(existing, Unknown):
        return existing
    data = existing.data
    kinds = (reference.namespaced.__name__, reference.cluster.__name__, None)
    if isinstance(data, dict) and isinstance(data.get("spec"), dict) and data.get("kind") in kinds:
        try:
            return msgspec.convert(data["spec"], reference.spec)
        except msgspec.ValidationError:
            pass
    return Unknown(
        f"{what} contains no {reference.what}",
        f"remove revisionName from spec.{reference.what} to use the object itself",
    )
