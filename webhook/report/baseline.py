"""
The baseline: known findings, which do not fail the check. This file does no I/O.

An entry is identified by a fingerprint without line numbers, so a finding that moves to another line stays known.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from posixpath import dirname

import msgspec
from msgspec.structs import replace

from webhook.policy.policy import Action
from webhook.report.exemptions import exempted_finding, with_objects
from webhook.report.fingerprint import Fingerprints, fingerprinted
from webhook.report.model import API_VERSION, ExemptionReport, FindingReport, ObjectReport, Report
from webhook.report.sentences import file_of, name_of
from webhook.yaml import writer

HEADER = """\
# Known findings. `migratable check` lists and counts them, and does not fail because of them.
# `migratable check --write-baseline` writes this file. Writing it again removes entries that are fixed.
"""
_MAX_NAMED = 10


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A known finding. Only ``fingerprint`` is compared, and the other fields are for readers."""

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


def of_report(report: Report, located: Callable[[str], str] = file_of) -> Baseline:
    """
    A baseline of all denied, warned and already known findings. The entries are sorted, for small diffs.

    If several files contain objects with the same name, fingerprints include the path that ``located`` returns for the file.
    """
    entries = [
        Entry(fingerprints.own, finding.rule, name_of(judged), _file(judged), finding.path, finding.message)
        for judged, finding, fingerprints in fingerprinted(report, located)
        if finding.action in (Action.DENY, Action.WARN) or is_known(finding)
    ]
    return Baseline(
        findings=sorted(entries, key=lambda entry: (entry.file, entry.object, entry.rule, entry.fingerprint))
    )


def render(baseline: Baseline, header: str = HEADER) -> str:
    """The text of the file."""
    return header + writer.dump(msgspec.to_builtins(baseline))


class _Known:
    """The entries of a baseline that no finding has used yet."""

    def __init__(self, baseline: Baseline) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entry in baseline.findings:
            self._entries.setdefault(entry.fingerprint, []).append(entry)
        self._plain: dict[tuple[str, str], list[Entry]] = {}
        """
        The entries by file and by fingerprint without its number. They are used if a fingerprint does not include the
        folder.
        """
        for entry in baseline.findings:
            self._plain.setdefault((entry.fingerprint.partition(":")[0], entry.file), []).append(entry)

    @property
    def left(self) -> list[Entry]:
        return [entry for entries in self._entries.values() for entry in entries]

    def use(self, fingerprints: Fingerprints, file: str) -> bool:
        """
        Whether the baseline has an unused entry for the finding. The method marks that entry as used.

        The fingerprint of an entry may contain no file or folder. If several files contain objects with this name, such an
        entry matches only findings in its own file.
        """
        places = (fingerprints.own, fingerprints.in_folder, fingerprints.in_file)
        for fingerprint in places:
            if entries := self._entries.get(fingerprint):
                entries.pop()
                return True
        if fingerprints.is_plain:
            return False
        for entry in self._plain.get((fingerprints.plain.partition(":")[0], file), ()):
            if entry in self._entries[entry.fingerprint]:
                self._entries[entry.fingerprint].remove(entry)
                return True
        return False


def exempt_known(
    report: Report, baseline: Baseline, source: str, located: Callable[[str], str] = file_of
) -> tuple[list[ObjectReport], list[Entry]]:
    """The objects, with known findings exempted, and the entries that no finding uses."""
    entries = _Known(baseline)
    exemption = ExemptionReport("known before the check was introduced", source, "", "baseline")
    findings: list[FindingReport] = []
    for judged, finding, fingerprints in fingerprinted(report, located):
        known = entries.use(fingerprints, _file(judged)) and finding.exemption is None
        findings.append(exempted_finding(finding, exemption) if known else finding)
    in_order = iter(findings)
    changed = [replace(judged, findings=list(islice(in_order, len(judged.findings)))) for judged in report.objects]
    return changed, entries.left


def exempt(
    report: Report,
    baseline: Baseline,
    source: str,
    read: Collection[str],
    located: Callable[[str], str] = file_of,
) -> Report:
    """
    The report, with known findings exempted. A note names fixed entries.

    An entry is fixed if no finding uses it, and its file was read or its object was judged in another file. If several folders
    contain an object with this name, the entry is fixed only if its file was read. ``read`` contains the names of the files
    that were read.
    """
    changed, left = exempt_known(report, baseline, source, located)
    folders: dict[str, set[str]] = {}
    for name, file in (
        *((name_of(judged), _file(judged)) for judged in report.objects),
        *((entry.object, entry.file) for entry in baseline.findings),
    ):
        folders.setdefault(name, set()).add(dirname(file))
    judged_names = {name_of(judged) for judged in report.objects}
    fixed = [
        entry
        for entry in left
        if entry.file in read or (entry.object in judged_names and len(folders[entry.object]) == 1)
    ]
    return with_objects(report, changed, fixed_notes(fixed, f"Run --write-baseline to remove them from {source}"))


def fixed_notes(fixed: Sequence[Entry], remedy: str) -> list[str]:
    """A note that names fixed entries. No note if there is none."""
    if not fixed:
        return []
    named = [
        f"{entry.rule} of {entry.object}{f' ({entry.file})' if entry.file else ''}" for entry in fixed[:_MAX_NAMED]
    ]
    if len(fixed) > _MAX_NAMED:
        named.append(f"{len(fixed) - _MAX_NAMED} more")
    are = "baseline entry is" if len(fixed) == 1 else "baseline entries are"
    return [f"{len(fixed)} {are} fixed: {', '.join(named)}. {remedy}"]


def is_known(finding: FindingReport) -> bool:
    """Whether the finding is in the baseline."""
    return finding.exemption is not None and finding.exemption.kind == "baseline"


def _file(judged: ObjectReport) -> str:
    return file_of(judged.source.file) if judged.source is not None else ""
