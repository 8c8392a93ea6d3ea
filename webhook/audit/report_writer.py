"""
Keeps the reports of a cluster equal to its judged objects.

``sync`` serves an audit of the whole cluster. ``update`` and ``remove`` serve a watch: they only record what has to change, and
``write`` writes it. A change that fails stays recorded, and the next ``write`` repeats it.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from webhook.audit.reports import CLUSTER_PLACE, Change, Place, change_at, coverage_of, plan
from webhook.cluster.writes import Failure, ReportStore
from webhook.errors import Misconfigured
from webhook.objects.report_kinds import REPORT_APIS, Existing, ReportApi
from webhook.report.audited import Audit, Audited, UnreadReport
from webhook.report.openreports import report_name
from webhook.report.phrases import plural
from webhook.report.report_objects import (
    ObjectKey,
    ReportObject,
    cluster_report,
    has_results,
    is_setting,
    key_of,
    own_report,
    settings_namespaces,
)

MOST_FAILURES: Final = 3
"""After so many temporary failures in a row, the rest of the changes is left for the next run."""

UNSURE: Final = "?"
"""The fingerprint of a report after a request without a response."""


class Written(msgspec.Struct, frozen=True):
    """The outcome of a run of the writer, in numbers of reports."""

    written: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: int = 0
    """Reports that are not as they should be. The next run repeats the changes."""
    problems: tuple[str, ...] = ()
    """Why reports were not written, without names of objects."""
    notes: tuple[str, ...] = ()


class ReportWriter:
    """Writes the reports of one cluster, in one API group. Thread-safe, except that one thread at a time calls ``write``."""

    def __init__(self, store: ReportStore, api: ReportApi, others: Sequence[ReportApi] = ()) -> None:
        """``others`` are the other API groups that the cluster serves. Reports in them are deleted."""
        self._store = store
        self._api = api
        self._others = tuple(others)
        self._lock = threading.Lock()
        self._stored: dict[Place, tuple[Existing, ...]] = {}
        self._pending: dict[Place, Change] = {}
        self._recent: dict[Place, None] = {}
        """Pending changes that ``update`` and ``remove`` recorded. ``write`` carries them out first."""
        self._settings: dict[ObjectKey, Audited] = {}
        self._unread: tuple[UnreadReport, ...] = ()
        self._profile = ""
        self._has_cluster = True
        self._notes: tuple[str, ...] = ()
        self._in_flight: Place | None = None
        self._judged_again: tuple[ReportObject | None] | None = None
        """The report that ``_in_flight`` needs now, if that changed during its request."""

    def sync(self, audit: Audit) -> Written:
        """
        Lists the reports of the cluster, and writes and deletes reports until they are those of the audit.

        Raises Unavailable or Misconfigured if the reports cannot be listed.
        """
        self.begin(audit)
        return self.write()

    def begin(self, audit: Audit) -> None:
        """Lists the reports of the cluster, and records the changes. Raises Unavailable or Misconfigured."""
        coverage = coverage_of(audit)
        namespaces, has_cluster = audit.report.namespaces, coverage.has_cluster
        existing = self._store.every(self._api, namespaces, cluster=has_cluster)
        notes: list[str] = []
        for api in self._others:
            try:
                existing.extend(self._store.every(api, namespaces, cluster=has_cluster))
            except Misconfigured as error:
                notes.append(f"earlier reports of {api.group} are not deleted: {error.message}")
        stored: dict[Place, tuple[Existing, ...]] = {}
        for report in existing:
            place = (report.namespace, report.name)
            stored[place] = (*stored.get(place, ()), report)
        planned = plan(existing, audit, self._api)
        if planned.postponed:
            number = plural(planned.postponed, "report")
            notes.append(f"{number} with unknown results not written, because a kind could not be read in time")
        pending = {change.place: change for change in planned.changes}
        with self._lock:
            self._stored, self._pending = stored, pending
            self._recent.clear()
            self._profile, self._has_cluster, self._notes = audit.report.profile, has_cluster, tuple(notes)
            self._unread = coverage.unread_settings
            of_kubevirt = settings_namespaces(audit.objects)
            self._settings = {
                key_of(one): one
                for one in audit.objects
                if is_setting(one.report.kind, one.report.namespace, of_kubevirt)
            }

    def update(self, objects: Iterable[Audited]) -> None:
        """Records that objects were judged again. The reports of other objects stay as they are."""
        with self._lock:
            is_settings_change = False
            for audited in objects:
                if self._keep_setting(audited):
                    is_settings_change = True
                    continue
                wanted = own_report(audited, self._profile)
                self._record((wanted.namespace, wanted.name), wanted if has_results(audited) else None)
            if is_settings_change:
                self._record_cluster()

    def remove(self, objects: Iterable[ObjectKey]) -> None:
        """Records that objects no longer exist, or no longer have a report of their own."""
        with self._lock:
            is_settings_change = False
            for key in objects:
                if self._settings.pop(key, None) is not None:
                    is_settings_change = True
                else:
                    self._record((key[2], report_name(key)), None)
            if is_settings_change:
                self._record_cluster()

    @property
    def pending(self) -> int:
        """The number of reports that ``write`` would change."""
        with self._lock:
            return len(self._pending)

    def write(self) -> Written:
        """Writes and deletes all recorded reports. Stops after several temporary failures in a row. Never raises."""
        counts: Counter[str] = Counter()
        failures: Counter[Failure] = Counter()
        in_a_row = 0
        with self._lock:
            recorded = dict.fromkeys(self._pending)
            unchanged = len(self._stored.keys() - self._pending.keys())
        while (change := self._next(recorded)) is not None:
            failure = self._carry_out(change, counts)
            if failure is None:
                in_a_row = 0
                continue
            failures[failure] += 1
            in_a_row = in_a_row + 1 if failure.is_temporary else 0
            if in_a_row == MOST_FAILURES:
                break
        failed = self.pending
        problems = tuple(_problems(failures, failed))
        return Written(counts["written"], counts["deleted"], unchanged, failed, problems, self._notes)

    def _next(self, recorded: dict[Place, None]) -> Change | None:
        """
        The next change, which is taken out of ``recorded``. A VM that was mended during a long first run does not wait for its
        end.
        """
        with self._lock:
            while places := self._recent or recorded:
                place = next(iter(places))
                self._recent.pop(place, None)
                recorded.pop(place, None)
                if (change := self._pending.get(place)) is not None:
                    return change
        return None

    def _carry_out(self, change: Change, counts: Counter[str]) -> Failure | None:
        place, kept = change.place, []
        with self._lock:
            self._in_flight, self._judged_again = place, None
        failure = None
        if change.wanted is not None:
            outcome = self._store.apply(self._api, *place, change.wanted.document(self._api))
            if isinstance(outcome, Failure):
                failure = outcome
            elif outcome.uid:
                counts["written"] += 1
                kept.append(Existing(self._api, *place, outcome.uid, change.fingerprint))
        for report in change.delete if failure is None else ():
            outcome = self._store.delete(report)
            if isinstance(outcome, Failure):
                failure = outcome
                kept.append(msgspec.structs.replace(report, fingerprint=UNSURE))
            else:
                counts["deleted"] += 1
        self._carried_out(change, failure, tuple(kept))
        return failure

    def _carried_out(self, change: Change, failure: Failure | None, kept: tuple[Existing, ...]) -> None:
        place = change.place
        with self._lock:
            self._in_flight = None
            if failure is None:
                del self._pending[place]
                self._stored.pop(place, None)
                if kept:
                    self._stored[place] = kept
            elif failure.is_temporary:  # the API server may have carried out a request whose response was lost
                known = self._stored.get(place) or (Existing(self._api, *place, uid=""),)
                self._stored[place] = tuple(msgspec.structs.replace(report, fingerprint=UNSURE) for report in known)
            if self._judged_again is not None:
                self._record(place, *self._judged_again)

    def _record(self, place: Place, wanted: ReportObject | None) -> None:
        if place == self._in_flight:  # what the cluster has at this place is known after the request
            self._judged_again = (wanted,)
            return
        change = change_at(place, self._stored.get(place, ()), wanted, self._api)
        if change is None:
            self._pending.pop(place, None)
        else:
            self._pending[place] = change
            self._recent[place] = None

    def _record_cluster(self) -> None:
        if not self._has_cluster:
            return
        settings = [audited for audited in self._settings.values() if has_results(audited)]
        wanted = cluster_report(settings, self._profile, self._unread) if settings or self._unread else None
        self._record(CLUSTER_PLACE, wanted)

    def _keep_setting(self, audited: Audited) -> bool:
        """Whether the object belongs to the report of the cluster."""
        if not is_setting(audited.report.kind, audited.report.namespace, settings_namespaces(self._settings.values())):
            return False
        self._settings[key_of(audited)] = audited
        return True


def _problems(failures: Counter[Failure], left: int) -> Iterator[str]:
    for failure, number in failures.most_common():
        yield f"{plural(number, 'report')} not written or deleted: {failure.why}. {failure.remedy}".rstrip()
    if failures and left > failures.total():  # otherwise a watch has recorded more changes in the meantime
        yield f"{plural(left - failures.total(), 'report')} not tried after {MOST_FAILURES} failures in a row"


def writer_for(store: ReportStore, choice: str) -> ReportWriter:
    """
    The writer for ``openreports``, ``policyreports`` or ``auto`` (OpenReports if the cluster serves it).

    Raises Misconfigured if the cluster does not serve the kind, and Unavailable if there is no response.
    """
    served = store.served()
    wanted = [api for api in REPORT_APIS if choice in ("auto", api.option)]
    chosen = next((api for api in wanted if api in served), None)
    if chosen is None:
        kinds = " and ".join(f"{api.namespaced.kind} ({api.api_version})" for api in wanted)
        raise Misconfigured(
            f"--reports {choice}: the API server does not serve {kinds}",
            remedy=f"Install the CustomResourceDefinitions of {wanted[0].group}, or write --reports none.",
        )
    return ReportWriter(store, chosen, [api for api in served if api is not chosen])
