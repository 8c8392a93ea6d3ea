"""
The report as SARIF 2.1.0 (OASIS standard, errata 01), for code scanning and editors.

An undetermined finding is ``kind: fail`` with level ``note``. With ``kind: open``, the standard requires level ``none``. Many
viewers hide this level, so an unproven result would look like success.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.policy.policy import Action, Profile
from webhook.report import explain, pages
from webhook.report.fingerprint import fingerprinted
from webhook.report.model import FindingReport, FixReport, ObjectReport, ProblemReport, Report, Span
from webhook.report.sentences import exempted, message, problem_message
from webhook.rules.register import RULES
from webhook.rules.rule import FAMILIES, Rule

Json: TypeAlias = dict[str, Any]


class Replacement(msgspec.Struct, frozen=True):
    """A change to the text of a file."""

    span: Span
    """The deleted part. For an insertion, the start equals the end."""
    text: str
    """The inserted text."""


Replacer: TypeAlias = Callable[[ObjectReport, FixReport], Replacement | None]
"""Returns the change to the file for a fix, or None if the fix cannot be written to the file."""


def no_text(_judged: ObjectReport, _fix: FixReport) -> None:
    """The replacer for objects without text."""


SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "migratable/v1"
"""
The key of the fingerprint (see ``fingerprint``).

``primaryLocationLineHash`` is absent on purpose: GitHub's upload action computes it, and warns of other values.
"""
MAX_RESULTS = 25_000
"""GitHub rejects a file with more results in a run (docs.github.com, "SARIF results exceed one or more limits")."""
_ROOT = "%SRCROOT%"
_LEVELS: Mapping[str, str] = {Action.DENY: "error", Action.WARN: "warning", Action.AUDIT: "note"}
_RANK = {"error": 0, "warning": 1, "note": 2, "none": 3}
_SEVERITY = {"error": "error", "warning": "warning", "info": "recommendation"}
_UNREADABLE = "unreadable-input"
_NOTE = "note"


def render(
    report: Report,
    *,
    version: str,
    rules: Sequence[Rule] = RULES,
    replacer: Replacer = no_text,
    omit_exempted: bool = False,
) -> str:
    """
    The report as an indented SARIF log, with a description of each of ``rules``.

    For findings without an exemption, the log contains the safe fixes that ``replacer`` can write. With ``omit_exempted``, the
    log contains no exempted findings. GitHub does not support suppressions, and shows exempted findings as open alerts.
    """
    document = log(report, version=version, rules=rules, replacer=replacer, omit_exempted=omit_exempted)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def cut_note(report: Report, *, omit_exempted: bool = False) -> str:
    """A note that the log does not contain all findings. The note is empty if the log contains all findings."""
    total = sum(
        finding.exemption is None or not omit_exempted for judged in report.objects for finding in judged.findings
    )
    if total <= MAX_RESULTS:
        return ""
    shown = f"SARIF contains only the {MAX_RESULTS} most severe of {total} findings"
    return f"{shown}, because GitHub rejects a file with more results"


def log(
    report: Report,
    *,
    version: str,
    rules: Sequence[Rule] = RULES,
    replacer: Replacer = no_text,
    omit_exempted: bool = False,
) -> Json:
    """The SARIF log as plain values, with one run."""
    cut = cut_note(report, omit_exempted=omit_exempted)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "migratable",
                        "fullName": f"Migratable {version}",
                        "version": version,
                        "rules": [_descriptor(rule) for rule in rules],
                        "notifications": [
                            {
                                "id": _UNREADABLE,
                                "shortDescription": {"text": "A part of the input could not be read."},
                                "defaultConfiguration": {"level": "error"},
                            },
                            {
                                "id": _NOTE,
                                "shortDescription": {"text": "A note about the whole run."},
                                "defaultConfiguration": {"level": "note"},
                            },
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that paths are relative to."}}},
                "invocations": [_invocation(report, [*report.notes, *([cut] if cut else [])])],
                "results": list(_results(report, rules, replacer, omit_exempted)),
                "properties": {"profile": report.profile, "release": report.release},
            }
        ],
    }


def _descriptor(rule: Rule) -> Json:
    level = "error" if explain.in_profile(rule, Profile.STRICT) == explain.DONE[Action.DENY] else "warning"
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.rationale}"},
        "help": {"text": explain.explain(rule), "markdown": pages.body(rule)},
        "helpUri": rule.reference,
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["kubevirt", "live-migration", FAMILIES.get(rule.id[2:3], "other")]
            + (["fixed-list"] if rule.baseline else []),
            "precision": "very-high",
            "problem.severity": _SEVERITY[rule.severity],
        },
    }


def _results(report: Report, rules: Sequence[Rule], replacer: Replacer, omit_exempted: bool) -> Iterator[Json]:
    at = {rule.id: index for index, rule in enumerate(rules)}
    results = [item for item in fingerprinted(report) if item[1].exemption is None or not omit_exempted]
    if len(results) > MAX_RESULTS:
        results = sorted(results, key=lambda item: _RANK[_level(item[1])])[:MAX_RESULTS]
    suppressing = any(finding.exemption is not None for _, finding, _ in results)
    for judged, finding, fingerprints in results:
        result: Json = {
            "ruleId": finding.rule,
            **({"ruleIndex": at[finding.rule]} if finding.rule in at else {}),
            "kind": "fail",
            "level": _level(finding),
            "message": {"text": message(finding)},
            "locations": [_location(judged, finding)],
            "partialFingerprints": {FINGERPRINT: fingerprints.own},
            "properties": {
                "action": finding.action,
                "basis": finding.basis,
                "outcome": finding.outcome,
                "reason": finding.reason,
                "releases": finding.releases,
            },
        }
        if suppressing:  # the standard requires suppressions either on all results of a run or on none
            result["suppressions"] = _suppressions(finding)
        if fixes := list(_fixes(judged, finding, replacer)):
            result["fixes"] = fixes
        yield result


def _level(finding: FindingReport) -> str:
    if finding.outcome == "undetermined" and finding.action != Action.DENY:
        return "note"
    return _LEVELS.get(finding.action, "none")


def _fixes(judged: ObjectReport, finding: FindingReport, replacer: Replacer) -> Iterator[Json]:
    """The safe fixes. ``--options`` shows the other fixes."""
    if (
        judged.source is None
        or judged.source.file == "-"
        or judged.source.rendered_from
        or finding.exemption is not None
    ):
        return
    for fix in finding.fixes:
        changed = replacer(judged, fix) if fix.safe else None
        if changed is not None:
            line, column, end_line, end_column = changed.span
            region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
            replacement = {"deletedRegion": region, "insertedContent": {"text": changed.text}}
            change = {"artifactLocation": _artifact(judged.source.file), "replacements": [replacement]}
            yield {"description": {"text": fix.title}, "artifactChanges": [change]}


def _suppressions(finding: FindingReport) -> list[Json]:
    if finding.exemption is None:
        return []
    by_comment = finding.exemption.kind in ("comment", "annotation")
    return [
        {
            "kind": "inSource" if by_comment else "external",
            "status": "accepted",
            "justification": exempted(finding),
        }
    ]


def _location(judged: ObjectReport, finding: FindingReport) -> Json:
    name = "/".join(part for part in (judged.namespace, judged.name) if part)
    whole = f"{judged.api_version}/{judged.kind}/{name}"
    logical: list[Json] = [{"name": judged.name or judged.kind, "fullyQualifiedName": whole, "kind": "object"}]
    if finding.path:
        logical.insert(0, {"name": finding.path, "fullyQualifiedName": f"{whole}:{finding.path}", "kind": "property"})
    location: Json = {"logicalLocations": logical}
    if judged.source is not None:
        region = _region(finding.line, finding.column, finding.end_line, finding.end_column)
        if judged.source.rendered_from and finding.line is None:  # GitHub requires a line
            region = {"startLine": 1}
        location["physicalLocation"] = {
            "artifactLocation": _artifact(judged.source.file),
            "region": region or {"startLine": max(judged.source.line, 1)},
        }
    return location


def _region(line: int | None, column: int | None, end_line: int | None, end_column: int | None) -> Json:
    """A SARIF region, which is empty without a line."""
    if line is None:
        return {}
    region: Json = {"startLine": line}
    if column is not None:
        region["startColumn"] = column
    if end_line is not None and end_line > line and end_column == 1:
        return region | {"endLine": end_line - 1}
    if end_line is not None and end_column is not None:
        region |= {"endLine": end_line, "endColumn": end_column}
    return region


def _artifact(file: str) -> Json:
    """The location of a file: relative to the working folder, ``file:`` for an absolute path, or ``stdin``."""
    if file in ("", "-"):
        return {"uri": "stdin"}
    if file.startswith("/"):
        return {"uri": f"file://{_quoted(file)}"}
    return {"uri": _quoted(file.removeprefix("./")), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    """Percent-encodes all but unreserved characters and slashes (RFC 3986)."""
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "-._~/") else f"%{byte:02X}"
        for byte in path.encode(errors="replace")
    )


def _invocation(report: Report, notes: Sequence[str]) -> Json:
    notifications = [_problem(problem) for problem in report.problems] + [
        {"descriptor": {"id": _NOTE, "index": 1}, "level": "note", "message": {"text": note}} for note in notes
    ]
    return {"executionSuccessful": not report.problems, "toolExecutionNotifications": notifications}


def _problem(problem: ProblemReport) -> Json:
    notification: Json = {
        "descriptor": {"id": _UNREADABLE, "index": 0},
        "level": "error",
        "message": {"text": problem_message(problem)},
    }
    if problem.file:
        place: Json = {"artifactLocation": _artifact(problem.file)}
        if region := _region(problem.line, problem.column, None, None):
            place["region"] = region
        notification["locations"] = [{"physicalLocation": place}]
    return notification
