"""
The metrics of an audit, for Prometheus. This file does no I/O.

Labels name namespaces, nodes, rules and KubeVirt's reasons. No label names a VM, so the number of series does not grow with
the number of VMs. Namespaces beyond ``MOST_NAMESPACES`` are counted together.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from heapq import nsmallest
from typing import Final, TypeAlias

import msgspec

from webhook.objects.running import LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE
from webhook.report.audited import Audit, Audited
from webhook.report.metrics_text import Family, render, single
from webhook.report.model import VerdictReport

MOST_NAMESPACES: Final = 2000
"""The maximum number of namespaces with series of their own."""
OTHERS: Final = "_others"
"""The label value of all other namespaces. The name of a namespace has no underscore."""
CONDITIONS: Final = (LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE)

Series: TypeAlias = dict[tuple[str, ...], int]


class Migratability(StrEnum):
    """The values of the label ``verdict``."""

    MIGRATABLE = "migratable"
    NOT_MIGRATABLE = "not-migratable"
    UNPROVEN = "unproven"


class Progress(msgspec.Struct, frozen=True):
    """The state of an audit. A value that is None produces no metric."""

    audited_at: float | None = None
    """The time of the last complete audit, in seconds since 1970. None before the first one, and then nothing is counted."""
    age_seconds: float | None = None
    """The time since the counts were last known to be complete and current."""
    unreadable: int | None = None
    """The number of objects that could not be read."""
    unread_kinds: int | None = None
    """The number of kinds that could not be read."""
    is_leader: bool | None = None
    """Whether this process writes the reports."""
    reports: Mapping[str, int] | None = None
    """The number of writes of reports since the start, by result: written, deleted, failed."""
    pending_reports: int | None = None
    """The number of reports that have to be written or deleted."""


class Counts:
    """
    Counts of judged objects. Adding or removing an object takes a few dict operations.

    One thread changes the counts, and any thread reads them: ``families`` copies each dict at once.
    """

    def __init__(self, objects: Iterable[Audited] = ()) -> None:
        self._objects: Series = {}
        self._vms: Series = {}
        self._findings: Series = {}
        self._strategies: Series = {}
        self._disagreements: Series = {(condition,): 0 for condition in CONDITIONS}
        for audited in objects:
            self.add(audited)

    def add(self, audited: Audited) -> None:
        """Counts an object."""
        self._count(audited, 1)

    def remove(self, audited: Audited) -> None:
        """Reverts ``add`` of an equal object."""
        self._count(audited, -1)

    def _count(self, audited: Audited, by: int) -> None:
        report = audited.report
        _change(self._objects, (report.kind,), by)
        if audited.is_machine:
            verdict = migratability(report.verdict)
            reason = (report.verdict.reason if report.verdict is not None else None) or ""
            _change(self._vms, (report.namespace, verdict.value, reason), by)
            strategy, is_running = audited.eviction_strategy or "unknown", "true" if audited.is_running else "false"
            _change(self._strategies, (strategy, verdict.value, is_running), by)
        for finding in report.findings:
            _change(self._findings, (report.namespace, finding.rule, finding.action), by)
        for disagreement in audited.disagreements:
            key = (disagreement.condition,)
            self._disagreements[key] = self._disagreements.get(key, 0) + by

    def families(self) -> Iterator[Family]:
        """The counts as metrics. Only ``migratable_verdict_disagreements`` has series with the value 0."""
        yield Family("migratable_audited_objects", "Judged objects, by kind.", ("kind",), self._objects.copy())
        vms, findings = _folded(self._vms.copy(), self._findings.copy())
        yield Family(
            "migratable_vms",
            "VMs by namespace, verdict (migratable, not-migratable, unproven) and KubeVirt's reason. A VMI without a "
            "VirtualMachine counts as a VM. The reason is empty if there is none, or if an unproven reason comes first.",
            ("namespace", "verdict", "reason"),
            vms,
        )
        yield Family(
            "migratable_vms_by_eviction_strategy",
            "VMs by eviction strategy in force, verdict, and whether the VM runs.",
            ("strategy", "verdict", "running"),
            self._strategies.copy(),
        )
        yield Family(
            "migratable_findings",
            "Findings that exist now, by namespace (empty for cluster-scoped objects), rule and enforcement action.",
            ("namespace", "rule", "action"),
            findings,
        )
        yield Family(
            "migratable_verdict_disagreements",
            "Running VMIs whose condition differs from the verdict, by condition.",
            ("condition",),
            self._disagreements.copy(),
        )


def render_audit(audit: Audit, now: float) -> str:
    """The metrics of one audit that ended at ``now``, in seconds since 1970."""
    report = audit.report
    progress = Progress(audited_at=now, unreadable=len(report.problems), unread_kinds=len(report.unread))
    return render_all(Counts(audit.objects), progress)


def render_all(counts: Counts, progress: Progress, others: Iterable[Family] = ()) -> str:
    """All metrics of an audit, and other metrics after them."""
    counted = counts.families() if progress.audited_at is not None else ()
    return render((*counted, *progress_families(progress), *others))


def migratability(verdict: VerdictReport | None) -> Migratability:
    """The verdict as a label value. An object without a verdict is unproven."""
    if verdict is None or verdict.live_migratable is None:
        return Migratability.UNPROVEN
    return Migratability.MIGRATABLE if verdict.live_migratable else Migratability.NOT_MIGRATABLE


def progress_families(progress: Progress) -> Iterator[Family]:
    """The state of an audit as metrics."""
    gauges = (
        ("audit_timestamp_seconds", "Unix time of the last complete audit.", progress.audited_at),
        ("audit_age_seconds", "Seconds since the counts were last complete and current.", progress.age_seconds),
        ("audit_unreadable_objects", "Objects that could not be read.", progress.unreadable),
        ("audit_unread_kinds", "Kinds that could not be read.", progress.unread_kinds),
        ("audit_leader", "1 if this process writes the reports.", progress.is_leader),
        ("audit_pending_reports", "Reports to be written or deleted.", progress.pending_reports),
    )
    for name, text, value in gauges:
        if value is not None:
            yield single(f"migratable_{name}", text, value + 0)
    if progress.reports is not None:
        yield Family(
            "migratable_audit_report_writes_total",
            "Writes of report objects since the start, by result: written, deleted, failed.",
            ("result",),
            {(result,): count for result, count in sorted(progress.reports.items())},
            "counter",
        )


def _change(series: Series, key: tuple[str, ...], by: int) -> None:
    """Changes a count. A series without objects disappears."""
    number = series.get(key, 0) + by
    if number:
        series[key] = number
    else:
        del series[key]


def _folded(vms: Series, findings: Series) -> tuple[Series, Series]:
    """
    The series with at most ``MOST_NAMESPACES`` namespaces of their own: those with most VMs that cannot be migrated, then those
    with most findings, then by name. So the order in which objects were added never decides.
    """
    ranks: dict[str, tuple[int, int]] = {key[0]: (0, 0) for key in (*vms, *findings) if key[0]}
    if len(ranks) <= MOST_NAMESPACES:
        return vms, findings
    for (namespace, verdict, _), number in vms.items():
        if namespace and verdict == Migratability.NOT_MIGRATABLE:
            blocked, found = ranks[namespace]
            ranks[namespace] = (blocked + number, found)
    for (namespace, _, _), number in findings.items():
        if namespace:
            blocked, found = ranks[namespace]
            ranks[namespace] = (blocked, found + number)
    own = {"", *nsmallest(MOST_NAMESPACES, ranks, key=lambda name: (-ranks[name][0], -ranks[name][1], name))}
    return _with_others(vms, own), _with_others(findings, own)


def _with_others(series: Series, own: set[str]) -> Series:
    folded: Series = {}
    for (namespace, *rest), number in series.items():
        key = (namespace if namespace in own else OTHERS, *rest)
        folded[key] = folded.get(key, 0) + number
    return folded
