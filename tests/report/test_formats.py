"""All machine formats except SARIF: each is validated by its schema or read by its own reader."""

import json
import re
import xml.etree.ElementTree as Xml
from collections import Counter
from collections.abc import Callable

import jsonschema_rs
import msgspec
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace
from tap.parser import Parser

from tests.report.answers import ANSWERS, NASTY, SCHEMAS, of_all_examples
from tests.report.reports import EXEMPTED, NOT_SHARED, NOT_SHOWN, SMALL, SOURCES, as_text, report, vm
from tests.snapshots.snapshot import snapshot
from webhook.report import (
    as_json,
    as_yaml,
    checkstyle,
    concise,
    github,
    gitlab,
    junit,
    markdown,
    openreports,
    rdjson,
    sarif,
    tap,
)
from webhook.report.audited import AuditReport
from webhook.report.grouping import grouped
from webhook.report.model import Report
from webhook.yaml import writer
from webhook.yaml.document import read_documents

RENDERERS: dict[str, Callable[[Report], str]] = {
    "yaml": as_yaml.render,
    "xml": junit.render,
    "checkstyle.xml": checkstyle.render,
    "rdjson.json": lambda answer: rdjson.render(answer, SOURCES),
    "concise.txt": concise.render,
    "github.txt": github.render,
    "gitlab.json": gitlab.render,
    "tap": tap.render,
    "md": markdown.render,
    "openreports.yaml": openreports.render,
}
EVERY = RENDERERS | {
    "json": as_json.render,
    "text": as_text,
    "sarif": lambda answer: sarif.render(answer, version="1.2.3"),
}
COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")
"""As the Actions runner reads it: properties end at the first ``::``, values are separated by commas."""


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
"""The reader refuses NUL, as API servers do, and half characters are no text."""


def schema(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads((SCHEMAS / name).read_text(encoding="utf-8")))


def commands(answer: str) -> list[tuple[str, dict[str, str], str]]:
    parsed = []
    for line in answer.split("\n")[:-1]:
        read = COMMAND.fullmatch(line)
        assert read is not None, line
        pairs = [part.split("=", 1) for part in (read[2] or "").split(",") if part]
        parsed.append((read[1], {key: unescaped(value) for key, value in pairs}, unescaped(read[3])))
    return parsed


def unescaped(value: str) -> str:
    for written, meant in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(written, meant)
    return value


@pytest.fixture(params=[*ANSWERS, "all examples"])
def answer(request: pytest.FixtureRequest) -> Report:
    return of_all_examples() if request.param == "all examples" else ANSWERS[request.param]


@pytest.mark.parametrize("name", RENDERERS)
def test_a_report_reads_as_recorded(name: str) -> None:
    """
    Each format has rule, object, place, message and remedy of each finding, exemptions, and unreadable input.
    """
    shown = RENDERERS[name](SMALL)

    assert shown == snapshot(f"report/small.{name}", shown)


@pytest.mark.parametrize("name", EVERY)
def test_hostile_text_stays_text(name: str) -> None:
    """
    No format lets control, bidirectional or surrogate characters through, or a line that a name contains.
    """
    shown = EVERY[name](ANSWERS["hostile"])

    assert shown.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ufffe]", shown)
    assert not re.search("^(not ok 9|::error::@team)", shown, re.MULTILINE)


def test_yaml_holds_the_values_of_json(answer: Report) -> None:
    """
    Kubernetes' own reading of the YAML gives what ``-o json`` prints.
    """
    read = read_documents(as_yaml.render(answer).encode(), "answer.yaml")

    assert [document.value for document in read] == [json.loads(as_json.render(answer))]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | TEXT
        | st.sampled_from(
            [
                "n",
                "Yes",
                "off",
                "null",
                "~",
                "1e3",
                "0o17",
                "0x1F",
                "010",
                "1:30",
                "2024-01-01",
                ".inf",
                "-",
                "",
                "=",
                "<<",
                "a: b",
                "a #b",
                "- a",
                "? a",
                "&a",
                "*a",
                "!a",
                "%a",
                "@a",
                "`a",
                "{a",
                "[a",
                "'",
                '"',
                " a",
                "a ",
                "a\nb",
                "NaN",
            ]
        ),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=12,
    )
)
@settings(deadline=None)
def test_every_value_survives_the_emitter(value: writer.Plain) -> None:
    """
    Each plain value that is written as YAML reads back as the same value.
    """
    documents = read_documents(writer.dump({"value": value}).encode(), "value.yaml")

    assert [document.value for document in documents] == [{"value": value}]


def test_junit_is_valid_and_counts_right(answer: Report) -> None:
    """
    The XML is valid, and its counts are those of its cases. A denied finding is a failure; unreadable input is an error.
    """
    shown = junit.render(answer)

    xmlschema.XMLSchema(str(SCHEMAS / "junit.xsd")).validate(shown)
    root = Xml.fromstring(shown)
    for suite in (root, *root):
        tags = Counter(item.tag for case in suite.iter("testcase") for item in case)
        assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
        assert (int(suite.attrib["failures"]), int(suite.attrib["errors"])) == (tags["failure"], tags["error"])
    denied = [finding for judged in answer.objects for finding in judged.findings if finding.action == "deny"]
    assert len(list(root.iter("failure"))) == len(denied)
    assert len(list(root.iter("error"))) == len(answer.problems)


def test_github_commands_are_what_the_runner_reads(answer: Report) -> None:
    """
    There is one command for each finding, problem and note. Values read back whole; columns appear only for a single line.
    """
    read = commands(github.render(answer))

    findings = [(obj, one_finding) for obj in answer.objects for one_finding in obj.findings]
    assert len(read) == len(findings) + len(answer.problems) + len(answer.notes)
    for (level, properties, message), (judged, finding) in zip(read, findings, strict=False):
        assert properties["title"] == f"{finding.rule} {finding.name}"
        assert finding.message in message
        assert (level == "error") == (finding.action == "deny")
        if judged.source is not None:
            assert properties["file"] == judged.source.file
            assert int(properties["line"]) <= int(properties.get("endLine", properties["line"]))
            assert "col" not in properties or properties["line"] == properties["endLine"]


def test_gitlab_issues_are_valid_and_have_distinct_fingerprints(answer: Report) -> None:
    """
    The list is valid by GitLab's schema, and each issue has its own fingerprint.
    """
    issues = json.loads(gitlab.render(answer))

    schema("gitlab.json").validate(issues)
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)
    assert len(issues) == sum(len(judged.findings) for judged in answer.objects) + len(answer.problems)


def test_tap_fails_for_denied_findings_and_unreadable_input(answer: Report) -> None:
    """
    A TAP reader reads every line and finds the planned number of points.
    """
    lines = list(Parser().parse_text(tap.render(answer)))

    by_category = Counter(line.category for line in lines)
    plan = next(line for line in lines if line.category == "plan")
    points = [line for line in lines if line.category == "test"]
    assert by_category["unknown"] == 0
    assert [point.number for point in points] == list(range(1, plan.expected_tests + 1))
    failed = [point for point in points if not point.ok and not point.todo and not point.skip]
    denied = [finding for obj in answer.objects for finding in obj.findings if finding.action == "deny"]
    assert len(failed) == len(denied) + len(answer.problems)
    message = [point.yaml_block["message"] for point in points if point.yaml_block is not None]
    assert len(message) == sum(len(judged.findings) for judged in answer.objects) + len(answer.problems)


def test_markdown_makes_tables_and_nothing_else(answer: Report) -> None:
    """
    A reader of GitHub's Markdown sees a row for each finding and problem, and no HTML, link, picture or code.

    The report on a cluster also has rows for groups and disagreements, and commands as code.
    """
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(answer))

    rows = sum(token.type == "tr_open" for token in tokens) - sum(token.type == "thead_open" for token in tokens)
    inside = {child.type for token in tokens for child in token.children or ()}
    findings = sum(len(judged.findings) for judged in answer.objects)
    is_audit = isinstance(answer, AuditReport)
    more = len(grouped(answer, "reason")) + len(answer.disagreements) if isinstance(answer, AuditReport) else 0
    assert rows == min(findings, markdown.MAX_ROWS) + len(answer.problems) + more
    assert inside <= {"text", "text_special"}
    assert {token.type for token in tokens} & {"html_block", "code_block", "fence"} == (
        {"code_block"} if is_audit else set()
    )
    if findings > markdown.MAX_ROWS:
        assert f"and {findings - markdown.MAX_ROWS} more" in markdown.render(answer)


def test_open_reports_are_valid_by_their_crd(answer: Report) -> None:
    """
    Each document is valid, has a unique name, and its summary counts its results.
    """
    documents = [document.value for document in read_documents(openreports.render(answer).encode(), "reports.yaml")]

    for document in documents:
        assert isinstance(document, dict)
        schema("openreports.json").validate(document)
        results = Counter(result["result"] for result in document["results"])
        assert {key: count for key, count in document["summary"].items() if count} == dict(results)
    assert len(
        {(document["metadata"].get("namespace"), document["metadata"]["name"]) for document in documents}
    ) == len(documents)


def test_cluster_scoped_objects_have_cluster_reports() -> None:
    """
    A MigrationPolicy has no namespace, so its report has none either.
    """
    policy = replace(vm("p", None), api_version="migrations.kubevirt.io/v1alpha1", kind="MigrationPolicy", namespace="")

    kinds = [document["kind"] for document in openreports.documents(report(policy, vm("web", None)))]

    assert kinds == ["ClusterReport", "Report"]


def test_two_files_with_the_same_object_give_one_report() -> None:
    """
    The report has the results of both files, so that ``kubectl apply`` loses nothing.
    """
    both = openreports.documents(report(vm("web", None, NOT_SHARED), vm("web", None, NOT_SHOWN, file="b.yaml")))

    assert [item["summary"] for item in both] == [{"pass": 0, "fail": 1, "warn": 0, "error": 1, "skip": 0}]


def test_each_format_shows_the_reason_of_an_exemption() -> None:
    """
    An exemption is never silent.
    """
    exempt = report(vm("web", None, EXEMPTED))

    message = {name: "the renderer needs a card" in render(exempt) for name, render in RENDERERS.items()}

    assert message == dict.fromkeys(RENDERERS, True)


def test_names_with_control_characters_are_the_same_everywhere() -> None:
    """
    A name that looks like a directive of TAP cannot turn its failure into a TODO.
    """
    parsed = list(Parser().parse_text(tap.render(report(vm(NASTY, None, NOT_SHARED)))))

    point = next(item for item in parsed if item.category == "test")
    assert (point.ok, point.todo, point.skip) == (False, False, False)


def test_json_is_valid_by_the_published_schema(answer: Report) -> None:
    """
    The JSON of every report is valid by the schema.
    """
    published = jsonschema_rs.Draft202012Validator(as_json.schema())

    assert [*published.iter_errors(msgspec.json.decode(as_json.render(answer)))] == []
