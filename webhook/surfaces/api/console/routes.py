"""
The addresses of the pages for operators.

With a cluster, a caller sees what the bearer token's user may list. A browser sends the token in a cookie, which
``POST /sign-in`` sets. The token never reaches the process that renders the pages, a page, or a log.
"""

from hashlib import sha256
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec.structs import replace
from starlette.exceptions import HTTPException

from webhook.errors import Unavailable
from webhook.surfaces.api.console import small_pages
from webhook.surfaces.api.console.answers import (
    RETRY,
    bearer_token,
    forbidden,
    html,
    is_browser,
    namespace_needed,
    unauthorized,
)
from webhook.surfaces.api.console.client import Console
from webhook.surfaces.api.console.messages import PageRequest, Sight
from webhook.surfaces.api.console.sight import InvalidToken, NamespaceNeeded, NothingVisible, Sights
from webhook.surfaces.api.console.sign_in import add_sign_in
from webhook.surfaces.api.page.layout import FLEET

MOST_ADDRESS: Final = 2000
"""Maximum length of a path and of a query."""
EVERYTHING: Final = Sight()


def add_fleet(app: FastAPI, console: Console, sights: Sights | None) -> None:
    """Adds the pages to an application. Without ``sights``, each caller sees everything."""
    pages = Pages(console, sights)
    app.add_api_route(FLEET, pages.get, include_in_schema=False)
    app.add_api_route(f"{FLEET}/{{path:path}}", pages.get, include_in_schema=False)
    if sights is not None:
        add_sign_in(app, sights)


class Pages:
    """Answers requests for pages."""

    def __init__(self, console: Console, sights: Sights | None) -> None:
        self._console = console
        self._sights = sights

    async def get(self, request: Request) -> Response:
        """A page, or the form for a token."""
        path = request.scope["path"].removeprefix(FLEET)
        if max(len(path), len(request.url.query)) > MOST_ADDRESS:
            raise HTTPException(414, f"The address is longer than {MOST_ADDRESS} characters.")
        asked = PageRequest(path, tuple(request.query_params.multi_items()), EVERYTHING)
        try:
            sight = await self._sight(request, asked.namespace)
            return await self._page(request, replace(asked, sight=sight))
        except InvalidToken:
            return unauthorized(request)
        except NothingVisible as error:
            return forbidden(request, error.user)
        except NamespaceNeeded as error:
            return namespace_needed(request, error)
        except Unavailable as error:
            if not is_browser(request):
                raise
            page = small_pages.error("The page is not available", error.message, error.remedy)
            return html(page, 503, RETRY)

    async def _sight(self, request: Request, named: str) -> Sight:
        if self._sights is None:
            return EVERYTHING
        token = bearer_token(request)
        if not token:
            raise InvalidToken
        return await self._sights.sight(token, self._console.namespaces, named)

    async def _page(self, request: Request, asked: PageRequest) -> Response:
        known = _tags(request.headers.get("if-none-match", ""))
        sees_all = replace(asked.sight, user="") == EVERYTHING
        if known and sees_all and (tag := _tag(asked, (await self._console.version()).encode())) in known:
            return Response(status_code=304, headers={"ETag": tag})
        reply = await self._console.page(asked)
        if reply.status != 200:
            return html(reply.body, reply.status)
        # The version changes with objects that the caller may not see.
        tag = _tag(asked, reply.version.encode() if sees_all else reply.body)
        if tag in known:
            return Response(status_code=304, headers={"ETag": tag})
        return html(reply.body, 200, {"ETag": tag})


def _tag(asked: PageRequest, content: bytes) -> str:
    return f'"{sha256(msgspec.msgpack.encode(asked) + content).hexdigest()[:32]}"'


def _tags(header: str) -> frozenset[str]:
    return frozenset(tag.strip().removeprefix("W/") for tag in header.split(",")) - {""}
