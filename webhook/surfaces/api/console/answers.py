"""Tokens in requests, and answers: to a browser as a page, to another client as problem+json."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from webhook.surfaces.api.console import small_pages
from webhook.surfaces.api.console.sight import NamespaceNeeded
from webhook.surfaces.api.http import HEADERS
from webhook.surfaces.api.page.layout import FLEET

HTML: Final = "text/html; charset=utf-8"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
COOKIE: Final = "__Host-migratable"
"""A browser accepts this name only over HTTPS, for this host, and for all paths (RFC 6265bis, section 4.1.3.2)."""
KEPT: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"
MOST_COOKIE: Final = 3800
"""Maximum length of the value. A browser ignores a cookie of more than 4,096 bytes."""
RETRY: Final = {"Retry-After": "5"}
FORMS: Final = {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
}
"""The pages for operators have forms, which lead to this server only."""
_OWN: Final = re.compile(rf"{FLEET}(/[\w.~%!$&'()*+,;=:@/-]*)?(\?[\w.~%!$&'()*+,;=:@/?-]*)?", re.ASCII)
"""The path and query of a page for operators (RFC 3986, section 3.3)."""


def bearer_token(request: Request) -> str:
    """The token in the Authorization header, otherwise the token in the cookie. Empty if there is none."""
    if authorization := request.headers.get("authorization", ""):
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return unquote(request.cookies.get(COOKIE, ""))


def cookie_of(token: str) -> str | None:
    """The Set-Cookie header that keeps a token until the browser is closed, or None if the token is too long."""
    value = quote(token, safe="")
    return f"{COOKIE}={value}; {KEPT}" if len(value) <= MOST_COOKIE else None


NO_COOKIE: Final = {"Set-Cookie": f"{COOKIE}=; {KEPT}; Max-Age=0"}
"""The header that removes the token from the browser."""


def is_browser(request: Request) -> bool:
    """Whether the answer is shown as a page. A script that updates a page, and a client with a token, get a status."""
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")


def html(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page."""
    return Response(body, status, headers=FORMS | dict(headers or {}), media_type=HTML)


def unauthorized(request: Request) -> Response:
    """Sends a browser to the form for a token."""
    if not is_browser(request):
        raise HTTPException(401, "Send the bearer token of a user of this cluster.", {"WWW-Authenticate": "Bearer"})
    words = {"to": own_path(address_of(request))} | ({"ended": "1"} if COOKIE in request.cookies else {})
    return redirect(f"{SIGN_IN}?{urlencode(words)}")


def forbidden(request: Request, user: str) -> Response:
    """Names the missing permissions."""
    if is_browser(request):
        return html(small_pages.nothing_visible(user), 403)
    raise HTTPException(
        403, f"{user} may not list virtualmachines and virtualmachineinstances in a namespace that has VMs."
    )


def namespace_needed(request: Request, error: NamespaceNeeded) -> Response:
    """Asks for a namespace."""
    if not is_browser(request):
        raise HTTPException(400, f"{error.problem} Add ?namespace=NAME to the address.")
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "namespace"]
    return html(small_pages.namespace_needed(error.user, error.problem, quote(request.scope["path"]), kept))


def redirect(path: str, headers: Mapping[str, str] | None = None) -> Response:
    """Sends a browser to a path of this server."""
    return Response(status_code=303, headers={"Location": path} | dict(headers or {}))


def own_path(address: str) -> str:
    """The address if it leads to a page for operators, otherwise that of the overview."""
    return address if _OWN.fullmatch(address) else FLEET


def address_of(request: Request) -> str:
    """The path and query of a request, in ASCII."""
    path, query = quote(request.scope["path"]), request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
