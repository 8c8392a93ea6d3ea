"""Requests for pages, and what their answers show."""

import html
import re
from dataclasses import dataclass

from tests.console.states import SOURCE
from webhook.console.pages.router import render
from webhook.console.state import Source
from webhook.surfaces.api.console.messages import PageRequest, Sight

ALL = Sight()


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer."""

    status: int
    html: str

    @property
    def main(self) -> str:
        """The main part with its tags."""
        return self.html.partition("<main")[2].partition("</main>")[0]

    @property
    def text(self) -> str:
        """The text of the main part, with single spaces between elements."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", f"<{self.main}")).split())

    @property
    def rows(self) -> list[str]:
        """The names in the first column of the last table."""
        body = self.main.rpartition("<tbody>")[2]
        return [html.unescape(re.sub(r"<[^>]+>", "", row)) for row in re.findall(r"<th[^>]*>(.*?)</th>", body)]

    @property
    def links(self) -> list[str]:
        """The addresses of all links of the main part."""
        return [html.unescape(address) for address in re.findall(r'href="([^"]+)"', self.main)]


def get(path: str = "", query: tuple[tuple[str, str], ...] = (), sight: Sight = ALL, source: Source = SOURCE) -> Shown:
    """Renders a page."""
    status, body = render(source, PageRequest(path, query, sight))
    return Shown(status, body.decode())
