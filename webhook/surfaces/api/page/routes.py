"""The addresses of the HTML pages and of their files."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final, NamedTuple

from fastapi import FastAPI, Response
from starlette.background import BackgroundTask

from webhook.surfaces.api.page import check_page, rule_pages
from webhook.surfaces.api.page.examples import EXAMPLES, text_of

HTML: Final = "text/html; charset=utf-8"
FILES: Final = {
    "check.js": "text/javascript; charset=utf-8",
    "editor.js": "text/javascript; charset=utf-8",
    "report.js": "text/javascript; charset=utf-8",
    "links.js": "text/javascript; charset=utf-8",
    "rules.js": "text/javascript; charset=utf-8",
    "fleet.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "unscripted.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
MOST_WORD: Final = 80
"""Maximum length of a rule name in an address."""


class Defaults(NamedTuple):
    """The values that apply if a request does not choose others."""

    profile: str
    release: str


def add_pages(
    app: FastAPI,
    defaults: Callable[[], Defaults],
    prepare: Callable[[], Awaitable[None]],
    *,
    has_cluster: bool,
    has_fleet: bool = False,
) -> None:
    """
    Adds the pages to an application. They are not part of the API's OpenAPI document.

    ``prepare`` is called after the check page was sent, because checks follow. ``has_fleet`` adds links to the pages for
    operators.
    """
    folder = files("webhook.surfaces.api.page") / "assets"
    for name, kind in FILES.items():
        _add(app, f"/{name}", _static((folder / name).read_bytes(), kind))
    for example in EXAMPLES:
        _add(app, example.path, _static(text_of(example.name), "text/plain; charset=utf-8"))

    async def check() -> Response:
        page = check_page.page(*defaults(), has_cluster=has_cluster, has_fleet=has_fleet)
        return Response(page, media_type=HTML, background=BackgroundTask(prepare))

    async def rules() -> Response:
        return Response(rule_pages.index(has_fleet=has_fleet), media_type=HTML)

    async def rule(word: str) -> Response:
        page = rule_pages.page(word, has_fleet=has_fleet) if len(word) <= MOST_WORD else None
        if page is None:
            return Response(rule_pages.missing(word[:MOST_WORD], has_fleet=has_fleet), 404, media_type=HTML)
        return Response(page, media_type=HTML)

    _add(app, "/", check)
    _add(app, rule_pages.INDEX, rules)
    _add(app, f"{rule_pages.INDEX}/{{word}}", rule)


def _add(app: FastAPI, path: str, give: Callable[..., Awaitable[Response]]) -> None:
    app.add_api_route(path, give, include_in_schema=False)


def _static(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return Response(content, media_type=kind)

    return give
