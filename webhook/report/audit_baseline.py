"""The baseline of an audit: known findings about the objects of a cluster, which do not fail the audit."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from webhook.report import baseline as baselines
from webhook.report.audited import AuditReport
from webhook.report.baseline import Baseline, Entry, is_known
from webhook.report.exemptions import with_objects
from webhook.report.sentences import name_of

HEADER: Final = """\
# Known findings. `migratable audit --baseline FILE` counts them, and does not fail because of them.
# `migratable audit --baseline FILE -o baseline=FILE` writes this file again without entries that are fixed.
"""


def render(report: AuditReport) -> str:
    """The text of a baseline with all denied, warned and already known findings."""
    return baselines.render(baselines.of_report(report), HEADER)


def exempt(report: AuditReport, baseline: Baseline, source: str, holds: Callable[[str], bool]) -> AuditReport:
    """
    The report, with known findings exempted. A note names entries that are fixed: their objects were mended or deleted.

    ``holds`` returns whether the audit contains a namespace (``''`` for cluster-scoped objects). No entry is fixed if some
    objects could not be listed, or if another finding of the rule about the object is unproven.
    """
    changed, left = baselines.exempt_known(report, baseline, source)
    open_findings = {
        (name_of(judged), finding.rule)
        for judged in changed
        for finding in judged.findings
        if finding.outcome == "undetermined"
    }
    fixed = [
        entry
        for entry in left
        if not report.is_incomplete and holds(_namespace_of(entry)) and (entry.object, entry.rule) not in open_findings
    ]
    remedy = f"Write {source} again with -o baseline={source} to remove them"
    return with_objects(report, changed, baselines.fixed_notes(fixed, remedy))


def new_only(report: AuditReport) -> AuditReport:
    """The report without known findings. All objects stay in the report, with their verdicts."""
    return with_objects(
        report,
        [
            replace(judged, findings=[finding for finding in judged.findings if not is_known(finding)])
            for judged in report.objects
        ],
    )


def _namespace_of(entry: Entry) -> str:
    """The namespace in ``VirtualMachine tenant/web``. Empty for a cluster-scoped object."""
    namespace, separator, _ = entry.object.rpartition(" ")[2].partition("/")
    return namespace if separator else ""
