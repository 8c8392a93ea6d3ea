"""The pages for everyone: axe in light and dark, on a phone and on a screen, the keyboard alone, without script, and small."""

from collections.abc import Callable
from functools import cache
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browsing import loaded
from tests.console.large import large
from tests.console.pages.serving import Pages
from tests.console.states import SOURCE
from tests.drain import example_fleet
from tests.surfaces.api.page.watched import Watched
from webhook.check.check import Settings
from webhook.console.files_source import FilesSource
from webhook.console.state import Source
from webhook.surfaces.api.console.messages import Sight

pytestmark = pytest.mark.browser

MOST_WEIGHT = 150 * 1024


@cache
def example() -> Source:
    """The example fleet, judged and rehearsed."""
    source = FilesSource([str(example_fleet.FOLDER)], Settings())
    source.run()
    return source


VIEWS: dict[str, tuple[str, Callable[[], Source]]] = {
    "overview": ("fleet", lambda: SOURCE),
    "overview of files": ("fleet", example),
    "list": ("fleet/vms?verdict=not-migratable&reason=DisksNotLiveMigratable&sort=-findings&page=2", large),
    "refused VM": ("fleet/vms/erp/archive", example),
    "unproven VM": ("fleet/vms/blue/stopped", lambda: SOURCE),
    "nodes": ("fleet/nodes", large),
    "node": ("fleet/nodes/worker-2", example),
    "policies": ("fleet/policies", lambda: SOURCE),
    "not found": ("fleet/x", lambda: SOURCE),
    "wrong parameter": ("fleet/vms?page=x", lambda: SOURCE),
}
SCREENS: dict[str, tuple[Literal["light", "dark"], int]] = {"phone": ("dark", 390), "screen": ("light", 1280)}


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(browser: Browser, served: Pages, view: str, screen: str) -> None:
    """
    On a dark phone and on a light screen, with a signed-in user. Nothing is wider than the screen.
    """
    (path, source), (scheme, width) = VIEWS[view], SCREENS[screen]
    served.source = source()
    served.sight = Sight(user="system:serviceaccount:operators:night-shift")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    watched = Watched.of(context, served.url).open(path)

    found = Axe().run(watched.page)

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]] == []
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if view not in ("not found", "wrong parameter"):
        watched.assert_clean()
    context.close()


def press_until(page: Page, name: str) -> None:
    """Presses Tab until an element with this text or label has the focus, which must be visible."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.textContent, document.activeElement.labels?.[0]?.textContent]")
        if name in focused:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
            return
    pytest.fail(f"{name} does not get the focus")


def test_a_blocked_drain_is_explained_with_the_keyboard_alone(browser: Browser, served: Pages) -> None:
    """
    From the overview over the list to the VM, its node and back.
    """
    served.source = example()
    context = browser.new_context()
    watched = Watched.of(context, served.url).open("fleet")
    page, press = watched.page, watched.page.keyboard.press

    press_until(page, "DisksNotLiveMigratable")
    press("Enter")
    expect(page).to_have_title("VMs · Migratable")
    press_until(page, "Name")
    page.keyboard.type("erp arch")
    press("Enter")
    expect(page.locator(".found")).to_have_text("1 of 30 VMs")
    press_until(page, "archive")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("erp/archive")
    press_until(page, "Drain of worker-3")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Drain of worker-3: the drain is blocked")
    press_until(page, "erp/archive")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("erp/archive")
    watched.assert_clean()
    context.close()


def test_all_pages_work_without_script(browser: Browser, served: Pages) -> None:
    """
    Links, the filter, the order and the pages of the list are plain HTML. Times are absolute.
    """
    served.source = large()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}fleet")

    expect(page.locator(".origin time")).to_have_text("2027-01-15 08:00:10 UTC")
    page.get_by_role("link", name="2,000 cannot be live-migrated").click()
    expect(page.locator(".found")).to_have_text("2,000 of 10,000 VMs")
    page.get_by_text("More filters").click()
    page.get_by_label("Running").select_option("running")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".found")).to_have_text("2,000 of 10,000 VMs")
    page.get_by_role("link", name="Findings").click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 20")).to_be_visible()
    page.get_by_role("link", name="Remove the filter Verdict: cannot be live-migrated").click()
    expect(page.locator(".found")).to_have_text("9,000 of 10,000 VMs")
    page.get_by_role("link", name="Nodes").click()
    page.get_by_role("link", name="node-with-a-long-name-0001").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Drain of node-with-a-long-name-0001: the drain is blocked"
    )
    context.close()


PATHS = ("fleet", "fleet/vms", "fleet/vms?verdict=not-migratable&sort=-vm", "fleet/nodes", "fleet/policies")


@pytest.mark.parametrize("path", [*PATHS, "fleet/nodes/node-with-a-long-name-0001"])
def test_a_page_of_a_large_cluster_is_small(browser: Browser, served: Pages, path: str) -> None:
    """
    With 10,000 VMs, everything that a page loads weighs at most 150 KiB, without compression.
    """
    served.source = large()
    context = browser.new_context()
    page = context.new_page()

    page.goto(f"{served.url}{path}", wait_until="networkidle")

    weights = loaded(page)
    assert len(weights) >= 4
    assert sum(weights) <= MOST_WEIGHT
    context.close()
