"""
Compares the reports in a cluster with the reports that its objects need. This module does no I/O.

A report is deleted only if its object was judged without findings, or if the object no longer exists. The object of a report
that this audit did not cover may exist: its namespace belongs to another shard, or its kind could not be read.

If a kind could not be read in time, reports with unknown results are not written: they would be written for all VMs, and the
next audit would write the old reports again.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from webhook.audit.scope import Scope
from webhook.objects.report_kinds import Existing, ReportApi
from webhook.report.audited import Audit, UnreadReport
from webhook.report.report_objects import (
    CLUSTER,
    SETTINGS_KINDS,
    ReportObject,
    cluster_report,
    has_results,
    is_setting,
    own_report,
    settings_namespaces,
)

Place: TypeAlias = tuple[str, str]
"""Namespace and name of a report. They are the same in each API group."""
CLUSTER_PLACE: Final[Place] = ("", CLUSTER)


class Change(msgspec.Struct, frozen=True):
    """
    A report to write, and reports to delete afterwards.

    The document is made when it is written: 20,000 documents of a first run take 70 MiB.
    """

    place: Place
    wanted: ReportObject | None = None
    fingerprint: str = ""
    delete: tuple[Existing, ...] = ()


class Coverage(msgspec.Struct, frozen=True):
    """The part of a cluster that an audit judged."""

    scope: Scope
    unread: tuple[UnreadReport, ...]
    """The kinds that could not be read."""
    unreadable: frozenset[str]
    """The objects that could not be read, such as ``VirtualMachine tenant/web``."""

    @property
    def is_interrupted(self) -> bool:
        """Whether the next audit can read more. A missing permission stays missing."""
        return any(not one.is_refused for one in self.unread)

    @property
    def has_cluster(self) -> bool:
        """Whether the report of the cluster belongs to this audit."""
        return self.scope.holds("")

    def knows(self, report: Existing) -> bool:
        """Whether the object of the report would have been judged if it existed."""
        if not self.scope.holds(report.namespace):
            return False
        if not report.namespace:
            return report.name == CLUSTER
        if not report.owner_kind:
            return not self.unread
        was_listed = not any(
            one.kind == report.owner_kind and one.namespace in ("", report.namespace) for one in self.unread
        )
        name = f"{report.owner_kind} {report.namespace}/{report.owner_name}"
        return was_listed and name not in self.unreadable

    @property
    def unread_settings(self) -> tuple[UnreadReport, ...]:
        """The kinds of settings that could not be read."""
        return tuple(one for one in self.unread if one.kind in SETTINGS_KINDS)


def coverage_of(audit: Audit) -> Coverage:
    """The part of a cluster that an audit judged."""
    unreadable = frozenset(problem.file for problem in audit.report.problems)
    return Coverage(Scope(audit.report.namespaces, audit.report.shard), audit.report.unread, unreadable)


class Plan(msgspec.Struct, frozen=True):
    """The changes after which the cluster has the reports of an audit, all of one API group."""

    changes: tuple[Change, ...]
    postponed: int = 0
    """Reports with unknown results that are not written, because a kind could not be read in time."""


def plan(existing: Iterable[Existing], audit: Audit, api: ReportApi) -> Plan:
    """The changes that follow from an audit."""
    planned: list[Change] = []
    postponed = 0
    stored: dict[Place, list[Existing]] = {}
    for report in existing:
        stored.setdefault((report.namespace, report.name), []).append(report)
    coverage = coverage_of(audit)
    for wanted in wanted_reports(audit, coverage):
        place = (wanted.namespace, wanted.name)
        change = change_at(place, stored.pop(place, ()), wanted, api)
        if change is not None and coverage.is_interrupted and wanted.has_unknowns:
            postponed += 1
        elif change is not None:
            planned.append(change)
    for place, reports in stored.items():
        gone = tuple(report for report in reports if report.fingerprint and coverage.knows(report))
        if gone:
            planned.append(Change(place, delete=gone))
    return Plan(tuple(planned), postponed)


def change_at(place: Place, stored: Iterable[Existing], wanted: ReportObject | None, api: ReportApi) -> Change | None:
    """The change after which the cluster has the wanted report, in one API group only. None if nothing changes."""
    if wanted is None:
        gone = tuple(report for report in stored if report.fingerprint)
        return Change(place, delete=gone) if gone else None
    fingerprint = wanted.fingerprint(api)
    stored = tuple(stored)
    others = tuple(report for report in stored if report.api is not api and report.fingerprint)
    if any(report.api is api and report.fingerprint == fingerprint for report in stored):
        return Change(place, delete=others) if others else None
    return Change(place, wanted, fingerprint, others)


def wanted_reports(audit: Audit, coverage: Coverage) -> Iterator[ReportObject]:
    """The reports about the objects of an audit. The report of the cluster comes last."""
    namespaces = settings_namespaces(audit.objects)
    settings = []
    for audited in audit.objects:
        if has_results(audited):
            if is_setting(audited.report.kind, audited.report.namespace, namespaces):
                settings.append(audited)
            else:
                yield own_report(audited, audit.report.profile)
    if coverage.has_cluster and (settings or coverage.unread_settings):
        yield cluster_report(settings, audit.report.profile, coverage.unread_settings)
