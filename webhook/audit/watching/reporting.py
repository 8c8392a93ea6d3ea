"""
Writes the reports of a watched cluster while this process leads.

A process that begins to lead lists the reports, and compares them with its judgements. Later it writes only what changes. A
write that fails is repeated after a pause, with what has changed until then.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from webhook.audit.watching.auditor import Auditor
from webhook.audit.watching.results import Difference
from webhook.cluster.watch import Backoff
from webhook.errors import WebhookError
from webhook.report.audited import Audit, Audited
from webhook.report.report_objects import ObjectKey

log = logging.getLogger("migratable.reports")

POLL_SECONDS = 0.2
LIST_AGAIN_SECONDS = 3600.0
"""The interval at which the reports are listed again, because others can change or delete them."""
PAUSES = (1.0, 30.0)
"""First and longest pause after writes have failed."""


class Outcome(Protocol):
    """The numbers of reports of one run."""

    @property
    def written(self) -> int:
        """Created or changed reports."""
        ...

    @property
    def deleted(self) -> int:
        """Deleted reports."""
        ...

    @property
    def failed(self) -> int:
        """Reports that are not as they should be."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """Why writes failed, without names of objects."""
        ...


class Reports(Protocol):
    """``webhook.audit.report_writer.ReportWriter``."""

    def begin(self, audit: Audit) -> None:
        """List the reports, and record the differences. Raises Unavailable or Misconfigured."""
        ...

    def update(self, objects: Sequence[Audited]) -> None:
        """Record that objects were judged again."""
        ...

    def remove(self, objects: Sequence[ObjectKey]) -> None:
        """Record that objects are gone."""
        ...

    @property
    def pending(self) -> int:
        """The number of reports to write or delete."""
        ...

    def write(self) -> Outcome:
        """Write and delete all recorded reports. Never raises."""
        ...


class Reporting:
    """
    Keeps the reports equal to the judgements of ``auditor`` while ``leads`` returns True.

    ``wait`` pauses for some seconds and returns whether to stop. ``snapshot`` returns the present audit. ``chance`` returns
    numbers in [0, 1). ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        auditor: Auditor,
        reports: Callable[[], Reports],
        snapshot: Callable[[], Audit],
        leads: Callable[[], bool],
        *,
        wait: Callable[[float], bool],
        chance: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._auditor = auditor
        self._new = reports
        self._snapshot = snapshot
        self._leads = leads
        self._wait = wait
        self._clock = clock
        self._backoff = Backoff(PAUSES, chance)
        self._lock = threading.Lock()
        self._differences: list[Difference] = []
        self._reports: Reports | None = None
        self._listed_at = 0.0
        self._problem = ""
        self.totals = Counter(written=0, deleted=0, failed=0)
        """The numbers of writes since the start, for metrics."""

    @property
    def pending(self) -> int:
        """The number of reports that have to be written or deleted."""
        reports = self._reports
        return 0 if reports is None else reports.pending

    def run(self) -> None:
        """Run until ``wait`` returns True."""
        pause = 0.0
        while not self._wait(pause):
            pause = self.step()

    def step(self) -> float:
        """Write what has changed. Returns the length of the pause that follows."""
        if not self._leads() or not self._auditor.complete:
            self._forget()
            return POLL_SECONDS
        if self._reports is None or self._clock() - self._listed_at > LIST_AGAIN_SECONDS:
            self._forget()
            try:
                self._begin()
            except WebhookError as error:
                self._forget()
                return self._failed(error.message)
        reports = self._reports
        if reports is None or not reports.pending:
            return POLL_SECONDS
        outcome = reports.write()
        self.totals.update(written=outcome.written, deleted=outcome.deleted)
        if outcome.failed and self._leads():
            self.totals.update(failed=outcome.failed)
            return self._failed("; ".join(outcome.problems))
        self._succeeded()
        return 0.0

    def _begin(self) -> None:
        self._auditor.follow(self._note)  # before the snapshot, so that no difference is lost
        reports = self._new()
        reports.begin(self._snapshot())
        with self._lock:
            for difference in self._differences:
                _apply(reports, difference)
            self._differences.clear()
            self._reports = reports
        self._listed_at = self._clock()
        log.info("the reports were listed", extra={"to_change": reports.pending})

    def _forget(self) -> None:
        """Ends the work of a leader. Another process may change the reports from now on."""
        self._auditor.unfollow(self._note)
        with self._lock:
            self._reports = None
            self._differences.clear()

    def _note(self, difference: Difference) -> None:
        """Receives a difference, in the thread that judges. It replaces an older change that waits to be written."""
        with self._lock:
            if self._reports is None:
                self._differences.append(difference)
            else:
                _apply(self._reports, difference)

    def _failed(self, problem: str) -> float:
        if problem != self._problem:
            self._problem = problem
            log.warning("reports were not written", extra={"problem": problem, "retry": "at most 30 seconds"})
        return self._backoff.next()

    def _succeeded(self) -> None:
        self._backoff.reset()
        if self._problem:
            self._problem = ""
            log.info("reports are written again")


def _apply(reports: Reports, difference: Difference) -> None:
    if difference.removed:
        reports.remove(difference.removed)
    if difference.updated:
        reports.update(difference.updated)
