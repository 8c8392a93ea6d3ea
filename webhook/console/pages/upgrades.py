"""The VMIs that an upgrade of KubeVirt leaves behind."""

from typing import Final

from webhook.console.pages.frame import cut, section
from webhook.drain.plan import DrainReport
from webhook.report.drain.drain_words import left_behind, some
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.markup import Html, element, prose

_MOST_BEHIND, _MOST_NAMES = 20, 10
TITLE: Final = "Upgrade of KubeVirt"


def behind(report: DrainReport) -> Html | None:
    """The VMIs, those with the same problem together. Nothing if there are none."""
    found = left_behind(report)
    if not found:
        return None
    boxes = (
        element(
            "article",
            element("h3", some(one.names, _MOST_NAMES)),
            element("p", prose(sentence(one.message))),
            element("p", element("strong", "Action: "), prose(one.remedy)) if one.remedy else None,
            class_="finding",
        )
        for one in found[:_MOST_BEHIND]
    )
    return section(TITLE, boxes, cut(min(len(found), _MOST_BEHIND), len(found), "problems"))
