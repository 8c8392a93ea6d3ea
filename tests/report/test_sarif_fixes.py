"""Fixes in SARIF equal the changes of ``--fix``."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml
from msgspec.structs import replace

from tests.report.reports import FILE
from tests.report.test_sarif import standard
from tests.surfaces.cli.test_fix import MISSPELT, SPELT, fixable, fixed
from webhook.check.check import Settings, check
from webhook.manifests import replacements as replacing
from webhook.manifests.objects import read_manifests
from webhook.manifests.replacements import FixReplacer, replacement
from webhook.report import sarif
from webhook.report.model import ExemptionReport, Report

__all__ = ["standard"]

WRONG = MISSPELT.replace("Kubevirt", "KubeVirt")
SHORT = (
    "\ufeff  # é\r\n"
    + """\
{kind: KubeVirt, apiVersion: kubevirt.io/v1, metadata: {name: é😀}, spec: {configuration: {migrations: {allowPostCopy: "false"}}}}
""".replace("\n", "\r\n")
)


def checked(text: str, world: Any = ()) -> Report:
    background = [manifest for obj in world for manifest in read_manifests(json.dumps(obj).encode(), "w").objects]
    return check([read_manifests(text.encode(), FILE)], Settings(release="any"), background)


def log_of(text: str, report: Report) -> dict[str, Any]:
    return sarif.log(report, version="1.2.3", rules=(), replacer=FixReplacer({FILE: text.encode()}))


def fixes_in(log: dict[str, Any]) -> list[dict[str, Any]]:
    return [fix for result in log["runs"][0]["results"] for fix in result.get("fixes", [])]


def applied(text: str, log: dict[str, Any]) -> str:
    """Applies the first fix of each result, last place first, as an editor does. Equal places are one change."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    changes = {
        tuple(replacement["deletedRegion"].values()): replacement["insertedContent"]["text"]
        for fix in fixes_in(log)
        for change in fix["artifactChanges"]
        for replacement in change["replacements"]
    }
    for (line, column, end_line, end_column), new in sorted(changes.items(), reverse=True):
        lines[line - 1 : end_line] = [lines[line - 1][: column - 1] + new + lines[end_line - 1][end_column - 1 :]]
    whole = "\n".join(lines).replace("\n", "\r\n" if "\r\n" in text else "\n")
    return ("\ufeff" if text.startswith("\ufeff") else "") + whole


@pytest.mark.parametrize("form", ["block", "flow", "json"])
def test_replacements_equal_the_changes_of_fix(form: str, standard: jsonschema_rs.Draft4Validator) -> None:
    """
    For each rule example with fixes, the log is valid and its replacements give the same text as ``--fix``.
    """
    changed = 0
    for manifest, world, rule in (item.values for item in fixable()):
        dumped = yaml.safe_dump(manifest, default_flow_style=form == "flow", sort_keys=False, width=10_000)
        text = json.dumps(manifest, indent=1) if form == "json" else f"# {rule}\n{dumped}"
        report = checked(text, world)
        safe = [fix for judged in report.objects for finding in judged.findings for fix in finding.fixes if fix.safe]

        log = log_of(text, report)

        assert len(fixes_in(log)) == len(safe)
        assert applied(text, log) == fixed(text, world, {})[1]
        if safe:
            standard.validate(log)
            changed += 1
    assert changed > 10


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (WRONG, SPELT),
        (WRONG.replace("\n", "\r\n"), SPELT.replace("\n", "\r\n")),
        (f"a: 1\n---\n{WRONG}---\nb: 2", f"a: 1\n---\n{SPELT}---\nb: 2"),
        (SHORT, SHORT.replace('"false"', "false")),
    ],
    ids=["plain", "CRLF", "in a stream", "in one line, behind letters, with a byte order mark"],
)
def test_columns_count_characters(text: str, wanted: str) -> None:
    """
    Lines end as in the file, columns count characters, and a byte order mark does not count.
    """
    log = log_of(text, checked(text))

    assert applied(text, log) == wanted != text


def test_a_fix_says_what_it_writes_and_replaces_whole_words() -> None:
    """
    An editor shows the title, and the old and the new word.
    """
    log = log_of(WRONG, checked(WRONG))

    assert [fix["description"]["text"] for fix in fixes_in(log)] == [
        "remove the quotes",
        "write completionTimeoutPerGiB instead of 'completionTimeoutPerGib'",
    ]
    (change,) = fixes_in(log)[0]["artifactChanges"]
    assert change == {
        "artifactLocation": {"uri": FILE, "uriBaseId": "%SRCROOT%"},
        "replacements": [
            {
                "deletedRegion": {"startLine": 9, "startColumn": 22, "endLine": 9, "endColumn": 29},
                "insertedContent": {"text": "false"},
            }
        ],
    }


def test_exempted_findings_and_missing_texts_have_no_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A fix is also left out if the file is too large to try it in time.
    """
    report = checked(WRONG)
    exempt = [
        replace(
            judged,
            findings=[
                replace(finding, exemption=ExemptionReport("it is so", "platform", "")) for finding in judged.findings
            ],
        )
        for judged in report.objects
    ]
    unread = sarif.log(report, version="1.2.3", replacer=FixReplacer({}))

    assert fixes_in(log_of(WRONG, replace(report, objects=exempt))) == []
    assert fixes_in(unread) == []
    monkeypatch.setattr(replacing, "MOST_READ", 2 * len(MISSPELT))
    assert len(fixes_in(log_of(WRONG, report))) == 2


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("a: b\n", "a: b\n", None),
        ("a: Kubevirt\n", "a: KubeVirt\n", ((1, 4, 1, 12), "KubeVirt")),
        ("a: b\n", "a: b\nc: d\n", ((2, 1, 2, 1), "c: d\n")),
        ("a: b\nc: d\n", "a: b\n", ((2, 1, 3, 1), "")),
        ('a: "1"', "a: 1", ((1, 4, 1, 7), "1")),
        ("", "a", ((1, 1, 1, 1), "a")),
        ("aa aa", "aa aa aa", ((1, 4, 1, 6), "aa aa")),
    ],
)
def test_a_replacement_covers_only_the_words_that_differ(before: str, after: str, wanted: Any) -> None:
    """
    The replacement is as small as possible, but never part of a word.
    """
    change = replacement(before, after)

    assert (None if change is None else (change.span, change.text)) == wanted
