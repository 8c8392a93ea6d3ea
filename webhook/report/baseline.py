"""
The baseline: findings that were there when the check was introduced, and do not fail it.

Entries are told apart by fingerprints without line numbers, so that moved lines change nothing. This file does no I/O.
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
_TOLD = 10


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known finding; only ``fingerprint`` is compared, the rest is for people."""

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
    """A baseline of what the answer denies or warns of, or had in its baseline before; sorted, so that it can be diffed."""
    entries = [
        Entry(print_, finding.rule, name_of(judged), _file(judged), finding.path, finding.message)
        for judged, finding, print_ in fingerprinted(report)
        if finding.action in (Action.DENY, Action.WARN) or _is_known(finding)
    ]
    return Baseline(findings=sorted(entries, key=lambda each: (each.file, each.object, each.rule, each.fingerprint)))


def render(baseline: Baseline) -> str:
    """The file's text."""
    return HEADER + writer.dump(msgspec.to_builtins(baseline))


def exempt(report: Report, baseline: Baseline, source: str, read: Collection[str]) -> Report:
    """
    The answer in which known findings are exempted; a note names entries that are gone.

    An entry is gone where its object was judged, or its file read, and it was not found. ``read`` are the files' names.
    """
    left = Counter(each.fingerprint for each in baseline.findings)
    by_object: dict[int, list[FindingReport]] = {}
    for judged, finding, print_ in fingerprinted(report):
        known = left[print_] > 0 and finding.exemption is None
        if left[print_] > 0:
            left[print_] -= 1
        exemption = ExemptionReport("known before the check was introduced", source, "", "baseline")
        by_object.setdefault(id(judged), []).append(exempted_finding(finding, exemption) if known else finding)
    changed = [replace(each, findings=by_object.get(id(each), [])) for each in report.objects]
    judged_names = {name_of(each) for each in report.objects}
    gone = [
        each
        for each in baseline.findings
        if left[each.fingerprint] > 0 and (each.object in judged_names or each.file in read)
    ]
    return with_objects(report, changed, _gone(gone, source))


def _gone(gone: Sequence[Entry], source: str) -> list[str]:
    if not gone:
        return []
    named = [f"{each.rule} of {each.object} ({each.file})" for each in gone[:_TOLD]]
    if len(gone) > _TOLD:
        named.append(f"{len(gone) - _TOLD} more")
    are = "baseline entry is" if len(gone) == 1 else "baseline entries are"
    return [f"{len(gone)} {are} fixed: {', '.join(named)}. Run --write-baseline to remove them from {source}"]


def _is_known(finding: FindingReport) -> bool:
    return finding.exemption is not None and finding.exemption.kind == "baseline"


def _file(judged: ObjectReport) -> str:
    return file_of(judged.source.file) if judged.source is not None else ""
