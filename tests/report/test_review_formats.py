"""Formats for tools that comment on reviews: Checkstyle, reviewdog's rdjson, and one line for each finding."""

import json
import xml.etree.ElementTree as Xml

import jsonschema_rs
import pytest
import xmlschema
from msgspec.structs import replace

from tests.report.answers import ANSWERS, SCHEMAS, of_all_examples
from tests.report.reports import FILE, NOT_SHARED, SMALL, SOURCES, report, vm
from webhook.report import checkstyle, concise, rdjson
from webhook.report.model import Report


@pytest.fixture(params=[*ANSWERS, "all examples"])
def answer(request: pytest.FixtureRequest) -> Report:
    return of_all_examples() if request.param == "all examples" else ANSWERS[request.param]


def count(answer: Report) -> int:
    return sum(len(judged.findings) for judged in answer.objects) + len(answer.problems)


def test_checkstyle_is_valid_and_has_an_error_for_each_finding(answer: Report) -> None:
    """
    The XML is valid, each file appears once, and only denied findings and unreadable input have the severity error.
    """
    shown = checkstyle.render(answer)

    xmlschema.XMLSchema(str(SCHEMAS / "checkstyle.xsd")).validate(shown)
    root = Xml.fromstring(shown)
    files = [file.attrib["name"] for file in root]
    assert len(set(files)) == len(files)
    severities = [error.attrib["severity"] for error in root.iter("error")]
    denied = sum(finding.action == "deny" for judged in answer.objects for finding in judged.findings)
    assert (len(severities), severities.count("error")) == (count(answer), denied + len(answer.problems))


def test_rdjson_is_valid_and_has_a_diagnostic_for_each_finding(answer: Report) -> None:
    """
    The JSON is valid, with and without the text of the files.
    """
    schema = jsonschema_rs.Draft202012Validator(json.loads((SCHEMAS / "rdjson.json").read_text(encoding="utf-8")))

    for lines in (SOURCES, {}):
        document = json.loads(rdjson.render(answer, lines))
        schema.validate(document)
        assert len(document["diagnostics"]) == count(answer)


@pytest.mark.parametrize(("line", "start", "end"), [("ab os", 4, 6), ("ä🙂 os", 8, 10)])
def test_columns_of_rdjson_count_bytes(line: str, start: int, end: int) -> None:
    """
    reviewdog counts bytes of UTF-8; the report counts characters. Without the text there is no column.
    """
    finding = replace(NOT_SHARED, line=1, column=4, end_line=1, end_column=6)
    answer = report(vm("web", None, finding))

    (known,) = json.loads(rdjson.render(answer, {FILE: [line]}))["diagnostics"]
    (unknown,) = json.loads(rdjson.render(answer, {}))["diagnostics"]

    place = {"start": {"line": 1, "column": start}, "end": {"line": 1, "column": end}}
    assert known["location"]["range"] == place
    assert unknown["location"]["range"] == {"start": {"line": 1}}


def test_concise_is_one_line_for_each_finding(answer: Report) -> None:
    """
    Each line has the place, the action, the rule, the object and the message.
    """
    lines = concise.render(answer).split("\n")[:-1]

    assert len(lines) == count(answer)
    findings = [(judged, finding) for judged in answer.objects for finding in judged.findings]
    for line, (judged, finding) in zip(lines, findings, strict=False):
        assert finding.rule in line
        assert judged.kind in line
        assert " ".join(finding.message.splitlines()) in line


def test_concise_places_can_be_opened_by_editors() -> None:
    """
    ``file:line:column:`` begins the line.
    """
    first = concise.render(SMALL).splitlines()[0]

    assert first == (
        "examples/vm.yaml:15:9: deny LM201 claim-not-shared: VirtualMachine tenant/web: claim 'os' is ReadWriteOnce"
    )
