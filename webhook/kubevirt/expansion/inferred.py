"""
``inferFromVolume``: which instancetype or preference the labels behind a volume name.

Source: ``pkg/instancetype/infer``, v1.9.0; up to 1.4 ``pkg/instancetype/instancetype.go``. What cannot be followed is
either ignorable, which clears the reference where its failure policy is Ignore, or makes KubeVirt refuse the VM.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from webhook.facts.unknown import ABSENT, Absent, Found, Unknown
from webhook.facts.world import World
from webhook.objects.storage import (
    DataSource,
    DataVolume,
    DataVolumeSpec,
    PersistentVolumeClaim,
    SourceName,
    VolumeOrigin,
)
from webhook.objects.vm import Matcher
from webhook.objects.vmi import VMISpec

LABEL = "instancetype.kubevirt.io/default-"
IGNORE = "Ignore"

Labels: TypeAlias = Mapping[str, str]


class Named(msgspec.Struct, frozen=True):
    """Where a VirtualMachine's references are looked up."""

    world: World
    namespace: str
    template: VMISpec
    data_volumes: Mapping[str, DataVolumeSpec]


class Unlabelled(msgspec.Struct, frozen=True):
    """Nothing that could be followed carries the label: the failure that a policy may ignore."""

    why: str


Inferred: TypeAlias = Labels | Unlabelled | Unknown
"""Labels that hold the wanted one, or why there are none."""


def infer(named: Named, what: str, matcher: Matcher) -> Found[Matcher]:
    """
    The reference that a VM gets; ABSENT where the failure is to be ignored, so that it has none.

    ``what`` is ``instancetype`` or ``preference``.
    """
    label = LABEL + what
    wanted = matcher.infer_from_volume or ""
    found = _behind_volume(named, wanted, label)
    said = f"the {what} is inferred from volume {wanted!r}, and"
    if isinstance(found, Unlabelled):
        if matcher.infer_from_volume_failure_policy == IGNORE:
            return ABSENT
        return Unknown(f"{said} {found.why}", f"name the {what}")
    if isinstance(found, Unknown):
        return found.within(f"{said} {found.why}")
    return Matcher(name=found[label], kind=found.get(f"{label}-kind"))


def _behind_volume(named: Named, wanted: str, label: str) -> Inferred:
    volume = next((each for each in named.template.volumes or () if each.name == wanted), None)
    if volume is None:
        return Unknown("no volume of the template has that name", "name one of the template's volumes")
    if volume.persistent_volume_claim is not None:
        return _of_claim(named, named.namespace, volume.persistent_volume_claim.claim_name, label)
    if volume.data_volume is not None:
        return _of_data_volume(named, volume.data_volume.name, label)
    return Unlabelled("nothing can be inferred from a volume that is neither a claim nor a DataVolume")


def _of_claim(named: Named, namespace: str, name: str, label: str) -> Inferred:
    claim = named.world.find(PersistentVolumeClaim, namespace, name)
    if isinstance(claim, Absent):
        return Unknown(f"claim {name!r} does not exist", "create the claim first")
    return claim if isinstance(claim, Unknown) else _labelled(claim.meta.labels, f"claim {name!r}", label)


def _labelled(labels: Labels | None, what: str, label: str) -> Labels | Unlabelled:
    return labels if labels and label in labels else Unlabelled(f"{what} does not carry the label {label}")


def _of_data_volume(named: Named, name: str, label: str) -> Inferred:
    """What a template or else the DataVolume is made from; a claim of that name where CDI has removed the DataVolume."""
    template = named.data_volumes.get(name)
    if template is not None:
        return _of_source(named, template, label)
    found = named.world.find(DataVolume, named.namespace, name)
    if isinstance(found, Absent):
        return _of_claim(named, named.namespace, name, label)
    if isinstance(found, Unknown):
        if found.may_exist:
            return found
        claim = _of_claim(named, named.namespace, name, label)
        return found if isinstance(claim, Unknown) else claim
    own = found.meta.labels or {}
    return own if label in own else _of_source(named, found.spec, label)


def _of_source(named: Named, spec: DataVolumeSpec, label: str) -> Inferred:
    followed = _of_origin(named, spec.source, named.namespace, label)
    if followed is not None:
        return followed
    ref = spec.source_ref
    if ref is None:
        return Unlabelled("its DataVolume is made neither from a claim nor from a snapshot nor from a DataSource")
    if ref.kind != "DataSource":
        return Unlabelled(f"its DataVolume refers to a {ref.kind or 'source without kind'}, not to a DataSource")
    namespace = named.namespace if ref.namespace is None else ref.namespace
    source = named.world.find(DataSource, namespace, ref.name)
    if isinstance(source, Absent):
        return Unknown(f"DataSource {ref.name!r} does not exist", "correct the DataVolume's sourceRef")
    if isinstance(source, Unknown):
        return source
    own = source.meta.labels or {}
    if label in own:
        return own
    behind = _of_origin(named, source.spec.source, namespace, label)
    return behind or Unlabelled(f"neither DataSource {ref.name!r} nor what is behind it carries the label {label}")


def _of_origin(named: Named, origin: VolumeOrigin | None, namespace: str, label: str) -> Inferred | None:
    """The labels of the claim or snapshot that is cloned; None where it is neither. Snapshots are not read here."""
    if origin is not None and origin.pvc is not None:
        return _of_claim(named, origin.pvc.namespace or namespace, origin.pvc.name, label)
    if origin is not None and origin.snapshot is not None:
        return _of_snapshot(origin.snapshot)
    return None


def _of_snapshot(snapshot: SourceName) -> Unknown:
    return Unknown(f"the labels of VolumeSnapshot {snapshot.name!r} are not known", "name it instead of inferring it")
