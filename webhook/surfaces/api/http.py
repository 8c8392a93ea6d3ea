"""
Headers, errors and OpenAPI document of the API.

Errors are problem+json (RFC 9457), and never repeat the body of the request.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from webhook.errors import BadInput, WebhookError
from webhook.report.model import Report

log = logging.getLogger("migratable.api")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATUS = {"bad-input": 400, "unavailable": 503, "misconfigured": 500}
SCHEMAS = "#/components/schemas/"
PROBLEM = "application/problem+json"
UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")
"""Schemas that FastAPI adds but the API never returns: an invalid parameter also gives a Problem."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error, with its place and remedy if there are any."""

    title: str
    status: int
    code: str = ""
    remedy: str = ""
    document: int | None = None
    line: int | None = None
    column: int | None = None
    path: str = ""


def add_headers_and_errors(app: FastAPI) -> None:
    """Adds HEAD, headers, error handlers and the real schemas to an application."""
    app.add_middleware(_HeadAsGet)

    @app.middleware("http")
    async def add_headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            response = await call(request)
        except Exception as error:  # noqa: BLE001 - the outermost handler: no traceback, no text of the body
            log.error("internal error", extra={"error": type(error).__name__})  # noqa: TRY400 - no locals
            response = _answer(
                Problem("Internal error in Migratable.", 500, "internal", "Report it with the server log.")
            )
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(WebhookError)
    async def on_webhook_error(_request: Request, error: WebhookError) -> Response:
        problem = Problem(error.message, STATUS.get(error.code, 500), error.code, error.remedy)
        if isinstance(error, BadInput):
            place = {"document": error.document, "line": error.line, "column": error.column, "path": error.path}
            problem = msgspec.structs.replace(problem, **place)
        return _answer(problem, {"Retry-After": "1"} if problem.status == 503 else None)

    @app.exception_handler(HTTPException)
    async def on_http_error(_request: Request, error: HTTPException) -> Response:
        return _answer(Problem(str(error.detail), error.status_code), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def on_invalid_parameters(_request: Request, error: RequestValidationError) -> Response:
        details = [f"{'.'.join(str(step) for step in detail['loc'][1:])}: {detail['msg']}" for detail in error.errors()]
        return _answer(Problem("; ".join(details), 400, "bad-input", "Correct the parameters."))

    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_real_schemas(original())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the schema


class _HeadAsGet:
    """Answers HEAD as GET (RFC 9110, section 9.3.2). The server leaves out the body, because its own scope still has HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        await self._app({**scope, "method": "GET"} if is_head else scope, receive, send)


def problem_response(description: str) -> dict[str, Any]:
    """An error response, for the OpenAPI document."""
    return {"description": description, "content": {PROBLEM: {"schema": {"$ref": f"{SCHEMAS}Problem"}}}}


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(problem), problem.status, headers=headers, media_type=PROBLEM)


def _with_real_schemas(document: dict[str, Any]) -> dict[str, Any]:
    _, shapes = msgspec.json.schema_components([Report, Problem], ref_template=SCHEMAS + "{name}")
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(shapes)
    for name in UNUSED_SCHEMAS:
        schemas.pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return document
