"""
The report: ``check -o json`` prints it, ``POST /v1/check`` returns it, and all other formats are rendered from it.

``apiVersion`` is the version of the report format. New versions of Migratable only add fields.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.policy.policy import Action

API_VERSION = "migratable/v1"
UNKNOWN_FIELD = "LM803"
"""The rule whose findings and fixes can contain a secret, because a misspelt ``userData`` is an unknown field."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the report. Every field is always present, except those that the dry-run API adds on request."""


class SourceReport(_Part, frozen=True):
    """The place of an object: file (``-`` for standard input), document number from 0, line from 1."""

    file: str
    document: int
    line: int
    rendered_from: str = ""
    """
    The kustomization or template that the object was rendered from. Empty for an object of a manifest.

    For a rendered object, line numbers refer to the rendered output.
    """


class StorageVerdictReport(_Part, frozen=True):
    """
    The condition StorageLiveMigratable, on which volume migration depends. ``status`` is null if it is unproven.

    ``reasons`` are those in the message of a condition that is False, whose own reason is ``NotMigratable``.
    """

    status: bool | None
    reason: str | None
    reasons: list[str]
    possible_reasons: list[str]


class VerdictReport(_Part, frozen=True):
    """
    KubeVirt's verdict in ``release``. ``liveMigratable`` is null if it is unproven.

    ``reason`` is null if an unproven reason comes before it in KubeVirt's order. ``possibleReasons`` then lists the candidates:
    KubeVirt sets the first one that applies. Otherwise the list is empty.
    """

    live_migratable: bool | None
    reason: str | None
    release: str
    migration_method: str
    unproven: list[str]
    assumptions: list[str]
    possible_reasons: list[str] = []
    storage_live_migratable: StorageVerdictReport | None = None
    """Null for a release without this condition (1.3 and earlier)."""


class ExemptionReport(_Part, frozen=True):
    """Why a finding is not enforced."""

    reason: str
    owner: str
    """The owner in the policy. For other exemptions, the file (and line) of the exemption."""
    until: str
    """The last day of the exemption (``YYYY-MM-DD``). The value is empty if the exemption does not expire."""
    kind: str = "policy"
    """``policy`` (also for a configuration file), ``comment`` or ``annotation`` in the manifest, or ``baseline``."""


class EditReport(_Part, frozen=True):
    """
    A change to the text: the deleted part and the text in its place. Lines and columns start at 1, columns count Unicode code
    points, and the end is exclusive.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class FixedObjectReport(_Part, frozen=True):
    """Another object of the same manifests, which a fix changes."""

    kind: str
    namespace: str
    name: str


class FixReport(_Part, frozen=True):
    """A change to the object that removes the finding."""

    title: str
    safe: bool
    """Whether the change is the only sensible one. Other fixes are options, and the user chooses one."""
    patch: list[dict[str, Any]]
    """A JSON Patch (RFC 6902) for the object. The patch tests each old value before it is changed."""
    object: FixedObjectReport | msgspec.UnsetType = msgspec.UNSET
    """The object that the patch changes, if it is not the object of the finding (``POST /v1/check?edits=true``)."""
    edit: EditReport | None | msgspec.UnsetType = msgspec.UNSET
    """
    The same change to the text of the manifest, only on request (``POST /v1/check?edits=true``). The value is null if the change
    cannot be written without other changes, or if the manifests are too large.
    """


class FindingReport(_Part, frozen=True):
    """The outcome of a rule at one place. Line and column start at 1, and are null if the text of the object is not available."""

    rule: str
    name: str
    basis: str
    outcome: str
    """``violation`` or ``undetermined``."""
    reason: str | None
    severity: str
    action: str
    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    releases: str
    message: str
    remedy: str
    exemption: ExemptionReport | None
    fixes: list[FixReport] = []
    release_list: tuple[str, ...] = ()
    """The releases in which the finding holds, such as ``1.3``. ``releases`` contains the same releases in words."""


class ReferenceReport(_Part, frozen=True):
    """A reference of the judged object, if several files contain different objects with the referenced name."""

    kind: str
    namespace: str
    name: str
    file: str | None
    """
    The file of the object in use, which is the nearest object. The value is null if different objects are equally near.
    """
    others: list[str]
    """
    Other files that contain an object with this name, at most 10. If ``file`` is null, these files contain different objects.
    """


class ReleaseVerdictReport(_Part, frozen=True):
    """The verdict of one release. ``liveMigratable`` is null if it is unproven."""

    release: str
    live_migratable: bool | None
    reason: str | None


class ComparisonReport(_Part, frozen=True):
    """The verdicts of all published releases, oldest first, and the same in words."""

    summary: str
    """For example ``KubeVirt can live-migrate it from 1.5 on``."""
    verdicts: list[ReleaseVerdictReport]


class ObjectReport(_Part, frozen=True):
    """A judged object."""

    api_version: str
    kind: str
    namespace: str
    name: str
    source: SourceReport | None
    verdict: VerdictReport | None
    findings: list[FindingReport]
    release: str = ""
    """The release that the object was judged for, in the same format as the report's ``release``."""
    references: list[ReferenceReport] = []
    comparison: ComparisonReport | msgspec.UnsetType = msgspec.UNSET
    """The verdicts of the published releases, only on request (``POST /v1/check?compare=true``)."""


class ProblemReport(_Part, frozen=True):
    """Unreadable input. All unreadable input is reported."""

    message: str
    remedy: str
    file: str
    document: int | None
    line: int | None
    column: int | None
    path: str


class SummaryReport(_Part, frozen=True):
    """Counts of findings by action. ``unproven`` counts undetermined findings without an exemption."""

    objects: int
    deny: int
    warn: int
    audit: int
    unproven: int
    exempted: int
    problems: int


class Report(_Part, frozen=True):
    """The whole report."""

    api_version: str
    profile: str
    release: str
    """``any`` or a release. If the objects have different KubeVirt CRs, there are several releases, such as ``1.8, 1.9``."""
    objects: Sequence[ObjectReport]
    """In the order of the input. Objects of a large check are in a temporary file, and each pass over them reads the file."""
    problems: list[ProblemReport]
    notes: list[str]
    summary: SummaryReport


Span: TypeAlias = tuple[int, int, int, int]
"""Start line and column, end line and column, from 1. The end is exclusive."""


def summarise(objects: Sequence[ObjectReport], problems: Sequence[ProblemReport]) -> SummaryReport:
    """The counts of a report. An exempted finding counts as exempted and as audit, not as unproven."""
    actions: dict[str, int] = dict.fromkeys(Action, 0)
    unproven = exempted = 0
    for judged in objects:
        for finding in judged.findings:
            actions[finding.action] += 1
            unproven += finding.outcome == "undetermined" and finding.exemption is None
            exempted += finding.exemption is not None
    return SummaryReport(
        len(objects),
        actions[Action.DENY],
        actions[Action.WARN],
        actions[Action.AUDIT],
        unproven,
        exempted,
        len(problems),
    )


def reason_phrase(verdict: VerdictReport) -> str:
    """The reason for a refusal, or the last possible reason if an earlier reason is unproven."""
    if verdict.reason is not None:
        return verdict.reason
    return f"{verdict.possible_reasons[-1]} or an earlier reason"
