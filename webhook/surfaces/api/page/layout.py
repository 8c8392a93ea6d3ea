"""The frame of every page: head, header with navigation, main part, footer. This module does no I/O."""

from collections.abc import Iterable, Sequence
from typing import Final

from webhook import __version__
from webhook.surfaces.api.page.markup import Child, Html, element, join

NAME: Final = "Migratable"
SECTIONS: Final = (("/", "Check"), ("/rules", "Rules"))
"""Address and name of each section in the navigation."""
FLEET: Final = "/fleet"
"""The address of the section with the pages for operators, for a server that has them."""
CHECK: Final = "migratable check FILE"
"""The command that answers as the page for manifests does."""


def document(
    title: str,
    *main: Child,
    here: str = "",
    scripts: Sequence[str] = (),
    kind: str = "",
    has_fleet: bool = False,
    user: str = "",
    command: str = CHECK,
) -> bytes:
    """
    A whole page. ``here`` is the address of the current section, and ``kind`` is the class of the main part.

    Scripts are loaded as modules. A page must be readable without them. ``user`` is the signed-in user, who can sign out.
    ``command`` is the command line with the same answer as the page.
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
        _header(here, (*SECTIONS, (FLEET, "Fleet")) if has_fleet else SECTIONS, user),
        element("main", *main, id="main", class_=kind or None),
        _footer(command),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n".encode()


def _header(here: str, sections: Sequence[tuple[str, str]], user: str) -> Html:
    mark = element("img", src="/icon.svg", alt="", width=28, height=28)
    home = element("a", mark, element("span", NAME), class_="home", href="/")
    links = (
        element("a", name, href=address, aria_current="page" if address == here else None) for address, name in sections
    )
    return element(
        "header",
        home,
        element("nav", *links, aria_label="Sections"),
        _account(user) if user else None,
        class_="top",
    )


def _account(user: str) -> Html:
    """The signed-in user. A form signs out, because a link to another page must not."""
    return element(
        "form",
        element("span", user, class_="user", title=user),
        element("button", "Sign out"),
        class_="account",
        method="post",
        action="/sign-out",
    )


def _footer(command: str) -> Html:
    return element(
        "footer",
        element("span", f"{NAME} {__version__}"),
        element("a", "API", href="/openapi.json"),
        element("span", "On the command line: ", element("code", command)),
        class_="foot",
    )


def trail(*steps: tuple[str, str], here: str) -> Html:
    """The way back from a page: links to the pages above it."""
    links = (join(element("a", name, href=address), " / ") for address, name in steps)
    return element("nav", *links, element("span", here, aria_current="page"), class_="trail", aria_label="Way back")


def table(titles: Sequence[str], rows: Iterable[Sequence[Child]], kind: str = "list") -> Html:
    """A table. The first cell of each row is its name, and ``kind`` is the class."""
    head = element("tr", (element("th", title, scope="col") for title in titles))
    body = (
        element("tr", element("th", name, scope="row"), (element("td", cell) for cell in cells))
        for name, *cells in rows
    )
    return element("table", element("thead", head), element("tbody", body), class_=kind)


def badge(state: str, words: str) -> Html:
    """
    A state with its mark and words. ``state`` is one of ``MARKS`` (``docs/page.md``).
    """
    return element(
        "span", element("span", MARKS[state], class_="mark", aria_hidden="true"), words, class_=f"badge {state}"
    )


MARKS: Final = {"deny": "✕", "hold": "…", "warn": "!", "open": "?", "good": "✓", "note": "i"}
