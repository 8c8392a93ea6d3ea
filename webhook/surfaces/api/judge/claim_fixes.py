"""
The fix of a claim whose manifest is among the manifests of a request. This module does no I/O.

Fixes of rules change only the object of the finding. ``LM201`` is about a VM, and its cause can be a claim in the same manifests
that does not exist yet.
"""

import re
from collections.abc import Sequence

from webhook.fixes.fix import find, replace
from webhook.manifests.judged_objects import JudgedObjects
from webhook.manifests.objects import ManifestObject
from webhook.objects.meta import Json
from webhook.report.model import FindingReport, FixedObjectReport, FixReport, ObjectReport, SourceReport
from webhook.report.printable import printable

RULE = "LM201"
_CLAIM = "PersistentVolumeClaim"
_VOLUME = re.compile(r"(spec\.template\.spec|spec)\.volumes\[(\d+)\]")


class ClaimFixes:
    """The fixes of claims among ``objects``."""

    def __init__(self, objects: Sequence[ManifestObject]) -> None:
        self._owners = JudgedObjects(objects)
        self._claims: dict[tuple[str, str], list[ManifestObject]] = {}
        for manifest in objects:
            if manifest.kind == _CLAIM and manifest.object is not None:
                key = (manifest.object.namespace, manifest.object.name)
                self._claims.setdefault(key, []).append(manifest)

    def fix_for(self, judged: ObjectReport, finding: FindingReport) -> tuple[ObjectReport, FixReport] | None:
        """The claim that a finding is about, and the fix of the claim. None for a claim that was read from a cluster."""
        if finding.rule != RULE or finding.outcome != "violation":
            return None
        owners = self._owners.candidates(judged)
        if len(owners) != 1 or owners[0].object is None:
            return None
        name = _claim_name(owners[0].raw, finding.path)
        claims = self._claims.get((owners[0].object.namespace, name), []) if name is not None else []
        return _fix_of(claims[0]) if len(claims) == 1 else None


def _claim_name(raw: Json, path: str) -> str | None:
    """The name of the claim of a volume, or None for a volume of another kind."""
    place = _VOLUME.fullmatch(path)
    if place is None:
        return None
    name = find(raw, (*place[1].split("."), "volumes", int(place[2]), "persistentVolumeClaim", "claimName"))
    return name if isinstance(name, str) else None


def _fix_of(claim: ManifestObject) -> tuple[ObjectReport, FixReport] | None:
    mode = ("spec", "accessModes", 0)
    if claim.object is None or not isinstance(find(claim.raw, mode), str) or find(claim.raw, ("metadata", "uid")):
        return None
    namespace, name = printable(claim.object.namespace), printable(claim.object.name)
    source = SourceReport(claim.document.source, claim.document.index, claim.line)
    title = f"write ReadWriteMany in PVC {name!r}, if its StorageClass supports it"
    fix = FixReport(
        title,
        safe=False,
        patch=[*replace(claim.raw, mode, "ReadWriteMany")],
        object=FixedObjectReport(_CLAIM, namespace, name),
    )
    return ObjectReport(claim.api_version, _CLAIM, namespace, name, source, None, []), fix
