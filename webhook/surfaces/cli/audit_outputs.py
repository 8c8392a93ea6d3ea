"""The formats of the report of ``migratable audit``: those of ``check``, and those about a cluster."""

from collections.abc import Sequence
from typing import Final

import msgspec

from webhook.errors import BadInput
from webhook.manifests.sources import Sources
from webhook.report.audit_remarks import with_notes
from webhook.report.audited import Audit, AuditReport
from webhook.report.policy_entries import Terms
from webhook.surfaces.cli.options import FORMATS
from webhook.surfaces.cli.outputs import Output, Style, colour_for, rendered, text_width, write
from webhook.surfaces.cli.status import write_stderr

AUDIT_FORMATS: Final = ("summary", *FORMATS, "baseline", "exemptions", "prometheus")
"""The formats of an audit, the default first."""
GROUPED: Final = ("summary", "markdown")
"""The formats with groups."""
_COMPLETE: Final = ("json", "yaml", "text", "markdown")
"""Formats that have a place for everything in the report of an audit. Other formats have notes."""


class AuditStyle(msgspec.Struct, frozen=True):
    """The options that concern only the output of an audit."""

    check: Style
    group_by: str = "reason"
    terms: Terms = Terms("", "", "")
    """The terms of the format ``exemptions``."""
    fail_on: str = "deny"
    ended_at: float = 0.0
    """The time of the audit in seconds since 1970, for the format ``prometheus``."""


def write_audit(outputs: Sequence[Output], audited: Audit, style: AuditStyle) -> list[BadInput]:
    """Renders the audit in each requested format, and writes it. Returns an error for each file that cannot be written."""
    return [error for output in outputs for error in write((_rendered(output, audited, style),), output)]


def has_notes(outputs: Sequence[Output]) -> bool:
    """Whether the text on standard output contains the notes."""
    return any(output.form in ("summary", "text") and output.target is None for output in outputs)


def _rendered(output: Output, audited: Audit, style: AuditStyle) -> str:
    if output.form == "prometheus":
        from webhook.report import audit_metrics

        return audit_metrics.render_audit(audited, style.ended_at)
    report = audited.report
    if output.form == "summary":
        from webhook.report import groups

        colour = colour_for(style.check.color, output.target)
        return groups.render(report, by=style.group_by, colour=colour, width=text_width(), quiet=style.check.quiet)
    if output.form == "markdown":
        from webhook.report import markdown

        return markdown.render(report, by=style.group_by)
    if output.form == "baseline":
        from webhook.report import audit_baseline

        return audit_baseline.render(report)
    if output.form == "exemptions":
        return _exemptions(report, style)
    shown = report if output.form in _COMPLETE else with_notes(report)
    return rendered(output, shown, Sources(), style.check)


def _exemptions(report: AuditReport, style: AuditStyle) -> str:
    """Exemptions for the findings that would fail the audit."""
    from webhook.report import policy_entries

    text = policy_entries.render(report, style.terms, ("deny", "warn") if style.fail_on == "warn" else ("deny",))
    if note := policy_entries.size_note(text):
        write_stderr(f"note: {note}")
    return text
