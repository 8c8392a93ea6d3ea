"""
The report as JUnit XML for Jenkins (``junit-10.xsd``), GitLab and Azure.

Each file is a test suite. For objects of a cluster, each namespace is a test suite. Each finding is a test case, and each
object without findings is also a test case. A denied finding is a failure. A warning is a test case that passes, with its text
in ``system-out``. An unproven or exempted finding is skipped, with the reason. A report without objects has one case that
passes, because readers reject an empty document.
"""

import re
import xml.etree.ElementTree as Xml
from collections import Counter
from collections.abc import Iterable, Iterator

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, ObjectReport, ProblemReport, Report
from webhook.report.sentences import (
    exempted,
    file_of,
    is_unproven,
    message,
    name_of,
    place_of,
    place_of_problem,
    problem_message,
)

# XML does not allow these characters, not even as references (XML 1.0, production 2).
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(report: Report) -> str:
    """An XML document that ends with a newline."""
    suites: dict[str, list[Xml.Element]] = {}
    for judged in report.objects:
        suites.setdefault(_suite(judged), []).extend(_cases(judged))
    for problem in report.problems:
        suites.setdefault(file_of(problem.file), []).append(_unreadable(problem))
    if not suites:
        suites["migratable"] = [_case("no objects to judge", "migratable")]
    _make_unique(case for cases in suites.values() for case in cases)
    root = Xml.Element(
        "testsuites", {"name": "migratable"} | _counts(case for cases in suites.values() for case in cases)
    )
    for file, cases in suites.items():
        skipped = str(sum(case.find("skipped") is not None for case in cases))
        suite = Xml.SubElement(root, "testsuite", {"name": legal(file)} | _counts(cases) | {"skipped": skipped})
        suite.extend(cases)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _make_unique(cases: Iterable[Xml.Element]) -> None:
    """Adds a number to each case whose class and name are the same as in an earlier case. Readers would merge these cases."""
    taken: set[tuple[str, str]] = set()
    last: Counter[tuple[str, str]] = Counter()
    for case in cases:
        name, classname = case.attrib["name"], case.attrib["classname"]
        number = max(last[classname, name], 1)
        while (classname, case.attrib["name"]) in taken:
            number += 1
            case.set("name", f"{name} ({number})")
        last[classname, name] = number
        taken.add((classname, case.attrib["name"]))


def _counts(cases: Iterable[Xml.Element]) -> dict[str, str]:
    counted = list(cases)
    return {
        "tests": str(len(counted)),
        "failures": str(sum(case.find("failure") is not None for case in counted)),
        "errors": str(sum(case.find("error") is not None for case in counted)),
    }


def _cases(judged: ObjectReport) -> Iterator[Xml.Element]:
    if not judged.findings:
        yield _case("nothing found", name_of(judged), _file(judged))
    for finding in judged.findings:
        title = f"{finding.rule} {finding.name}" + (f" at {finding.path}" if finding.path else "")
        case = _case(title, name_of(judged), _file(judged))
        _add_result(case, judged, finding)
        yield case


def _case(name: str, classname: str, file: str = "") -> Xml.Element:
    """A test case. GitLab shows the attribute ``file``. Jenkins ignores it."""
    place = {"file": legal(file)} if file else {}
    return Xml.Element("testcase", {"name": legal(name), "classname": legal(classname)} | place)


def _suite(judged: ObjectReport) -> str:
    """The file of an object. Objects of a cluster are in a suite for each namespace."""
    if judged.source is not None:
        return file_of(judged.source.file)
    return f"namespace {judged.namespace}" if judged.namespace else "cluster"


def _file(judged: ObjectReport) -> str:
    return file_of(judged.source.file) if judged.source is not None and judged.source.file not in ("", "-") else ""


def _add_result(case: Xml.Element, judged: ObjectReport, finding: FindingReport) -> None:
    text = "\n".join(part for part in (place_of(judged, finding), message(finding)) if part)
    if reason := exempted(finding):
        _result(case, "skipped", "exempted", reason, text)
    elif finding.action == Action.DENY:
        _result(case, "failure", finding.reason or finding.rule, finding.message, text)
    elif is_unproven(finding):
        _result(case, "skipped", "unproven", f"Cannot tell yet: {finding.message}", text)
    else:
        Xml.SubElement(case, "system-out").text = legal(f"{finding.action}: {text}")


def _result(case: Xml.Element, tag: str, kind: str, message_text: str, text: str) -> None:
    Xml.SubElement(case, tag, {"type": legal(kind), "message": legal(message_text)}).text = legal(text)


def _unreadable(problem: ProblemReport) -> Xml.Element:
    case = _case("can be read", file_of(problem.file), file_of(problem.file) if problem.file not in ("", "-") else "")
    text = f"{place_of_problem(problem)}\n{problem_message(problem)}"
    _result(case, "error", "unreadable-input", problem.message, text)
    return case


def legal(text: str) -> str:
    """The text with escapes for the characters that XML does not allow."""
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
