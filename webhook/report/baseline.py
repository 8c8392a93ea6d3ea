"""
The baseline: known findings, which do not fail the check. This file does no I/O.

An entry is identified by a fingerprint without line numbers, so a moved finding stays known.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from webhook.policy.policy import Action
from webhook.report.exemptions import exempted_finding, with_objects
from webhook.report.fingerprint import fingerprinted
from webhook.report.model import API_VERSION, ExemptionReport, FindingReport, ObjectReport, Report
from webhook.report.sentences import file_of, name_of
from webhook.yaml import writer

HEADER = """\
# Known findings. `migratable check` lists and counts them, and does not fail because of them.
# `migratable check --write-baseline` writes this file. Writing it again removes entries that are fixed.
"""
_MAX_NAMED = 10


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A known finding. Only ``fingerprint`` is compared; the other fields are for readers."""

    fingerprint: str
    rule: str
    object: str
    file: str
    path: str
    message: str


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole file."""

    api_version: str = API_VERSION
    kind: str = "Baseline"
    findings: list[Entry] = []


def of_report(report: Report) -> Baseline:
    """A baseline of all denied, warned and already known findings. The entries are sorted, for small diffs."""
    entries = [
        Entry(fingerprint, finding.rule, name_of(judged), _file(judged), finding.path, finding.message)
        for judged, finding, fingerprint in fingerprinted(report)
        if finding.action in (Action.DENY, Action.WARN) or _is_known(finding)
    ]
    return Baseline(
        findings=sorted(entries, key=lambda entry: (entry.file, entry.object, entry.rule, entry.fingerprint))
    )


def render(baseline: Baseline) -> str:
    """The text of the file."""
    return HEADER + writer.dump(msgspec.to_builtins(baseline))


def exempt(report: Report, baseline: Baseline, source: str, read: Collection[str]) -> Report:
    """
    The report in which known findings are exempted. A note names fixed entries.

    An entry is fixed if its object was judged or its file was read, and the finding is absent. ``read`` has file names.
    """
    left = Counter(entry.fingerprint for entry in baseline.findings)
    by_object: dict[int, list[FindingReport]] = {}
    for judged, finding, fingerprint in fingerprinted(report):
        known = left[fingerprint] > 0 and finding.exemption is None
        if left[fingerprint] > 0:
            left[fingerprint] -= 1
        exemption = ExemptionReport("known before the check was introduced", source, "", "baseline")
        by_object.setdefault(id(judged), []).append(exempted_finding(finding, exemption) if known else finding)
    changed = [replace(judged, findings=by_object.get(id(judged), [])) for judged in report.objects]
    judged_names = {name_of(judged) for judged in report.objects}
    fixed = [
        entry
        for entry in baseline.findings
        if left[entry.fingerprint] > 0 and (entry.object in judged_names or entry.file in read)
    ]
    return with_objects(report, changed, _notes(fixed, source))


def _notes(fixed: Sequence[Entry], source: str) -> list[str]:
    if not fixed:
        return []
    named = [f"{entry.rule} of {entry.object} ({entry.file})" for entry in fixed[:_MAX_NAMED]]
    if len(fixed) > _MAX_NAMED:
        named.append(f"{len(fixed) - _MAX_NAMED} more")
    are = "baseline entry is" if len(fixed) == 1 else "baseline entries are"
    return [f"{len(fixed)} {are} fixed: {', '.join(named)}. Run --write-baseline to remove them from {source}"]


def _is_known(finding: FindingReport) -> bool:
    return finding.exemption is not None and finding.exemption.kind == "baseline"


def _file(judged: ObjectReport) -> str:
    return file_of(judged.source.file) if judged.source is not None else ""
