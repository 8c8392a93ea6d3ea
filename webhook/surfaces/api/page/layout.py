"""The frame of every page: head, header with navigation, main part, footer. This module does no I/O."""

from collections.abc import Sequence
from typing import Final

from webhook import __version__
from webhook.surfaces.api.page.markup import Child, Html, element, join

NAME: Final = "Migratable"
SECTIONS: Final = (("/", "Check"), ("/rules", "Rules"))
"""Address and name of each section in the navigation."""


def document(
    title: str,
    *main: Child,
    here: str = "",
    scripts: Sequence[str] = (),
    sections: Sequence[tuple[str, str]] = SECTIONS,
    kind: str = "",
) -> bytes:
    """
    A whole page. ``here`` is the address of the current section, and ``kind`` is the class of the main part.

    Scripts are loaded as modules. A page must be readable without them.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title if title == NAME else f"{title} · {NAME}"),
        element("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
        element("link", rel="stylesheet", href="/page.css"),
        element("noscript", element("link", rel="stylesheet", href="/unscripted.css")),
        (element("script", type="module", src=script) for script in scripts),
    )
    body = element(
        "body",
        element("a", "Skip to the content", class_="skip", href="#main"),
        _header(here, sections),
        element("main", *main, id="main", class_=kind or None),
        _footer(),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n".encode()


def _header(here: str, sections: Sequence[tuple[str, str]]) -> Html:
    home = element("a", element("img", src="/icon.svg", alt="", width=28, height=28), NAME, class_="home", href="/")
    links = (
        element("a", name, href=address, aria_current="page" if address == here else None) for address, name in sections
    )
    return element("header", home, element("nav", *links, aria_label="Sections"), class_="top")


def _footer() -> Html:
    return element(
        "footer",
        element("span", f"{NAME} {__version__}"),
        element("a", "API", href="/openapi.json"),
        element("span", "On the command line: ", element("code", "migratable check FILE")),
        class_="foot",
    )


def trail(*steps: tuple[str, str], here: str) -> Html:
    """The way back from a page: links to the pages above it."""
    links = (join(element("a", name, href=address), " / ") for address, name in steps)
    return element("nav", *links, element("span", here, aria_current="page"), class_="trail", aria_label="Way back")


def badge(state: str, words: str) -> Html:
    """
    A state with its mark and words. ``state`` is ``deny``, ``warn``, ``open``, ``good`` or ``note`` (``docs/page.md``).
    """
    return element(
        "span", element("span", MARKS[state], class_="mark", aria_hidden="true"), words, class_=f"badge {state}"
    )


MARKS: Final = {"deny": "✕", "warn": "!", "open": "?", "good": "✓", "note": "i"}
