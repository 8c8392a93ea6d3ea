"""
Writes the screenshots of the pages into ``docs/images``: ``python docs/screenshots.py [NAME...]``. Needs Chromium.

Each view starts from a page of a server and may act on it. To add a view, add a ``View`` to ``VIEWS``; a view whose server needs
other flags names them in ``flags``.

``--all FOLDER`` writes each view at four widths, in light and dark, to compare them by eye.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.serve.alone import alone  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTHS = (390, 820, 1280, 1920)
FLEET = ("--fleet", "examples/fleet", "--fleet", "docs/examples/policies.yaml")
MOST_TRIES = 100
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def nothing(_page: Page) -> None:
    """Shows the page as it is loaded."""


def example(title: str) -> Callable[[Page], None]:
    """Opens an example and waits for its whole answer."""

    def act(page: Page) -> None:
        page.locator("#start").get_by_role("link", name=title).click()
        expect(page.locator("#answer .object")).not_to_have_count(0)
        expect(page.locator("body")).to_have_attribute("data-checking", "no")
        page.evaluate("scrollTo(0, 0)")

    return act


def judged(page: Page) -> None:
    """Waits until all objects are judged and all drains are rehearsed."""
    for _ in range(MOST_TRIES):
        if page.locator(".notice").count() == 0 and page.get_by_role("link", name="Nodes 6").count() == 1:
            return
        page.wait_for_timeout(200)
        page.reload()
    sys.exit("error: the fleet is not judged")


class View(NamedTuple):
    """A page in a state that is worth a picture."""

    name: str
    about: str
    path: str = ""
    act: Callable[[Page], None] = nothing
    width: int = 1280
    height: int = 860
    scheme: Literal["light", "dark"] = "light"
    flags: tuple[str, ...] = ()
    """The flags of the server."""


VIEWS = (
    View("first-view", "The check page before the first check"),
    View("findings", "Findings at their lines, with a fix", act=example("Bridge binding")),
    View("comparison", "Releases compared", act=example("Shared filesystem"), scheme="dark"),
    View("phone", "The answer on a phone", act=example("Bridge binding"), width=390, height=844),
    View("rule", "The page of a rule", path="rules/LM203"),
    View("fleet", "The fleet at a glance", path="fleet", act=judged, flags=FLEET),
    View("fleet-vms", "VMs by the effect of a drain", path="fleet/vms?sort=drain", act=judged, flags=FLEET),
    View("fleet-vm", "One VM of the fleet", path="fleet/vms/erp/archive", act=judged, flags=FLEET),
    View("fleet-node", "The drain of one node", path="fleet/nodes/worker-2", act=judged, flags=FLEET, scheme="dark"),
    View("fleet-policies", "MigrationPolicies and their VMs", path="fleet/policies", act=judged, flags=FLEET),
)


def take(browser: Browser, url: str, view: View, path: Path) -> None:
    """Writes one picture."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,
        has_touch=view.width < 600,
        is_mobile=view.width < 600,
    )
    page = context.new_page()
    page.goto(f"{url}{view.path}")
    view.act(page)
    page.screenshot(path=path, animations="disabled")
    context.close()


def variants(view: View) -> Iterator[View]:
    """The view at each width, in light and dark."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            name = f"{view.name}-{width}-{scheme}"
            yield view._replace(name=name, width=width, height=844 if width == WIDTHS[0] else 1000, scheme=scheme)


def write(views: Sequence[View], folder: Path) -> None:
    """Writes the pictures. Views with the same flags share a server."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("error: Chromium is not installed. Install it: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for flags, members in groupby(sorted(views, key=lambda view: view.flags), key=lambda view: view.flags):
            with tempfile.TemporaryDirectory() as state, alone(Path(state), *flags) as server:
                for view in members:
                    take(browser, server.url, view, folder / f"{view.name}.png")
                    sys.stdout.write(f"{view.name}.png written\n")
        browser.close()


def main() -> None:
    """Writes the pictures that the arguments name."""
    parser = argparse.ArgumentParser(description="Writes the screenshots of the pages.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="views to write (default: all)")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write each view at four widths, in light and dark")
    options = parser.parse_args()
    views = [view for view in VIEWS if not options.names or view.name in options.names]
    if options.all is None:
        write(views, IMAGES)
    else:
        write([variant for view in views for variant in variants(view)], options.all)


if __name__ == "__main__":
    main()
