"""
Signs in and out: a form sends a token, and the browser keeps it in a cookie. The server keeps nothing.

A page on another website cannot sign a visitor in or out: the origin of the form is checked.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from webhook.errors import Unavailable
from webhook.surfaces.api.console import small_pages
from webhook.surfaces.api.console.answers import (
    NO_COOKIE,
    RETRY,
    SIGN_IN,
    SIGN_OUT,
    cookie_of,
    html,
    own_path,
    redirect,
)
from webhook.surfaces.api.console.sight import InvalidToken, Sights

MOST_FORM: Final = 64 * 1024
"""Maximum size of a form in bytes."""
ENDED: Final = "The API server no longer accepts your token. Sign in with a new token."
WRONG: Final = "The API server does not accept this token. Check that the token is complete and has not expired."
EMPTY: Final = "Enter a token."
LONG: Final = (
    "The token is too long for a cookie of a browser (3,800 characters). Use a token of a ServiceAccount, or send the token in "
    "the Authorization header."
)


def add_sign_in(app: FastAPI, sights: Sights) -> None:
    """Adds the forms to an application."""

    async def form(request: Request) -> Response:
        problem = ENDED if "ended" in request.query_params else ""
        return html(small_pages.sign_in(own_path(request.query_params.get("to", "")), problem))

    async def sign_in(request: Request) -> Response:
        _check_origin(request.headers)
        fields = await _form(request)
        token, to = fields.get("token", "").strip(), own_path(fields.get("to", ""))
        cookie = cookie_of(token)
        if not token or cookie is None:
            return html(small_pages.sign_in(to, LONG if token else EMPTY), 400)
        try:
            await sights.user(token)
        except InvalidToken:
            return html(small_pages.sign_in(to, WRONG), 401, {"WWW-Authenticate": "Bearer"})
        except Unavailable as error:
            return html(small_pages.error("You are not signed in", error.message, error.remedy), 503, RETRY)
        return redirect(to, {"Set-Cookie": cookie})

    async def ask() -> Response:
        return html(small_pages.sign_out())

    async def sign_out(request: Request) -> Response:
        _check_origin(request.headers)
        return redirect(SIGN_IN, NO_COOKIE)

    app.add_api_route(SIGN_IN, form, include_in_schema=False)
    app.add_api_route(SIGN_IN, sign_in, methods=["POST"], include_in_schema=False)
    app.add_api_route(SIGN_OUT, ask, include_in_schema=False)
    app.add_api_route(SIGN_OUT, sign_out, methods=["POST"], include_in_schema=False)


def _check_origin(headers: Mapping[str, str]) -> None:
    """
    Raises HTTPException for a form of another origin.

    Each browser sends Sec-Fetch-Site or, before 2023, an Origin. With ``Referrer-Policy: no-referrer``, the Origin of a form is
    ``null``, so Sec-Fetch-Site comes first.
    """
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    if site == "same-origin" if site else origin == f"https://{headers.get('host', '')}":
        return
    raise HTTPException(403, "Send the form from a page of this server.")


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Send application/x-www-form-urlencoded.")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_FORM:
            raise HTTPException(413, f"Send at most {MOST_FORM // 1024} KiB.")
    try:
        fields = parse_qs(content.decode("ascii"), keep_blank_values=True, max_num_fields=4)
    except ValueError:
        raise HTTPException(400, "The body is not a form.") from None
    return {name: values[-1] for name, values in fields.items()}
