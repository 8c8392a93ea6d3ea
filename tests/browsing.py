"""Chromium for the tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NONE = "no Chromium: install it (apt-get install chromium) to test the page"


@contextmanager
def chromium() -> Iterator[Browser]:
    """
    Runs Chromium. Skips the test without one.

    Playwright keeps an event loop running until it is stopped, so each file of tests has a browser of its own.
    """
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip(NONE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


def loaded(page: Page) -> list[int]:
    """The sizes of the page and of everything that it has loaded, in bytes without compression (Resource Timing)."""
    sizes: list[int] = page.evaluate(
        """["navigation", "resource"]
            .flatMap((kind) => performance.getEntriesByType(kind))
            .map((entry) => entry.decodedBodySize)"""
    )
    return sizes
