"""The metrics of a watched cluster, as text."""

import time
from collections.abc import Callable

from webhook.audit.node_drains import DrainMonitor
from webhook.audit.watching.cluster import WatchedCluster
from webhook.audit.watching.reporting import Reporting
from webhook.report.audit_metrics import Progress, render_all


class Exported:
    """Renders the metrics at each scrape. ``now`` returns seconds since 1970."""

    def __init__(
        self,
        cluster: WatchedCluster,
        reporting: Reporting | None,
        leads: Callable[[], bool],
        drains: DrainMonitor | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cluster = cluster
        self._reporting = reporting
        self._leads = leads
        self._drains = drains
        self._now = now

    def render(self) -> bytes:
        """The metrics. Before all objects were judged, nothing is counted."""
        age, reporting = self._cluster.age_seconds, self._reporting
        results = self._cluster.auditor.results
        progress = Progress(
            audited_at=None if age is None else self._now() - age,
            age_seconds=age,
            unreadable=len(results.problems),
            unread_kinds=len(self._cluster.refused),
            is_leader=None if reporting is None else self._leads(),
            reports=None if reporting is None else dict(reporting.totals),
            pending_reports=None if reporting is None else reporting.pending,
        )
        return render_all(
            results.counts, progress, self._drains.families() if self._drains is not None else ()
        ).encode()
