"""Starts the watch of a cluster, and ends it: first the writes, then the lead, then the reads."""

import asyncio
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

from webhook.audit.node_drains import DrainMonitor
from webhook.audit.report_writer import writer_for
from webhook.audit.watching.cluster import WatchedCluster
from webhook.audit.watching.leader_transport import LeaderTransport
from webhook.audit.watching.options import WatchOptions
from webhook.audit.watching.reporting import Reporting
from webhook.cluster.leases import Election
from webhook.cluster.writes import ReportStore
from webhook.errors import WebhookError
from webhook.monitor.exported import Exported
from webhook.processes.logs import log_to_stderr
from webhook.processes.policy_source import PolicySource
from webhook.serve.cache_metrics import CacheCollector
from webhook.serve.health import Health
from webhook.serve.hosts import KnownHosts
from webhook.serve.limits import ConnectionLimiter, Limits, Loop
from webhook.serve.listeners import Draining, Listener, bind_all, serve_all

log = logging.getLogger("migratable.audit")

WRITE_END_SECONDS = 15.0
"""The longest time for which the end of the process waits for a write. Its timeout is shorter."""
LEAD_WITHOUT_LEASE = 10.0
"""The remaining time of a lead, in seconds, if there is no Lease. It limits the timeouts of writes."""


def run(options: WatchOptions) -> None:
    """Watch until SIGTERM. Raises a WebhookError if the options or files are invalid, or if the port cannot be bound."""
    log_to_stderr()
    with asyncio.Runner(loop_factory=Loop) as loop:
        loop.run(_run(options))


class _Parts:
    """The parts that run in threads."""

    def __init__(self, options: WatchOptions, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._stopping = threading.Event()
        self._leaving = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        policy = PolicySource(options.policy_file, options.load_policy, options.release)
        policy()
        self.cluster = WatchedCluster(policy, options.scope)
        self.election = self._election(options)
        self.reporting = self._reporting(options)
        self.drains = (
            DrainMonitor.of_cluster(options.drain_arguments, options.drain_minutes) if options.drain_minutes else None
        )
        self._options = options

    def start(self) -> None:
        """Start all threads."""
        self.cluster.facts.start(transport=self._options.reader)
        self._begin("judge", partial(self.cluster.run, self._stopping))
        if self.election is not None:
            self._begin("election", self.election.run)
        if self.reporting is not None:
            self._begin("reports", self.reporting.run)
        if self.drains is not None:
            self.drains.start()

    def stop(self) -> None:
        """End the writes, then give the Lease back, then end the watches."""
        self._stopping.set()
        if self.drains is not None:
            self.drains.close()
        reports = self._threads.get("reports")
        if reports is not None:
            reports.join(WRITE_END_SECONDS)
        if reports is None or not reports.is_alive():  # else another process must wait until the Lease is over
            self._leaving.set()
            if (election := self._threads.get("election")) is not None:
                election.join(WRITE_END_SECONDS)
        self.cluster.facts.stop(1.0)

    @property
    def leads(self) -> bool:
        """Whether this process writes reports now."""
        return self.reporting is not None and self._seconds_left() > 0

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - the process must end if a part of it has ended
                self._failed(error)

        self._threads[name] = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads[name].start()

    def _seconds_left(self) -> float:
        if self._stopping.is_set():
            return 0.0
        return LEAD_WITHOUT_LEASE if self.election is None else self.election.seconds_left

    def _election(self, options: WatchOptions) -> Election | None:
        if options.lease is None or options.writer is None:
            return None
        identity = f"{socket.gethostname()}_{os.urandom(4).hex()}"
        return Election(options.writer, options.lease, identity, wait=self._leaving.wait, chance=random.random)

    def _reporting(self, options: WatchOptions) -> Reporting | None:
        if options.writer is None or options.reports == "none":
            return None
        store = ReportStore(
            LeaderTransport(options.writer, self._seconds_left),
            per_second=options.writes_per_second,
            clock=time.monotonic,
            wait=self._stopping.wait,
            chance=random.random,
        )
        return Reporting(
            self.cluster.auditor,
            partial(writer_for, store, options.reports),
            self.cluster.snapshot,
            lambda: self._seconds_left() > 0,
            wait=self._stopping.wait,
            chance=random.random,
            clock=time.monotonic,
        )


async def _run(options: WatchOptions) -> None:
    draining, loop = Draining(), asyncio.get_running_loop()
    failures: list[BaseException] = []

    def failed(error: BaseException) -> None:
        failures.append(error)
        loop.call_soon_threadsafe(draining.began.set)

    parts = _Parts(options, failed)
    disable_created_metrics()  # type: ignore[no-untyped-call] # the creation time of a series has no use
    registry = CollectorRegistry()
    registry.register(CacheCollector(parts.cluster.facts.statistics, "migratable_audit_cluster"))
    refused = Counter(
        "migratable_audit_connections_refused",
        "Connections closed or requests rejected, by listener and reason.",
        ["listener", "reason"],
        registry=registry,
    )

    def count(reason: str) -> None:
        refused.labels("metrics", reason).inc()

    exported = Exported(parts.cluster, parts.reporting, lambda: parts.leads, parts.drains)
    health = Health(
        lambda: parts.cluster.auditor.complete and not draining(),
        registry,
        lambda: "shutting down" if draining() else parts.cluster.unfinished,
        exported.render,
    )
    limiter = ConnectionLimiter(Limits(), time.monotonic, (), count)
    listener = Listener(
        "metrics", KnownHosts(health, tuple, count), options.host, options.port, limiter, option="--port"
    )
    bound = bind_all([listener])
    try:
        parts.start()
        log.info("watching the cluster", extra={"port": options.port, "reports": options.reports})
        await serve_all([listener], bound, draining, 0.0)
    finally:
        draining.began.set()
        await asyncio.to_thread(parts.stop)
    for error in failures:
        if isinstance(error, WebhookError):
            raise error
        log.error("a part of the audit ended", extra={"error": type(error).__name__})
        raise SystemExit(2)
