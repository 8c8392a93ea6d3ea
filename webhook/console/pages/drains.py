"""Parts of a rehearsal that several pages show: its time, remedies, the VMIs that an upgrade leaves behind, and remarks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from webhook.console.pages.frame import bullets, cut, section
from webhook.console.pages.words import moment
from webhook.console.state import Drains
from webhook.drain.plan import DrainReport
from webhook.drain.times import COUNT_LINK
from webhook.report.drain.drain_words import FIRST, left_behind, some
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.markup import Child, Html, element, prose

NOT_YET: Final = "The drains of the nodes are not rehearsed yet."
_MOST_BEHIND, _MOST_NAMES = 20, 10


def rehearsed(drains: Drains) -> Html | None:
    """When the drains were rehearsed, and why a later rehearsal failed."""
    parts: list[Child] = []
    if drains.rehearsed_at is not None:
        parts += ["Rehearsed ", moment(drains.rehearsed_at), "."]
    if drains.problem:
        parts += [f" The last rehearsal failed: {sentence(drains.problem)}"]
    return element("p", parts, class_="small") if parts else None


def first_steps(texts: Sequence[str]) -> Html | None:
    """The steps that come first, or nothing."""
    if not texts:
        return None
    return section("First", element("ol", (element("li", prose(text)) for text in texts[:FIRST])))


def action(remedy: str) -> Html | None:
    """The remedy for a VMI or for the nodes, or nothing."""
    return element("p", element("strong", "Action: "), prose(remedy)) if remedy else None


def left_by_upgrade(report: DrainReport) -> Html | None:
    """The VMIs that an upgrade of KubeVirt leaves behind, those with the same problem together."""
    found = left_behind(report)
    if not found:
        return None
    boxes = (
        element(
            "article",
            element("h3", some(one.names, _MOST_NAMES)),
            element("p", prose(sentence(one.message))),
            action(one.remedy),
            class_="finding",
        )
        for one in found[:_MOST_BEHIND]
    )
    return section("Upgrade of KubeVirt", boxes, cut(min(len(found), _MOST_BEHIND), len(found), "problems"))


def remarks(assumptions: Iterable[str], missing: Iterable[str]) -> Iterator[Html]:
    """
    The assumptions of a rehearsal, without the option of the command line that replaces one, and the kinds that were not
    provided.
    """
    shown = [text.removesuffix(COUNT_LINK) for text in dict.fromkeys(assumptions)]
    for title, texts in (("Assumptions", shown), ("Not provided", list(missing))):
        if texts:
            yield section(title, bullets(texts, is_small=True))
