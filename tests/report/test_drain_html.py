"""The rehearsal of a drain as one HTML file."""

import re
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from hypothesis import given
from msgspec.structs import replace
from playwright.sync_api import Browser

from tests.report.answers import NASTY
from tests.report.drains import CLEAN, EXAMPLES, FLEET, PINNED, REPORTS, moving, node
from tests.snapshots.snapshot import snapshot
from webhook.drain.plan import DrainReport, Seconds
from webhook.report.drain import drain_html
from webhook.report.drain.drain_picture import arranged, picture
from webhook.report.drain.drain_words import located, needs_action
from webhook.report.printable import escaped

PAGE = ("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "ol", "ul", "li", "div")
PARTS = ("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "strong", "span", "article", "figure")
DRAWN = ("figcaption", "svg", "defs", "pattern", "linearGradient", "stop", "rect", "line", "text")
TAGS = frozenset((*PAGE, *PARTS, *DRAWN))
XHTML = "{http://www.w3.org/1999/xhtml}"


def read(text: str) -> Xml.Element:
    """The file, read as XML."""
    return Xml.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


@given(REPORTS)
def test_the_page_of_a_drain_is_well_formed_and_has_no_script(report: DrainReport) -> None:
    """
    The file is XML with the tags of this format only. No element has a link, an event handler or a style of its own.
    """
    text = drain_html.render(report)

    elements = list(read(text).iter())
    assert {element.tag.removeprefix(XHTML) for element in elements} <= TAGS
    names = {name for element in elements for name in element.attrib}
    assert [name for name in names if name.startswith("on") or name in {"href", "src", "style"}] == []
    assert {element.attrib["id"] for element in elements if "id" in element.attrib} == {"hatch", "fade"}
    assert text.replace("\n", "").isprintable()


@given(REPORTS)
def test_the_page_of_a_drain_names_each_vmi_that_needs_an_action(report: DrainReport) -> None:
    """
    Each VMI that needs an action has an article with its name as it is.
    """
    articles = [element.text for element in read(drain_html.render(report)).iter(f"{XHTML}h3")]

    acting = [escaped(one.name) for one in located(report) if needs_action(one.machine)]
    assert [name for name in acting if name not in articles] == []


def test_the_page_of_a_drain_loads_nothing() -> None:
    """
    The file refers to nothing outside, and its policy forbids scripts and resources.
    """
    text = drain_html.render(FLEET)

    assert "default-src 'none'" in text
    assert re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/1999/xhtml)", text) == []


@pytest.mark.parametrize("name", ["one", "rolling"])
def test_the_page_of_a_drain_is_as_recorded(name: str) -> None:
    """
    The page for one node and for a rolling drain.
    """
    text = drain_html.render(EXAMPLES[name])

    assert text == snapshot(f"report/drain-{name}.html", text)


def test_a_picture_names_no_vmi() -> None:
    """
    KubeVirt does not define the order of the migrations, so the bars have no names and the caption calls the order an example.
    """
    drawn = picture(node("n1", moving("a1", "n2"), moving("a2", "n3")))

    assert "a1" not in drawn
    assert "a2" not in drawn
    assert "An example: KubeVirt does not define the order of the migrations." in drawn


def test_the_next_migration_starts_when_one_ends() -> None:
    """
    Slots slide: no migration waits for all others of a wave.
    """
    bars = arranged([Seconds(1, 30), Seconds(1, 20), Seconds(1, 10)], slots=2, taken=0, holding=0)

    assert [(bar.lane, bar.start, bar.length) for bar in bars] == [(0, 0, 30), (1, 0, 20), (1, 20, 10)]


def test_a_target_pod_without_a_node_holds_a_slot_in_the_picture() -> None:
    """
    A VMI that no other node fits takes a slot for 300 seconds at a time. The picture shows it.
    """
    assert 'class="hold"' in picture(node("n1", PINNED, moving("a", "n2")))


def test_a_node_whose_times_are_not_known_has_no_picture() -> None:
    """
    Without a known time there is nothing to draw.
    """
    assert picture(node("n1", replace(moving("a", "n2"), seconds=None))) == ""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_a_drain_fits_the_screen(browser: Browser, tmp_path: Path, width: int) -> None:
    """
    The file opens without script, loads nothing, and needs no horizontal scrolling, also with a hostile name.
    """
    file = tmp_path / "drain.html"
    hostile = replace(PINNED, name=NASTY, namespace="x" * 63, message=NASTY * 4)
    file.write_text(drain_html.render(replace(CLEAN, nodes=(*FLEET.nodes, node("n7", hostile)))), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.goto(file.as_uri())

    assert requests == [file.as_uri()]
    assert page.get_by_text("ml/trainer").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
