"""
The answer as JUnit XML, as Jenkins' xunit plugin (``junit-10.xsd``), GitLab and Azure read it.

A file is a test suite. An object without findings is a test case that passed; else each finding is one: denied is a
failure, a warning passes and says so on ``system-out``, what is unproven or exempted was skipped, with the reason.
"""

import re
import xml.etree.ElementTree as Xml
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

# XML 1.0, production 2: these are no characters, not even as references.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(report: Report) -> str:
    """An XML document that ends with a newline."""
    suites: dict[str, list[Xml.Element]] = {}
    for judged in report.objects:
        file = file_of(judged.source.file) if judged.source is not None else "request"
        suites.setdefault(file, []).extend(_cases(judged))
    for problem in report.problems:
        suites.setdefault(file_of(problem.file), []).append(_unread(problem))
    root = Xml.Element(
        "testsuites", {"name": "migratable"} | _counts(each for cases in suites.values() for each in cases)
    )
    for file, cases in suites.items():
        skipped = str(sum(each.find("skipped") is not None for each in cases))
        suite = Xml.SubElement(root, "testsuite", {"name": _legal(file)} | _counts(cases) | {"skipped": skipped})
        suite.extend(cases)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _counts(cases: Iterable[Xml.Element]) -> dict[str, str]:
    counted = list(cases)
    return {
        "tests": str(len(counted)),
        "failures": str(sum(each.find("failure") is not None for each in counted)),
        "errors": str(sum(each.find("error") is not None for each in counted)),
    }


def _cases(judged: ObjectReport) -> Iterator[Xml.Element]:
    if not judged.findings:
        yield _case("nothing found", name_of(judged))
    for finding in judged.findings:
        title = f"{finding.rule} {finding.name}" + (f" at {finding.path}" if finding.path else "")
        case = _case(title, name_of(judged))
        _tell(case, judged, finding)
        yield case


def _case(name: str, classname: str) -> Xml.Element:
    return Xml.Element("testcase", {"name": _legal(name), "classname": _legal(classname)})


def _tell(case: Xml.Element, judged: ObjectReport, finding: FindingReport) -> None:
    text = "\n".join(part for part in (place_of(judged, finding), message(finding)) if part)
    if reason := exempted(finding):
        _result(case, "skipped", "exempted", reason, text)
    elif finding.action == Action.DENY:
        _result(case, "failure", finding.reason or finding.rule, finding.message, text)
    elif is_unproven(finding):
        _result(case, "skipped", "unproven", f"Cannot tell yet: {finding.message}", text)
    else:
        Xml.SubElement(case, "system-out").text = _legal(f"{finding.action}: {text}")


def _result(case: Xml.Element, tag: str, kind: str, told: str, text: str) -> None:
    Xml.SubElement(case, tag, {"type": _legal(kind), "message": _legal(told)}).text = _legal(text)


def _unread(problem: ProblemReport) -> Xml.Element:
    case = _case("can be read", file_of(problem.file))
    told = f"{place_of_problem(problem)}\n{problem_message(problem)}"
    _result(case, "error", "unreadable-input", problem.message, told)
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
