"""The pages for everyone: axe in light and dark, the keyboard alone, without script, and small."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browsing import loaded
from tests.serve.alone import Alone
from tests.surfaces.api.page.watched import Watched
from tests.surfaces.manifests import BAD, GOOD, UNPROVEN

pytestmark = pytest.mark.browser

MOST_WEIGHT = 150 * 1024
Scheme = Literal["light", "dark"]


def answer_to(text: str) -> Callable[[Watched], None]:
    return lambda watched: watched.judge(text)


def open_menu(watched: Watched) -> None:
    watched.page.locator("#examples summary").click()


def apply_fix(watched: Watched) -> None:
    watched.judge(BAD)
    watched.answered(watched.page.locator(".apply:enabled").first.click)


VIEWS: dict[str, tuple[str, Callable[[Watched], None]]] = {
    "first view": ("", lambda _watched: None),
    "examples": ("", open_menu),
    "findings": ("", answer_to(f"{BAD}---\n{UNPROVEN}---\n{GOOD}")),
    "after a fix": ("", apply_fix),
    "unreadable": ("", answer_to("a: 1\na: 2\n")),
    "rules": ("rules", lambda _watched: None),
    "rule": ("rules/LM203", lambda _watched: None),
    "unknown rule": ("rules/LM999", lambda _watched: None),
}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(browser: Browser, server: Alone, view: str, scheme: Scheme, width: int) -> None:
    """
    In light and dark, on a phone and on a screen. Nothing is wider than the screen.
    """
    path, prepare = VIEWS[view]
    context = browser.new_context(
        ignore_https_errors=True, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    watched = Watched.of(context, server.url).open(path)

    prepare(watched)
    found = Axe().run(watched.page)

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]] == []
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def focused(watched: Watched) -> str:
    """The element with the focus: its id, or its text."""
    return str(watched.page.evaluate("document.activeElement.id || document.activeElement.textContent"))


def press_until(watched: Watched, name: str, key: str = "Tab") -> None:
    """Presses a key until an element has the focus."""
    for _ in range(60):
        watched.page.keyboard.press(key)
        if focused(watched) == name:
            return
    pytest.fail(f"{name} does not get the focus")


def test_a_vm_is_mended_with_the_keyboard_alone(watched: Watched) -> None:
    """
    From an example to its fix and back, and the focus is always visible.
    """
    press = watched.page.keyboard.press
    press("Tab")
    assert focused(watched) == "Skip to the content"
    press_until(watched, "Examples")
    press("Enter")
    press("Escape")
    assert watched.page.locator("#examples").get_attribute("open") is None
    press("Enter")
    press("Tab")
    watched.answered(lambda: press("Enter"))

    press_until(watched, "Apply fix")
    outline = watched.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    before = watched.text
    watched.answered(lambda: press("Enter"))
    assert "masquerade: {}" in watched.text
    assert focused(watched) == "Undo"
    watched.answered(lambda: press("Enter"))
    assert watched.text == before
    watched.assert_clean()


def test_the_editor_does_not_trap_the_keyboard(watched: Watched) -> None:
    """
    Tab leaves the text.
    """
    watched.page.get_by_label("Manifests, YAML or JSON").focus()

    watched.page.keyboard.press("Tab")

    assert focused(watched) != "manifest"


def test_the_pages_can_be_read_without_script(browser: Browser, server: Alone) -> None:
    """
    Rules, examples and navigation work. Controls that need the script are not shown.
    """
    context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)

    expect(page.locator(".unscripted")).to_have_text(re.compile("A check needs JavaScript."))
    expect(page.locator(".unscripted")).to_be_visible()
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_hidden()
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_label("Filter")).to_be_hidden()
    page.get_by_role("link", name="LM203").click()
    expect(page.get_by_text("virtiofs keeps state in a process beside the guest.")).to_be_visible()
    page.get_by_role("link", name="Migratable", exact=True).click()
    page.get_by_role("link", name="VM without problems").click()
    expect(page.locator("body")).to_contain_text("kind: VirtualMachine")
    context.close()


def test_the_list_of_rules_can_be_filtered(watched: Watched) -> None:
    """
    By any words of a row. The number of rules is announced.
    """
    watched.open("rules")

    watched.page.get_by_label("Filter").fill("pod network binding")

    expect(watched.page.get_by_role("link", name="LM101")).to_be_visible()
    expect(watched.page.get_by_role("link", name="LM203")).to_be_hidden()
    expect(watched.page.locator("#count")).to_have_text("2 rules")
    watched.page.get_by_label("Filter").fill("no such words")
    expect(watched.page.locator("#count")).to_have_text("0 rules")
    watched.assert_clean()


@pytest.mark.parametrize("path", ["", "rules", "rules/LM101"])
def test_a_page_is_small(browser: Browser, server: Alone, path: str) -> None:
    """
    Everything that a page loads weighs at most 150 KiB, without compression.
    """
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()

    page.goto(f"{server.url}{path}", wait_until="networkidle")

    weights = loaded(page)
    assert len(weights) >= 3
    assert sum(weights) <= MOST_WEIGHT
    context.close()
