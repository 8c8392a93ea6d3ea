"""
Finds VirtualMachineInstanceMigrations (VMIMs) that KubeVirt refuses, because their VM cannot be live-migrated.

The VM can be in a later file than the VMIM, so this runs after all objects are judged.
"""

from collections.abc import Sequence

from webhook.check.check import FollowUp, examine
from webhook.facts.world import World
from webhook.objects.meta import Json
from webhook.report.building import object_report
from webhook.report.model import ObjectReport, reason_phrase

_VMS = ("VirtualMachine", "VirtualMachineInstance")


def with_refusals(objects: list[ObjectReport], requests: Sequence[FollowUp], world: World) -> list[ObjectReport]:
    """Returns the reports, with a report on each VMIM that KubeVirt refuses. An unproven verdict refuses nothing."""
    if not requests:
        return objects
    vms: dict[tuple[str, str], list[ObjectReport]] = {}
    for judged in objects:
        if judged.kind in _VMS and judged.verdict is not None:
            vms.setdefault((judged.namespace, judged.name), []).append(judged)
    reports = list(objects)
    first: dict[tuple[Json, ...], int] = {}
    for at, judged in enumerate(reports):
        first.setdefault(_identity(judged), at)
    for request in requests:
        refusal = _refusal(request.manifest.raw, vms)
        if not refusal:
            continue
        examined = examine(request.manifest, world, request.settings, request.release, refusal)
        if examined is None:
            continue
        report = object_report(examined)
        at = first.setdefault(_identity(report), len(reports))
        if at < len(reports):
            reports[at] = report
        else:
            reports.append(report)
    return reports


def _identity(judged: ObjectReport) -> tuple[Json, ...]:
    return judged.source, judged.kind, judged.namespace, judged.name


def _refusal(raw: Json, vms: dict[tuple[str, str], list[ObjectReport]]) -> str:
    """Why KubeVirt refuses the migration, or an empty text."""
    spec, metadata = raw.get("spec"), raw.get("metadata")
    if not isinstance(spec, dict) or spec.get("sendTo") or spec.get("receive"):
        return ""  # a decentralized migration tolerates some reasons (KubeVirt 1.6 and later)
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    found = vms.get((str(namespace or ""), str(spec.get("vmiName") or "")), [])
    verdicts = [judged.verdict for judged in found if judged.verdict is not None]
    if not verdicts or any(verdict.live_migratable is not False for verdict in verdicts):
        return ""
    return f"{found[0].kind} {found[0].name!a} cannot be live-migrated ({reason_phrase(verdicts[0])})"
