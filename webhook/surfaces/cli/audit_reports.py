"""The options of an audit that write reports as objects of the cluster."""

import math
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook.errors import WebhookError
from webhook.surfaces.cli.connecting import connected_writer
from webhook.surfaces.cli.status import write_errors, write_stderr

if TYPE_CHECKING:
    from webhook.audit.report_writer import ReportWriter
    from webhook.report.audited import Audit


def _a_number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """FloatRange accepts NaN, which is in no range."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number of writes.")
    return value


REPORTS = click.option(
    "--reports",
    type=click.Choice(["openreports", "policyreports", "auto", "none"]),
    default="none",
    show_default=True,
    help="Write reports as objects of the cluster. auto: OpenReports or else PolicyReport, whichever the cluster serves.",
)
WRITES_PER_SECOND = click.option(
    "--writes-per-second",
    type=click.FloatRange(0, 10_000, min_open=True),
    default=20.0,
    show_default=True,
    callback=_a_number,
    help="Limit for writes of reports.",
)


def report_writer(
    choice: str, writes_per_second: float, kubeconfig: Path | None, context: str | None
) -> "ReportWriter | None":
    """
    The writer of reports, or None without ``--reports``, and for ``auto`` if the cluster serves no kind of reports.

    Raises Misconfigured if the cluster does not serve the kind, and Unavailable if there is no response.
    """
    if choice == "none":
        return None
    from webhook.audit.report_writer import writer_for
    from webhook.cluster.writes import ReportStore

    store = ReportStore(
        connected_writer("audit", kubeconfig, context),
        per_second=writes_per_second,
        clock=time.monotonic,
        wait=_pause,
        chance=random.random,
    )
    if choice == "auto" and not store.served():
        write_stderr("note: no reports are written: the API server serves neither OpenReports nor PolicyReport")
        return None
    return writer_for(store, choice)


def write_reports(writer: "ReportWriter", audit: "Audit", *, quiet: bool) -> bool:
    """Writes the reports, and returns whether all were written. Writes an error for each cause to stderr. Never raises."""
    try:
        outcome = writer.sync(audit)
    except WebhookError as error:
        write_errors([error])
        return False
    for problem in outcome.problems:
        write_stderr(f"error: {problem}")
    if not quiet:
        counts = f"{outcome.written} written, {outcome.deleted} deleted, {outcome.unchanged} unchanged"
        write_stderr(f"note: reports in the cluster: {counts}")
        for note in outcome.notes:
            write_stderr(f"note: {note}")
    return not outcome.failed


def _pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False
