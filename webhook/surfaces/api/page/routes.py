"""The addresses of the HTML pages and of their files."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Response

from webhook.kubevirt.releases import PREVIEW, TABLE
from webhook.surfaces.api.page import rule_pages

HTML: Final = "text/html; charset=utf-8"
FILES: Final = {
    "page.js": "text/javascript; charset=utf-8",
    "rules.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_NO_RELEASES: Final = b'<select id="release"></select>'
"""The place in the page for the releases."""


def add_pages(app: FastAPI) -> None:
    """Adds the pages to an application. They are not part of the API's OpenAPI document."""
    folder = files("webhook.surfaces.api.page") / "assets"
    for name, kind in FILES.items():
        _add(app, f"/{name}", _static((folder / name).read_bytes(), kind))
    check = (folder / "index.html").read_bytes().replace(_NO_RELEASES, _select_of_releases())
    _add(app, "/", _static(check, HTML))

    async def rules() -> Response:
        return Response(rule_pages.index(), media_type=HTML)

    async def rule(word: str) -> Response:
        page = rule_pages.page(word) if len(word) <= MOST_WORD else None
        if page is None:
            return Response(rule_pages.missing(word[:MOST_WORD]), 404, media_type=HTML)
        return Response(page, media_type=HTML)

    _add(app, rule_pages.INDEX, rules)
    _add(app, f"{rule_pages.INDEX}/{{word}}", rule)


MOST_WORD: Final = 80
"""Maximum length of a rule name in an address."""


def _add(app: FastAPI, path: str, give: Callable[..., Awaitable[Response]]) -> None:
    app.add_api_route(path, give, include_in_schema=False)


def _static(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return Response(content, media_type=kind)

    return give


def _select_of_releases() -> bytes:
    """The choice of every release that ``check`` accepts, newest first."""
    labels = {"": "default", "any": "any"}
    for behaviour in reversed(TABLE):
        release = str(behaviour.release)
        labels[release] = f"{release} (preview)" if behaviour.release == PREVIEW else release
    options = "".join(f'\n<option value="{value}">{label}</option>' for value, label in labels.items())
    return _NO_RELEASES.replace(b"></", f">{options}\n</".encode())
