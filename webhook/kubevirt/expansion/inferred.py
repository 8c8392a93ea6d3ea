"""
Infers an instancetype or preference from the labels of the objects behind a volume (``inferFromVolume``).

Source: ``pkg/instancetype/infer``, v1.9.0; up to 1.4 ``pkg/instancetype/instancetype.go``. If the label is missing and the
failure policy is Ignore, KubeVirt drops the reference. After any other failure, KubeVirt refuses the VM.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Found, Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.bundled import Bundle
from webhook.objects.storage import (
    DataSource,
    DataVolume,
    DataVolumeSpec,
    PersistentVolumeClaim,
    SourceName,
    VolumeOrigin,
)
from webhook.objects.vm import IGNORE, Matcher
from webhook.objects.vmi import VMISpec

LABEL = "instancetype.kubevirt.io/default-"

Labels: TypeAlias = Mapping[str, str]


class Scope(msgspec.Struct, frozen=True):
    """The input of a lookup: the VirtualMachine's template and DataVolumes, and the other objects."""

    world: World
    namespace: str
    template: VMISpec
    data_volumes: Mapping[str, DataVolumeSpec]
    bundle: Bundle | None = None
    """The objects that KubeVirt itself deploys, for references to objects that the input does not contain."""
    any_revision: bool = False
    """Whether KubeVirt uses the revision in the VM's status even if it is a copy of an object with another name (up to 1.5.1)."""


class Unlabelled(msgspec.Struct, frozen=True):
    """The failure that a failure policy can ignore: no object behind the volume has the label."""

    why: str


Inferred: TypeAlias = Labels | Unlabelled | Unknown
"""Labels that include the wanted label, or the reason why no such labels were found."""


def infer(scope: Scope, what: str, matcher: Matcher) -> Found[Matcher]:
    """
    The reference that KubeVirt infers, or ABSENT if the failure policy ignores the failure.

    ``what`` is ``instancetype`` or ``preference``.
    """
    label = LABEL + what
    wanted = matcher.infer_from_volume or ""
    inferred = _behind_volume(scope, wanted, label)
    introduction = f"the {what} is inferred from volume {wanted!r}, but"
    if isinstance(inferred, Unlabelled):
        if matcher.infer_from_volume_failure_policy == IGNORE:
            return ABSENT
        return Unknown(f"{introduction} {inferred.why}", f"set the name of the {what}")
    if isinstance(inferred, Unknown):
        return inferred.within(f"{introduction} {inferred.why}")
    return Matcher(name=inferred[label], kind=inferred.get(f"{label}-kind"))


def _behind_volume(scope: Scope, wanted: str, label: str) -> Inferred:
    volume = next((volume for volume in scope.template.volumes or () if volume.name == wanted), None)
    if volume is None:
        return Unknown("the template has no volume of that name", "use the name of a volume in the template")
    if volume.persistent_volume_claim is not None:
        return _of_claim(scope, scope.namespace, volume.persistent_volume_claim.claim_name, label)
    if volume.data_volume is not None:
        return _of_data_volume(scope, volume.data_volume.name, label)
    return Unlabelled("the volume is neither a PVC nor a DataVolume")


def _of_claim(scope: Scope, namespace: str, name: str, label: str) -> Inferred:
    claim = scope.world.find(PersistentVolumeClaim, namespace, name)
    if isinstance(claim, Absent):
        return Unknown(f"PVC {name!r} does not exist", "create the PVC")
    return claim if isinstance(claim, Unknown) else _labelled(claim.meta.labels, f"PVC {name!r}", label)


def _labelled(labels: Labels | None, what: str, label: str) -> Labels | Unlabelled:
    return labels if labels and label in labels else Unlabelled(f"{what} does not have the label {label}")


def _of_data_volume(scope: Scope, name: str, label: str) -> Inferred:
    """
    The labels of the source that the template or DataVolume names.

    A DataVolume's own labels have precedence. If CDI has removed the DataVolume, the labels come from the claim of the same
    name.
    """
    template = scope.data_volumes.get(name)
    if template is not None:
        return _of_source(scope, template, label)
    volume = scope.world.find(DataVolume, scope.namespace, name)
    if isinstance(volume, Absent):
        return _of_claim(scope, scope.namespace, name, label)
    if isinstance(volume, Unknown):
        if volume.may_exist:
            return volume
        claim = _of_claim(scope, scope.namespace, name, label)
        return volume if isinstance(claim, Unknown) else claim
    own = volume.meta.labels or {}
    return own if label in own else _of_source(scope, volume.spec, label)


def _of_source(scope: Scope, spec: DataVolumeSpec, label: str) -> Inferred:
    followed = _of_origin(scope, spec.source, scope.namespace, label)
    if followed is not None:
        return followed
    ref = spec.source_ref
    if ref is None:
        return Unlabelled("the source of its DataVolume is neither a PVC nor a snapshot nor a DataSource")
    if ref.kind != "DataSource":
        return Unlabelled(f"the sourceRef of its DataVolume has kind {ref.kind or '(none)'}, not DataSource")
    namespace = scope.namespace if ref.namespace is None else ref.namespace
    source = scope.world.find(DataSource, namespace, ref.name)
    if isinstance(source, Absent):
        return Unknown(f"DataSource {ref.name!r} does not exist", "correct sourceRef of the DataVolume")
    if isinstance(source, Unknown):
        return source
    own = source.meta.labels or {}
    if label in own:
        return own
    behind = _of_origin(scope, source.spec.source, namespace, label)
    return behind or Unlabelled(f"neither DataSource {ref.name!r} nor its source has the label {label}")


def _of_origin(scope: Scope, origin: VolumeOrigin | None, namespace: str, label: str) -> Inferred | None:
    """The labels of the source claim or snapshot, or None for other sources. The labels of snapshots are never known."""
    if origin is not None and origin.pvc is not None:
        return _of_claim(scope, origin.pvc.namespace or namespace, origin.pvc.name, label)
    if origin is not None and origin.snapshot is not None:
        return _of_snapshot(origin.snapshot)
    return None


def _of_snapshot(snapshot: SourceName) -> Unknown:
    return Unknown(
        f"the labels of VolumeSnapshot {snapshot.name!r} are not known", "set the name instead of inferFromVolume"
    )
