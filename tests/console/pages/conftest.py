"""One server for each file, whose source each test can exchange, and a fresh context for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.pages.serving import Pages, pages
from tests.console.states import SOURCE
from tests.surfaces.api.page.watched import Watched
from webhook.surfaces.api.console.messages import Sight

NOW = 1_800_000_040
"""Seconds since 1970: 30 seconds after the judgements of the state of the tests."""


@pytest.fixture(scope="module")
def running() -> Iterator[Pages]:
    with pages() as served:
        yield served


@pytest.fixture
def served(running: Pages) -> Pages:
    """The server with the state of the tests."""
    running.source, running.sight, running.status = SOURCE, Sight(), 0
    running.statuses.clear()
    return running


@pytest.fixture
def watched(browser: Browser, served: Pages) -> Iterator[Watched]:
    """The overview. Its clock is at ``NOW``, and runs only when a test says so."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = Watched.of(context, served.url)
    page.page.clock.install(time=NOW - 1)
    page.page.clock.pause_at(NOW)
    yield page.open("fleet")
    context.close()
