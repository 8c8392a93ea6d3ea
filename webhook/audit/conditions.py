"""Compares the conditions of a running VMI with the verdict about it."""

from collections.abc import Iterator, Mapping

from webhook.objects.meta import Json
from webhook.objects.running import FINAL, LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE
from webhook.report.audited import ConditionReport, DisagreementReport
from webhook.report.model import VerdictReport


def conditions_of(vmi: Mapping[str, Json]) -> dict[str, ConditionReport]:
    """
    The conditions LiveMigratable and StorageLiveMigratable that virt-handler set on a VMI.

    A VMI that has ended has none: virt-handler no longer keeps its conditions up to date.
    """
    status = vmi.get("status")
    if not isinstance(status, Mapping) or status.get("phase") in FINAL:
        return {}
    found: dict[str, ConditionReport] = {}
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        kind = condition.get("type") if isinstance(condition, Mapping) else None
        if kind in (LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE) and condition.get("status") in ("True", "False"):
            is_true = condition["status"] == "True"
            found[kind] = ConditionReport(is_true, "" if is_true else str(condition.get("reason") or ""))
    return found


def agrees(observed: Mapping[str, ConditionReport], verdict: VerdictReport | None) -> bool:
    """Whether all conditions equal a verdict. An unproven verdict agrees with every condition."""
    return next(_differences(observed, verdict), None) is None


def disagreements(
    namespace: str, name: str, observed: Mapping[str, ConditionReport], verdict: VerdictReport | None
) -> tuple[DisagreementReport, ...]:
    """The conditions of a VMI that differ from the verdict about the same VMI."""
    return tuple(
        DisagreementReport(namespace, name, condition, observed[condition], expected)
        for condition, expected in _differences(observed, verdict)
    )


def _differences(
    observed: Mapping[str, ConditionReport], verdict: VerdictReport | None
) -> Iterator[tuple[str, ConditionReport]]:
    if verdict is None:
        return
    storage = verdict.storage_live_migratable
    expected = {LIVE_MIGRATABLE: _expected(verdict.live_migratable, verdict.reason)}
    if storage is not None:
        expected[STORAGE_LIVE_MIGRATABLE] = _expected(storage.status, storage.reason)
    for condition, seen in observed.items():
        wanted = expected.get(condition)
        if wanted is not None and (seen.status != wanted.status or (wanted.reason and seen.reason != wanted.reason)):
            yield condition, wanted


def _expected(status: bool | None, reason: str | None) -> ConditionReport | None:
    return None if status is None else ConditionReport(status, "" if status else reason or "")
