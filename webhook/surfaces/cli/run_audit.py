"""Runs ``migratable audit`` with the options that ``audit`` has read."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from os import environ
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from msgspec.structs import replace

from webhook.audit.audit import audit
from webhook.audit.merging import merge, read_report
from webhook.audit.scope import Scope
from webhook.check.check import Settings
from webhook.cluster.pages import Lister
from webhook.errors import BadInput, WebhookError
from webhook.manifests.policy_file import read_policy
from webhook.report.audit_baseline import exempt, new_only
from webhook.report.audit_remarks import unread_notes
from webhook.report.audited import Audit, AuditReport
from webhook.report.policy_entries import Terms
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS, GROUPED, AuditStyle, has_notes, write_audit
from webhook.surfaces.cli.audit_reports import report_writer, write_reports
from webhook.surfaces.cli.configuration import LoadedConfig
from webhook.surfaces.cli.connecting import connected
from webhook.surfaces.cli.exemptions import add_expiry_notes, read_baseline
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

_SECONDS_OF_ONE_AUDIT: Final = 1800
"""The shards of one audit end within this time of each other."""


class AuditOptions(msgspec.Struct, frozen=True):
    """The options of ``migratable audit``."""

    namespaces: Sequence[str]
    all_namespaces: bool
    shard: str
    policy: str | None
    profile: str | None
    release: str | None
    outputs: Sequence[str]
    group_by: str | None
    baseline: Path | None
    since_baseline: bool
    owner: str | None
    until: str | None
    reason: str | None
    merge: Sequence[Path]
    files: Sequence[Path]
    fail_on: str
    strict: bool
    color: str
    quiet: bool
    verbose: bool
    reports: str
    writes_per_second: float
    kubeconfig: Path | None
    context: str | None
    timeout: float


def run(options: AuditOptions) -> NoReturn:
    """Audits a cluster or merges reports, and exits with the status. Raises UsageMistake for contradictory options."""
    written = outputs_of(options.outputs, AUDIT_FORMATS)
    _refuse_contradictions(options, written)
    today = datetime.now(UTC).date().isoformat()
    terms = _terms(options, written, today)
    try:
        flags = Flags(policy=options.policy, profile=options.profile, release=options.release)
        effective = combine(flags, LoadedConfig(), read_policy)
        scope = Scope(tuple(sorted(set(options.namespaces))), shard_from(options.shard, environ))
        if options.merge:
            audited = Audit(_merged([*options.merge, *options.files]), ())
            scope, writer = Scope(audited.report.namespaces), None
        else:
            writer = report_writer(options.reports, options.writes_per_second, options.kubeconfig, options.context)
            audited = _audited(effective, scope, options, today)
        if scope.shard.of == 1:  # notes about all objects are made once, when the reports are merged
            audited = replace(audited, report=add_expiry_notes(audited.report, effective.policy.exemptions, today))
        audited = _with_baseline(audited, options, scope)
    except WebhookError as error:
        fail(error)
    style = AuditStyle(
        Style(color=options.color, quiet=options.quiet, verbose=options.verbose),
        options.group_by or "reason",
        terms,
        options.fail_on,
        datetime.now(UTC).timestamp(),
    )
    shown = replace(audited, report=new_only(audited.report)) if options.since_baseline else audited
    status = _show(shown, written, style, options)
    if writer is not None and not write_reports(writer, audited, quiet=options.quiet):
        status = EXIT_ERROR
    sys.exit(status)


def _show(audited: Audit, written: Sequence[Output], style: AuditStyle, options: AuditOptions) -> int:
    """Writes the audit with its problems and notes. Returns the exit status."""
    report = audited.report
    unwritten = write_audit(written, audited, style)
    write_problems(report.problems)
    if options.quiet or not has_notes(written):
        for note in [*(() if options.quiet else report.notes), *unread_notes(report.unread)]:
            write_stderr(f"note: {note}")
    if report.is_incomplete:
        write_stderr("error: the audit is incomplete: some kinds that it judges could not be read")
    write_errors(unwritten)
    if unwritten or report.is_incomplete:
        return EXIT_ERROR
    return exit_status(report, options.fail_on, strict=options.strict)


def _refuse_contradictions(options: AuditOptions, outputs: Sequence[Output]) -> None:
    """Raises UsageMistake if an option would have no effect because of another option."""
    forms = {output.form for output in outputs}
    if options.namespaces and options.all_namespaces:
        raise UsageMistake("Write either --namespace or --all-namespaces.")
    if options.group_by is not None and forms.isdisjoint(GROUPED):
        raise UsageMistake(f"--group-by changes only the formats {' and '.join(GROUPED)}. Add one of them with -o.")
    if options.since_baseline and options.baseline is None:
        raise UsageMistake("--since-baseline needs --baseline FILE.")
    if options.since_baseline and "baseline" in forms:
        raise UsageMistake("-o baseline writes known findings too. Remove --since-baseline.")
    if options.baseline is not None and options.shard != "1/1":
        raise UsageMistake("--baseline needs the whole audit. Give it to the command with --merge.")
    if options.files and not options.merge:
        raise UsageMistake(f"Got unexpected extra argument ({options.files[0]}). Files follow --merge.")
    if options.merge and "prometheus" in forms:
        raise UsageMistake("-o prometheus needs the objects of a cluster. Add it to the audits of the shards.")
    if options.merge:
        _refuse_with_merge(options)


def _refuse_with_merge(options: AuditOptions) -> None:
    """Raises UsageMistake for options that choose the objects to read from a cluster."""
    reading = {
        "--namespace": options.namespaces,
        "--shard": options.shard != "1/1",
        "--profile": options.profile,
        "--release": options.release,
        "--kubeconfig": options.kubeconfig,
        "--context": options.context,
        "--reports": options.reports != "none",
    }
    for name, is_used in reading.items():
        if is_used:
            raise UsageMistake(f"--merge reads no cluster. Remove {name}: the reports were made with it.")


def _terms(options: AuditOptions, outputs: Sequence[Output], today: str) -> Terms:
    """The terms of exemptions. Raises UsageMistake if they are missing, invalid or not used."""
    given = {"--owner": options.owner, "--until": options.until, "--reason": options.reason}
    if all(output.form != "exemptions" for output in outputs):
        for name, value in given.items():
            if value is not None:
                raise UsageMistake(f"{name} is for exemptions. Add -o exemptions.")
        return Terms("", "", "")
    for name in ("--owner", "--until"):
        if not (given[name] or "").strip():
            raise UsageMistake(f"-o exemptions needs {name}: each exemption has an owner and a last day.")
    until = options.until or ""
    try:
        is_valid = date.fromisoformat(until).isoformat() == until
    except ValueError:
        is_valid = False
    if not is_valid:
        raise UsageMistake(f"--until {until}: not a date. Write YYYY-MM-DD.")
    if until < today:
        raise UsageMistake(f"--until {until}: the date is in the past.")
    return Terms((options.reason or "").strip() or "existed before the policy was enforced", options.owner or "", until)


def _with_baseline(audited: Audit, options: AuditOptions, scope: Scope) -> Audit:
    """The audit, with known findings exempted."""
    if options.baseline is None:
        return audited
    report = exempt(audited.report, read_baseline(options.baseline), str(options.baseline), scope.holds)
    pairs = zip(audited.objects, report.objects, strict=False)  # merged reports have no objects beside the report
    return Audit(report, tuple(replace(one, report=judged) for one, judged in pairs))


def _merged(paths: Sequence[Path]) -> AuditReport:
    """The report of all shards. Raises BadInput for a file that cannot be read or does not fit."""
    shards = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            remedy = "Name the reports of all shards after --merge."
            raise BadInput(f"cannot be read: {error.strerror}", remedy=remedy, source=str(path)) from None
        shards.append((str(path), read_report(content, str(path))))
    _warn_of_old_files(paths)
    return merge(shards)


def _warn_of_old_files(paths: Sequence[Path]) -> None:
    """Writes a note about each file of which a failed shard left the report of an earlier audit."""
    written = {path: path.stat().st_mtime for path in paths}
    newest = max(written.values())
    for path, seconds in written.items():
        if newest - seconds > _SECONDS_OF_ONE_AUDIT:
            minutes = int((newest - seconds) / 60)
            write_stderr(f"note: {path} is {minutes} minutes older than the newest file: it can be of an earlier audit")


def _audited(effective: EffectiveSettings, scope: Scope, options: AuditOptions, today: str) -> Audit:
    transport, _ = connected("audit", options.kubeconfig, options.context, quiet=options.quiet)
    progress = bar(quiet=options.quiet)
    progress.begin("judging")
    try:
        settings = Settings(effective.policy, effective.release, today)
        return audit(Lister(transport, options.timeout), settings, scope, progress.judged)
    finally:
        transport.close()
        progress.clear()
