"""
Exempts findings that the annotation ``migratable.dev/allow`` of the object names. This module does no I/O.

kustomize and Helm keep annotations and drop comments. Only checks of manifests use the annotation. Admission ignores it,
because tenants can write it.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from webhook.manifests.judged_objects import JudgedObjects
from webhook.manifests.objects import ManifestObject, read_manifests
from webhook.report.exemptions import Allowance, allowance_of, exempted_finding, with_objects
from webhook.report.model import ExemptionReport, FindingReport, ObjectReport, Report
from webhook.yaml.document import MAX_BYTES

ANNOTATION = "migratable.dev/allow"
FORM = "RULE: REASON[; until=YYYY-MM-DD], one entry a line"
_ENTRY = re.compile(r"(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?::(?P<reason>.*?)(?:;\s*until=(?P<until>.*?))?)?\s*")


def exempt_by_annotations(report: Report, texts: Mapping[str, bytes], today: str) -> Report:
    """
    Returns the report in which annotations of objects in ``texts`` exempt findings. The notes of the report name entries of
    annotations that have no effect.
    """
    annotated = [
        manifest
        for name, text in texts.items()
        for manifest in read_manifests(text, name, most_bytes=max(MAX_BYTES, len(text))).objects
        if _annotation(manifest) is not None
    ]
    if not annotated:
        return report
    objects = JudgedObjects(annotated)
    notes: list[str] = []
    exempted: list[ObjectReport] = []
    for judged in report.objects:
        candidates = objects.candidates(judged)
        allowances = list(_allowances(candidates[0], notes, today)) if candidates else []
        exempted.append(
            replace(judged, findings=[_exempted(finding, allowances, judged) for finding in judged.findings])
        )
        notes += [_unused(allowance, judged) for allowance in allowances if not allowance.used]
    return with_objects(report, exempted, notes)


def _annotation(manifest: ManifestObject) -> str | None:
    metadata = manifest.raw.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def _allowances(manifest: ManifestObject, notes: list[str], today: str) -> Iterator[Allowance]:
    line = manifest.mark(("metadata", "annotations", ANNOTATION))[0]
    prefix = f"{manifest.document.source}:{line}: this annotation exempts nothing:"
    for entry in (_annotation(manifest) or "").splitlines() or [""]:
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            if entry.strip():
                notes.append(f"{prefix} invalid form; write {FORM}")
            continue
        allowance = allowance_of(match, line, prefix, FORM, notes, today)
        if allowance is not None:
            yield allowance


def _exempted(finding: FindingReport, allowances: list[Allowance], judged: ObjectReport) -> FindingReport:
    allowance = next((item for item in allowances if finding.rule in item.rules), None)
    if allowance is None or finding.exemption is not None or judged.source is None:
        return finding
    allowance.used = True
    owner = f"{judged.source.file}:{allowance.line}"
    return exempted_finding(finding, ExemptionReport(allowance.reason, owner, allowance.until, "annotation"))


def _unused(allowance: Allowance, judged: ObjectReport) -> str:
    file = judged.source.file if judged.source is not None else ""
    rules = ", ".join(allowance.rules)
    return f"{file}:{allowance.line}: this annotation exempts nothing: the object has no finding of {rules}"
