"""
One server for all tests of the pages in a worker, one browser for each file, and a fresh context for each test.

Playwright keeps an event loop running until it is stopped, so tests of other files could not start theirs.
"""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.serve.alone import Alone, alone
from tests.surfaces.api.page.watched import Watched

NONE = "no Chromium: install it (apt-get install chromium) to test the page"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    with alone(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip(NONE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def watched(browser: Browser, server: Alone) -> Iterator[Watched]:
    """The check page."""
    context = browser.new_context(ignore_https_errors=True, permissions=["clipboard-read", "clipboard-write"])
    yield Watched.of(context, server.url).open()
    context.close()
