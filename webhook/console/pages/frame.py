"""The frame of each page: navigation between the pages, what was judged and when, and notices."""

from collections.abc import Iterator, Sequence
from typing import Final

from webhook.console.pages.addresses import HOME, NODES, POLICIES, VMS, listed
from webhook.console.pages.seen import Seen
from webhook.console.pages.words import moment, number
from webhook.report.grouping import some
from webhook.report.phrases import capitalized
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.layout import document
from webhook.surfaces.api.page.markup import Child, Html, element, join, shortened

SCRIPT: Final = "/fleet.js"
AUDIT: Final = "migratable audit"
_MOST_NAMESPACES: Final = 3


def page(seen: Seen, title: str, *content: Child, here: str = "", command: str = AUDIT) -> bytes:
    """A whole page. ``here`` is the address of the current list in the navigation, and ``command`` gives the same answer."""
    return document(
        title,
        element("div", _tabs(seen, here), _origin(seen), class_="where"),
        content,
        here=HOME,
        kind="fleet",
        scripts=(SCRIPT,),
        has_fleet=True,
        user=seen.sight.user,
        command=command,
    )


def _tabs(seen: Seen, here: str) -> Html:
    state = seen.state
    nodes = len(state.drains.report.nodes) if state.drains.report is not None else None
    tabs = (
        (HOME, "Overview", None, True),
        (VMS, "VMs", len(state.vms), True),
        (NODES, "Nodes", nodes, seen.sight.nodes),
        (POLICIES, "Policies", len(state.policies), seen.sight.policies),
    )
    links = (
        element(
            "a",
            name,
            None if count is None else join(" ", element("span", number(count), class_="count")),
            href=listed(address, [("namespace", seen.kept)]),
            aria_current="page" if address == here else None,
        )
        for address, name, count, is_visible in tabs
        if is_visible
    )
    return element("nav", *links, class_="tabs", aria_label="Fleet")


def _origin(seen: Seen) -> Html:
    """The source of the objects, the release, the profile, and the time."""
    return element("p", _joined(_parts(seen)), class_="origin small")


def _parts(seen: Seen) -> Iterator[Child]:
    state = seen.state
    yield join(element("strong", state.source))
    if seen.sight.namespaces is not None:
        yield (
            f"only namespaces {some(seen.sight.namespaces, _MOST_NAMESPACES)}"
            if seen.sight.namespaces
            else "no namespace"
        )
    yield f"KubeVirt {state.release}" if state.release != "any" else "any supported KubeVirt release"
    yield f"profile {state.profile}"
    if state.judged_at is not None:
        yield join("judged ", moment(state.judged_at))


def _joined(parts: Iterator[Child]) -> Iterator[Child]:
    for index, part in enumerate(parts):
        yield " · " if index else None
        yield part


def notices(seen: Seen) -> Html | None:
    """A notice on each page until all objects are judged."""
    if not seen.state.unfinished:
        return None
    return element(
        "p",
        "The objects are being read. ",
        capitalized(sentence(seen.state.unfinished)),
        " Numbers can still grow.",
        class_="notice",
        role="status",
    )


def section(title: str, *content: Child, id_: str | None = None) -> Html:
    """A part of a page with a title."""
    return element("section", element("h2", title, id=id_), *content)


def bullets(texts: Sequence[str], *, is_small: bool = False) -> Html | None:
    """A list of sentences, or nothing."""
    if not texts:
        return None
    return element("ul", (element("li", shortened(text)) for text in texts), class_="small" if is_small else None)


def cut(shown: int, total: int, noun: str) -> Html | None:
    """The remark about the things that a page leaves out."""
    return (
        element("p", f"{number(total - shown)} more {noun} are not shown.", class_="small") if total > shown else None
    )
