"""A page in Chromium, with a record of everything that must not happen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""


@dataclass
class Watched:
    """A page, and a record of forbidden events."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: BrowserContext, url: str) -> "Watched":
        """A new page that shows nothing yet."""
        page = context.new_page()
        watched = cls(page, url)
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("console", lambda line: watched.errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: watched.requests.append(request.url))
        return watched

    def open(self, path: str = "") -> "Watched":
        """Opens a page of the server."""
        self.page.goto(f"{self.url}{path}")
        return self

    @property
    def text(self) -> str:
        """The manifests in the editor."""
        return self.page.get_by_label("Manifests, YAML or JSON").input_value()

    def judge(self, text: str) -> None:
        """Writes a text, and waits for the answer with everything that belongs to it."""
        area = self.page.get_by_label("Manifests, YAML or JSON")
        area.fill("")
        area.press("Control+Enter")
        expect(self.page.locator("#start")).to_be_visible()
        area.fill(text)
        self.answered(lambda: area.press("Control+Enter"))

    def answered(self, action: Callable[[], Any]) -> None:
        """Does something that leads to a check, and waits until its answer is complete."""
        with self.page.expect_response(
            lambda response: "/v1/check" in response.url and "compare" not in response.url
        ) as first:
            action()
        assert first.value.status == 200
        self.settled()

    def settled(self) -> None:
        """Waits until no check is under way."""
        expect(self.page.locator("body")).to_have_attribute("data-checking", "no")

    def assert_clean(self) -> None:
        """No policy violation, no error, no request to another host."""
        assert self.page.evaluate("window.broken") == []
        assert self.errors == []
        assert [url for url in self.requests if not url.startswith((self.url, "blob:"))] == []
