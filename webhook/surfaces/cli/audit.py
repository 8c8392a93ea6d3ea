"""``migratable audit``."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from os import environ
from pathlib import Path

import click

from webhook.audit.audit import audit
from webhook.audit.scope import Scope
from webhook.check.check import Settings
from webhook.cluster.pages import Lister
from webhook.errors import WebhookError
from webhook.manifests.policy_file import read_policy
from webhook.report.audit_remarks import unread_notes
from webhook.report.audited import Audit
from webhook.report.grouping import GROUPINGS
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS, GROUPED, AuditStyle, has_notes, write_audit
from webhook.surfaces.cli.audit_reports import REPORTS, WRITES_PER_SECOND, report_writer, write_reports
from webhook.surfaces.cli.configuration import LoadedConfig
from webhook.surfaces.cli.connecting import CONTEXT, KUBECONFIG, connected
from webhook.surfaces.cli.options import FAIL_ON
from webhook.surfaces.cli.outputs import Output, Style, outputs_of
from webhook.surfaces.cli.progress import bar
from webhook.surfaces.cli.settings import EffectiveSettings, Flags, combine
from webhook.surfaces.cli.shards import shard_from
from webhook.surfaces.cli.status import (
    EXIT_ERROR,
    UsageMistake,
    exit_status,
    fail,
    write_errors,
    write_problems,
    write_stderr,
)


@click.command("audit")
@click.option(
    "-n", "--namespace", "namespaces", multiple=True, help="Audit only this namespace. Repeatable. Default: all."
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Audit all namespaces (the default).")
@click.option(
    "--shard",
    default="1/1",
    show_default=True,
    metavar="I/N",
    help="Audit part I of N of the namespaces. In a pod of an Indexed Job, auto/N.",
)
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), help="Policy file.")
@click.option("--profile", type=click.Choice(["strict", "exact"]), help="Profile: strict (default) or exact.")
@click.option("--release", metavar="any|1.x", help="KubeVirt release. Default: the release in the KubeVirt CR.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help=f"Output format: {', '.join(AUDIT_FORMATS)}. Repeatable.",
)
@click.option(
    "--group-by", type=click.Choice(GROUPINGS), help="Groups of the formats summary and markdown. [default: reason]"
)
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), default="deny", show_default=True, help="Findings that give exit status 1."
)
@click.option("--strict", is_flag=True, help="Also exit with 1 for unproven results.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Print only findings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also show objects without findings.")
@REPORTS
@WRITES_PER_SECOND
@KUBECONFIG
@CONTEXT
@click.option(
    "--timeout", default=600.0, show_default=True, metavar="SECONDS", help="Time limit for all reads together."
)
def command(
    namespaces: Sequence[str],
    all_namespaces: bool,
    shard: str,
    policy: str | None,
    profile: str | None,
    release: str | None,
    outputs: Sequence[str],
    group_by: str | None,
    fail_on: str,
    strict: bool,
    color: str,
    quiet: bool,
    verbose: bool,
    reports: str,
    writes_per_second: float,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
) -> None:
    """
    Judge the VMs and the migration settings of a running cluster.

    Reads the cluster, and changes nothing but the reports of --reports. Exit status: 0 if there is no finding at or above
    --fail-on, 1 if there is one, 2 if the cluster or some of its VMs cannot be read, or a report cannot be written.
    """
    if namespaces and all_namespaces:
        raise click.UsageError("Write either --namespace or --all-namespaces.")
    try:
        written = outputs_of(outputs, AUDIT_FORMATS)
        _refuse_contradictions(written, group_by)
        scope = Scope(tuple(sorted(set(namespaces))), shard_from(shard, environ))
        effective = combine(Flags(policy=policy, profile=profile, release=release), LoadedConfig(), read_policy)
        writer = report_writer(reports, writes_per_second, kubeconfig, context)
        audited = _audited(effective, scope, kubeconfig, context, timeout, quiet=quiet)
    except UsageMistake as error:
        raise click.UsageError(str(error)) from None
    except WebhookError as error:
        fail(error)
    report = audited.report
    style = AuditStyle(Style(color=color, quiet=quiet, verbose=verbose), group_by or "reason")
    unwritten = write_audit(written, report, style)
    write_problems(report.problems)
    if quiet or not has_notes(written):
        for note in [*(() if quiet else report.notes), *unread_notes(report.unread)]:
            write_stderr(f"note: {note}")
    if report.is_incomplete:
        write_stderr("error: the audit is incomplete: some kinds that it judges could not be read")
    write_errors(unwritten)
    if (writer is not None and not write_reports(writer, audited, quiet=quiet)) or unwritten:
        sys.exit(EXIT_ERROR)
    sys.exit(EXIT_ERROR if report.is_incomplete else exit_status(report, fail_on, strict=strict))


def _refuse_contradictions(outputs: Sequence[Output], group_by: str | None) -> None:
    """Raises UsageMistake if an option would have no effect because of another option."""
    if group_by is not None and not any(output.form in GROUPED for output in outputs):
        raise UsageMistake(f"--group-by changes only the formats {' and '.join(GROUPED)}. Add one of them with -o.")


def _audited(
    effective: EffectiveSettings,
    scope: Scope,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
    *,
    quiet: bool,
) -> Audit:
    transport, _ = connected("audit", kubeconfig, context, quiet=quiet)
    progress = bar(quiet=quiet)
    progress.begin("judging")
    try:
        today = datetime.now(UTC).date().isoformat()
        return audit(
            Lister(transport, timeout), Settings(effective.policy, effective.release, today), scope, progress.judged
        )
    finally:
        transport.close()
        progress.clear()
