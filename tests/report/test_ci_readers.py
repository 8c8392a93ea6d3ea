"""Requirements of CI systems for SARIF, Code Quality and JUnit beyond the schemas."""

import gzip
import json
import xml.etree.ElementTree as Xml
from collections import Counter

from msgspec.structs import replace

from tests.report.reports import DRAIN, EXEMPTED, NOT_SHARED, NOT_SHOWN, PROBLEMS, report, vm
from webhook.report import gitlab, junit, sarif
from webhook.report.model import ProblemReport, Report

GITHUB = {"results": 25_000, "rules": 25_000, "tags": 20, "locations": 1_000, "gzip": 10_000_000}
"""docs.github.com, "SARIF support for code scanning": the limits of a file."""


def many(number: int) -> Report:
    """VMs with a note, a warning and a denial each, in this order."""
    return report(*(vm(f"web-{at}", None, NOT_SHOWN, DRAIN, NOT_SHARED) for at in range(number)))


def test_sarif_of_30000_findings_is_below_the_limits_of_github() -> None:
    """
    The denied findings come first, the least severe are cut, and a note has both numbers.
    """
    text = sarif.render(many(10_000), version="1.2.3")

    (run,) = json.loads(text)["runs"]
    levels = Counter(result["level"] for result in run["results"])
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert levels == {"error": 10_000, "warning": 10_000, "note": 5_000}
    assert "the 25000 most severe of 30000 findings" in notification["message"]["text"]
    assert len(run["tool"]["driver"]["rules"]) <= GITHUB["rules"]
    assert all(len(rule["properties"]["tags"]) <= GITHUB["tags"] for rule in run["tool"]["driver"]["rules"])
    assert all(len(result["locations"]) <= GITHUB["locations"] for result in run["results"])
    assert len(gzip.compress(text.encode(), 6)) <= GITHUB["gzip"]


def test_sarif_below_the_limit_has_all_findings_in_their_order() -> None:
    """
    Nothing is cut or sorted, and there is no note.
    """
    (run,) = json.loads(sarif.render(many(2), version="1.2.3"))["runs"]

    assert [result["level"] for result in run["results"]] == ["note", "warning", "error"] * 2
    assert run["invocations"][0]["toolExecutionNotifications"] == []


def test_sarif_for_code_scanning_has_no_exempted_findings() -> None:
    """
    GitHub shows a suppressed result as an open alert. Without ``omit_exempted`` the result and its suppression stay.
    """
    answer = report(vm("web", None, EXEMPTED, NOT_SHARED))

    (kept,) = sarif.log(answer, version="1")["runs"]
    (omitted,) = sarif.log(answer, version="1", omit_exempted=True)["runs"]

    assert [result["ruleId"] for result in kept["results"]] == ["LM302", "LM201"]
    assert kept["results"][0]["suppressions"]
    assert [result["ruleId"] for result in omitted["results"]] == ["LM201"]
    assert "suppressions" not in omitted["results"][0]


def problem(file: str, message: str, line: int = 3) -> ProblemReport:
    return replace(PROBLEMS[0], file=file, message=message, line=line)


def fingerprints(*problems: ProblemReport) -> dict[tuple[str, str], str]:
    issues = json.loads(gitlab.render(report(problems=problems)))
    return {(issue["location"]["path"], issue["description"]): issue["fingerprint"] for issue in issues}


def test_a_repaired_file_does_not_change_the_fingerprint_of_another() -> None:
    """
    The fingerprint comes from the file and the error, not from the place in the list, the line or numbers in the message.
    """
    first, second = problem("a.yaml", "invalid YAML"), problem("b.yaml", "duplicate key 'a' (lines 1 and 3)")
    moved = problem("b.yaml", "duplicate key 'a' (lines 7 and 9)", line=9)

    both, alone = fingerprints(first, second), fingerprints(second)

    assert len(set(both.values())) == len(both)
    assert set(alone.values()) <= set(both.values())
    assert [*fingerprints(moved).values()] == [*alone.values()]


def test_equal_errors_of_one_file_have_distinct_fingerprints() -> None:
    """
    Two documents of a file may have the same error.
    """
    issues = json.loads(gitlab.render(report(problems=(problem("a.yaml", "no kind"), problem("a.yaml", "no kind", 9)))))

    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def cases(answer: Report) -> list[Xml.Element]:
    return list(Xml.fromstring(junit.render(answer)).iter("testcase"))


def test_junit_cases_have_distinct_names_and_a_file() -> None:
    """
    Readers merge cases with one class and name, so that all but one are lost: the same object in two files, a finding twice.
    """
    twice = report(
        vm("web", None, NOT_SHARED, NOT_SHARED),
        vm("web", None, NOT_SHARED, file="prod/vm.yaml"),
        vm("good", None),
        vm("good", None, file="-"),
        problems=(problem("a.yaml", "x"), problem("a.yaml", "x")),
    )

    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases(twice)]

    assert len(set(names)) == len(names) == 7
    assert {case.attrib.get("file") for case in cases(twice)} == {"examples/vm.yaml", "prod/vm.yaml", "a.yaml", None}


def test_a_junit_report_without_objects_has_one_case_that_passes() -> None:
    """
    Jenkins and GitLab reject a document without a case.
    """
    (case,) = cases(report())

    assert (case.attrib["name"], list(case)) == ("no objects to judge", [])
