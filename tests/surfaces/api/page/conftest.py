"""One server for all tests of the pages in a worker, and a fresh context for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.serve.alone import Alone, alone
from tests.surfaces.api.page.watched import Watched


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    with alone(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture
def watched(browser: Browser, server: Alone) -> Iterator[Watched]:
    """The check page."""
    context = browser.new_context(ignore_https_errors=True, permissions=["clipboard-read", "clipboard-write"])
    yield Watched.of(context, server.url).open()
    context.close()
