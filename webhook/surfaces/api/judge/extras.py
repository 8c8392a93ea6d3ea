"""Parts of a report that only the dry-run API adds: fixes as changes to the text, and the verdicts of all releases."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from webhook.kubevirt.releases import PUBLISHED, release_names, releases_named, releases_phrase
from webhook.manifests.objects import ManifestObject
from webhook.manifests.replacements import FixReplacer
from webhook.report.model import (
    ComparisonReport,
    EditReport,
    FindingReport,
    FixReport,
    ObjectReport,
    ReleaseVerdictReport,
    Report,
)
from webhook.surfaces.api.judge.claim_fixes import ClaimFixes

MOST_COMPARED: Final = 256 << 10
"""Maximum number of bytes of manifests that are judged for all releases, because each release takes as long as the check."""

MOST_READ: Final = 1 << 20
"""
Maximum number of bytes that are read to write fixes into one report. Each fix reads the manifests again, which takes about 2 ms
per KiB. Fixes beyond this limit have no edit.
"""

_Key: TypeAlias = tuple[int, int, str, str, str]


def with_edits(report: Report, content: bytes, objects: Sequence[ManifestObject]) -> Report:
    """
    The report whose fixes also contain the change to ``content``, as far as ``MOST_READ`` allows. Adds fixes of claims that are
    among ``objects``, which are the objects of ``content``.
    """
    replacer, claims = FixReplacer({"-": content}, MOST_READ), ClaimFixes(objects)

    def edited(judged: ObjectReport, fix: FixReport) -> FixReport:
        change = replacer(judged, fix)
        return replace(fix, edit=EditReport(*change.span, change.text) if change is not None else None)

    def with_fixes(judged: ObjectReport, finding: FindingReport) -> FindingReport:
        fixes = [edited(judged, fix) for fix in finding.fixes]
        if (of_claim := claims.fix_for(judged, finding)) is not None:
            fixes.append(edited(*of_claim))
        return replace(finding, fixes=fixes) if fixes else finding

    judged_objects = [
        replace(judged, findings=[with_fixes(judged, finding) for finding in judged.findings])
        for judged in report.objects
    ]
    return replace(report, objects=judged_objects)


def compared(report: Report, judged_for: Callable[[str], Report]) -> Report:
    """The report whose objects also have the verdict of each published release. ``judged_for`` is the report for one release."""
    verdicts: dict[_Key, list[ReleaseVerdictReport]] = {}
    for release in release_names(PUBLISHED):
        for judged in judged_for(release).objects:
            if judged.verdict is not None:
                verdict = ReleaseVerdictReport(release, judged.verdict.live_migratable, judged.verdict.reason)
                verdicts.setdefault(_key(judged), []).append(verdict)
    return replace(report, objects=[_compared(judged, verdicts.get(_key(judged), [])) for judged in report.objects])


def _key(judged: ObjectReport) -> _Key:
    document, line = (judged.source.document, judged.source.line) if judged.source is not None else (-1, -1)
    return document, line, judged.kind, judged.namespace, judged.name


def _compared(judged: ObjectReport, verdicts: list[ReleaseVerdictReport]) -> ObjectReport:
    if judged.verdict is None or not verdicts:
        return replace(judged, comparison=UNSET)
    return replace(judged, comparison=ComparisonReport(summary_of(verdicts), verdicts))


def summary_of(verdicts: Iterable[ReleaseVerdictReport]) -> str:
    """The verdicts as a sentence, such as ``KubeVirt can live-migrate it from 1.5 on``."""
    by_answer: dict[bool | None, tuple[str, ...]] = {True: (), False: (), None: ()}
    for verdict in verdicts:
        by_answer[verdict.live_migratable] = (*by_answer[verdict.live_migratable], verdict.release)
    yes, no, unproven = (releases_named(by_answer[answer]) for answer in (True, False, None))
    if not yes and not no:
        return "Unproven in every release"
    parts = [f"KubeVirt can live-migrate it {releases_phrase(yes, PUBLISHED)}"]
    if not yes and unproven:
        parts = [f"KubeVirt cannot live-migrate it {releases_phrase(no, PUBLISHED)}"]
    if unproven:
        parts.append(f"unproven {releases_phrase(unproven, PUBLISHED)}")
    return ", ".join(parts)
