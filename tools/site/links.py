"""
Finds broken links and orphan pages in the HTML of a built site.

Links to other sites are not followed. They must be `https`, and name a host and no placeholder such as OWNER.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_EXTERNAL = re.compile(
    r"https://(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/(?:(?!OWNER|REGISTRY|VERSION)[\w.~%/@+:=?&-])*)?(?:#[\w.-]+)?|data:image/.+"
)
_GENERATED = {"genindex.html", "search.html"}
"""Pages of Sphinx that need no link."""


@dataclass(slots=True)
class Page:
    """The anchors and the links of a page."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)


def problems(folder: Path) -> list[str]:
    """One line for each broken link and each page that no path of links from `index.html` reaches."""
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    pages = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
    broken = [line for name in pages for line in _broken(name, pages, folder)]
    orphans = sorted(pages.keys() - _reached(pages) - _GENERATED)
    return broken + [f"{name}: no link leads to this page" for name in orphans]


def _broken(name: str, pages: dict[str, Page], folder: Path) -> Iterator[str]:
    for link in sorted(set(pages[name].links)):
        target = _target(name, link)
        anchor = unquote(urlsplit(link).fragment)
        if target is None:
            if not _EXTERNAL.fullmatch(link):
                yield f"{name}: {link} is no address of another site"
            continue
        if not (folder / target).is_file():
            yield f"{name}: {link} leads to no file"
        elif anchor and target in pages and anchor not in pages[target].anchors:
            yield f"{name}: {link} leads to no heading"


def _reached(pages: dict[str, Page]) -> set[str]:
    reached: set[str] = set()
    waiting = ["index.html"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in pages:
            continue
        reached.add(name)
        waiting += [target for link in pages[name].links if (target := _target(name, link)) is not None]
    return reached


def _target(name: str, link: str) -> str | None:
    """The file that a link of a page leads to, or None for another site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name


def _read(path: Path) -> Page:
    parser = _Reader()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the anchors and the links of a tag."""
        values = dict(attrs)
        if anchor := values.get("id"):
            self.page.anchors.add(anchor)
        for name in ("href", "src"):
            if link := values.get(name):
                self.page.links.append(link)
