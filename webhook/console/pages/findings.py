"""Findings as boxes: what is wrong, where, the remedy, and the commands that change the object."""

from collections.abc import Iterator, Sequence

from webhook.console.pages.words import ACTIONS, UNPROVEN
from webhook.policy.policy import Action
from webhook.report.audited import Audited
from webhook.report.grouping import rank_of
from webhook.report.kubectl import commands_for
from webhook.report.model import FindingReport, ObjectReport
from webhook.report.sentences import exempted, is_unproven, name_of, sentence
from webhook.surfaces.api.page.layout import badge
from webhook.surfaces.api.page.markup import Html, element, join, prose


def state_of(finding: FindingReport) -> tuple[str, str]:
    """The state and the words of a finding."""
    return UNPROVEN if is_unproven(finding) else ACTIONS[Action(finding.action)]


def finding_box(judged: ObjectReport, finding: FindingReport, *, has_operator: bool, title: str = "") -> Html:
    """One finding. ``title`` names the object if the page is about several."""
    return element(
        "article",
        element("h3", title) if title else None,
        element(
            "p",
            badge(*state_of(finding)),
            element("a", finding.rule, " ", finding.name, href=f"/rules/{finding.rule}"),
            element("code", finding.path, class_="path") if finding.path else None,
            class_="head",
        ),
        element("p", prose(sentence(finding.message)), class_="message"),
        element("p", element("strong", _label(finding)), prose(sentence(finding.remedy))) if finding.remedy else None,
        element("p", sentence(exempted(finding)), class_="small") if finding.exemption is not None else None,
        _commands(judged, finding, has_operator=has_operator),
        class_="finding",
    )


def _label(finding: FindingReport) -> str:
    return "To settle it: " if finding.outcome == "undetermined" else "Fix: "


def _commands(judged: ObjectReport, finding: FindingReport, *, has_operator: bool) -> Iterator[Html]:
    remarks: list[str] = []
    for command in commands_for(judged, finding, has_operator=has_operator):
        yield element("p", element("strong", command.label, ": "), prose(sentence(command.title)), class_="fix-title")
        if command.line:
            yield command_line(command.line)
        if command.remark not in ("", *remarks):
            remarks.append(command.remark)
    yield join(*(element("p", sentence(remark), class_="small") for remark in remarks))


def command_line(line: str) -> Html:
    """A command in one line, which can be selected as a whole. The script adds a button that copies it."""
    return element("pre", line, class_="command", tabindex=0, role="region", aria_label="Command")


def boxes(objects: Sequence[Audited], *, has_operator: bool, most: int) -> tuple[list[Html], int]:
    """The first findings of several objects, the most severe first, and the number of all findings."""
    found = [(finding, one.report) for one in objects for finding in one.report.findings]
    found.sort(key=lambda pair: rank_of(pair[0]))
    shown = [
        finding_box(judged, finding, has_operator=has_operator, title=name_of(judged))
        for finding, judged in found[:most]
    ]
    return shown, len(found)
