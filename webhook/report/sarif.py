"""
The answer as SARIF 2.1.0 (OASIS standard, errata 01), for code scanning and editors.

Undetermined findings are ``kind: fail`` with level ``note``, not ``kind: open``: the standard then demands level ``none``,
and viewers that know levels only would show nothing, so what nobody could find out would look fine.
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
    """A change of a file's text."""

    span: Span
    """What goes; start and end are one where something only comes."""
    text: str
    """What comes instead."""


Replacer: TypeAlias = Callable[[ObjectReport, FixReport], Replacement | None]
"""How a fix changes the file that the object is from; None where it cannot be written there."""


def no_text(_judged: ObjectReport, _fix: FixReport) -> None:
    """The replacer of those who have no texts."""


SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "migratable/v1"
"""
Key of our fingerprint: rule, object and path without list indices, so that moved lines and inserted items change nothing.

``primaryLocationLineHash`` is left to the uploader: GitHub's own action computes it and warns of foreign values.
"""
_ROOT = "%SRCROOT%"
_LEVELS: Mapping[str, str] = {Action.DENY: "error", Action.WARN: "warning", Action.AUDIT: "note"}
_SEVERITY = {"error": "error", "warning": "warning", "info": "recommendation"}
_UNREADABLE = "unreadable-input"
_NOTE = "note"


def render(report: Report, *, version: str, rules: Sequence[Rule] = RULES, replacer: Replacer = no_text) -> str:
    """
    The report as an indented SARIF log; every one of ``rules`` is described, whether or not it fired.

    Safe fixes of findings that nobody exempted are in it, where ``replacer`` can write them.
    """
    made = log(report, version=version, rules=rules, replacer=replacer)
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"


def log(report: Report, *, version: str, rules: Sequence[Rule] = RULES, replacer: Replacer = no_text) -> Json:
    """The SARIF log as plain values: one run."""
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
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that the check ran in."}}},
                "invocations": [_invocation(report)],
                "results": list(_results(report, rules, replacer)),
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


def _results(report: Report, rules: Sequence[Rule], replacer: Replacer) -> Iterator[Json]:
    at = {rule.id: index for index, rule in enumerate(rules)}
    suppressing = any(finding.exemption is not None for each in report.objects for finding in each.findings)
    for judged, finding, fingerprint in fingerprinted(report):
        result: Json = {
            "ruleId": finding.rule,
            **({"ruleIndex": at[finding.rule]} if finding.rule in at else {}),
            "kind": "fail",
            "level": _level(finding),
            "message": {"text": message(finding)},
            "locations": [_location(judged, finding)],
            "partialFingerprints": {FINGERPRINT: fingerprint},
            "properties": {
                "action": finding.action,
                "basis": finding.basis,
                "outcome": finding.outcome,
                "reason": finding.reason,
                "releases": finding.releases,
            },
        }
        if suppressing:  # the standard wants it on all results of a run, or on none
            result["suppressions"] = _suppressions(finding)
        if fixes := list(_fixes(judged, finding, replacer)):
            result["fixes"] = fixes
        yield result


def _level(finding: FindingReport) -> str:
    if finding.outcome == "undetermined" and finding.action != Action.DENY:
        return "note"
    return _LEVELS.get(finding.action, "none")


def _fixes(judged: ObjectReport, finding: FindingReport, replacer: Replacer) -> Iterator[Json]:
    """The safe ones; the others are for ``--options``, which shows what each would change."""
    if judged.source is None or judged.source.file == "-" or finding.exemption is not None:
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
    by_comment = finding.exemption.kind == "comment"
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
        location["physicalLocation"] = {
            "artifactLocation": _artifact(judged.source.file),
            "region": region or {"startLine": max(judged.source.line, 1)},
        }
    return location


def _region(line: int | None, column: int | None, end_line: int | None, end_column: int | None) -> Json:
    """The place from line and column to the column behind its end; empty where there is no line."""
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
    """A file below the folder that the check ran in; absolute paths as ``file:``, standard input by that name."""
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


def _invocation(report: Report) -> Json:
    told = [_problem(each) for each in report.problems] + [
        {"descriptor": {"id": _NOTE, "index": 1}, "level": "note", "message": {"text": note}} for note in report.notes
    ]
    return {"executionSuccessful": not report.problems, "toolExecutionNotifications": told}


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
