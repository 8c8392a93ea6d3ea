"""
Finds a misspelt or misplaced ``accessModes`` of a claim in a manifest, so that a finding about a VM can name it.

API servers refuse or drop such a field, so only manifests have one. This module does no I/O.
"""

from typing import Final

from msgspec.structs import asdict, replace

from webhook.kubevirt.schema.unknown_fields import problems_in
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath, dotted
from webhook.objects.storage import ClaimSpec, DataVolume, MisspeltClaimSpec, PersistentVolumeClaim

ACCESS_MODES: Final = "accessModes"


def with_misspelt_modes(claim: Kubernetes, raw: dict[str, Json]) -> Kubernetes:
    """Returns the claim or DataVolume with the path of the field that should be ``accessModes``, if there is one."""
    if isinstance(claim, PersistentVolumeClaim):
        spec = _marked(claim.spec, ("spec",), claim.kind, raw)
        return claim if spec is claim.spec else replace(claim, spec=spec)
    if isinstance(claim, DataVolume):
        storage, pvc = claim.spec.storage, claim.spec.pvc
        if storage is not None:
            storage = _marked(storage, ("spec", "storage"), claim.kind, raw)
        if pvc is not None:
            pvc = _marked(pvc, ("spec", "pvc"), claim.kind, raw)
        if storage is not claim.spec.storage or pvc is not claim.spec.pvc:
            return replace(claim, spec=replace(claim.spec, storage=storage, pvc=pvc))
    return claim


def _marked(spec: ClaimSpec, at: FieldPath, kind: str, raw: dict[str, Json]) -> ClaimSpec:
    if spec.access_modes:
        return spec
    for field in problems_in(kind, raw)[0]:
        is_misspelt = field.meant == ACCESS_MODES and field.path[:-1] == at
        if is_misspelt or field.name == ACCESS_MODES:
            return MisspeltClaimSpec(**asdict(spec), misspelt=(dotted((*at, ACCESS_MODES)), dotted(field.path)))
    return spec
