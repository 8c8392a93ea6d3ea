"""
The dry-run API and the page: the same verdicts as admission and command line, for manifests that are sent here.

With a cluster attached it looks there only for callers who could ask the API server the same (``authorising``).
"""

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from webhook import __version__
from webhook.errors import BadInput, WebhookError
from webhook.facts.layered_world import LayeredWorld
from webhook.facts.objects_world import ObjectsWorld
from webhook.policy import Policy, Profile
from webhook.report import as_json, catalogue
from webhook.report.model import Report
from webhook.resolve.kubeyaml import MAX_BYTES
from webhook.resolve.manifests import Given, objects_in, read_manifests
from webhook.surfaces.api.authorising import ANONYMOUS, AttachedCluster, world_for
from webhook.surfaces.checking import Settings, check, check_in

YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
ACCEPTED = YAML | {"application/json"}
"""Types that no HTML form can send, so that another site's page cannot make a browser post here unasked."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PAGE = {"/": ("index.html", "text/html; charset=utf-8"), "/page.js": ("page.js", "text/javascript; charset=utf-8")} | {
    "/page.css": ("page.css", "text/css; charset=utf-8")
}
STATUS = {"bad-input": 400, "unavailable": 503, "misconfigured": 500}


class Terms(Protocol):
    """What is in force: the same policy and date as at the admission door."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        ...

    @property
    def today(self) -> str:
        """``YYYY-MM-DD``."""
        ...


def build_api(
    terms: Callable[[], Terms], background: Sequence[Given], release: str, cluster: AttachedCluster | None = None
) -> FastAPI:
    """
    The application of the API listener.

    ``background`` are manifests that references may be looked up in; ``release`` is the pinned one, or empty;
    ``cluster`` is looked at for callers who show that they may.
    """
    app = FastAPI(
        title="Migratable",
        version=__version__,
        summary="Will KubeVirt be able to live-migrate this virtual machine?",
        docs_url=None,
        redoc_url=None,
    )
    _add_check(app, terms, background, release, cluster)
    _add_catalogue(app)
    _add_page(app)
    _add_manners(app)
    return app


def _add_check(
    app: FastAPI,
    terms: Callable[[], Terms],
    background: Sequence[Given],
    pinned: str,
    cluster: AttachedCluster | None,
) -> None:
    @app.post(
        "/v1/check",
        summary="Judge manifests",
        responses={
            200: {"description": "The answer.", "content": {"application/json": {"schema": _ref("Report")}}},
            401: _problem_response("The token is not valid (only with a cluster attached)."),
            403: _problem_response("No right to create VirtualMachines in a namespace of the manifests."),
            503: _problem_response("The cluster did not answer."),
            400: _problem_response("The body could not be read, or the release cannot be judged."),
            413: _problem_response("The body is too large."),
            415: _problem_response("The body is neither JSON nor YAML by its Content-Type."),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "One or many objects: the virtual machine and whatever it refers to.",
                "content": {kind: {"schema": {}} for kind in sorted(ACCEPTED)},
            }
        },
    )
    async def check_manifests(
        request: Request,
        profile: Annotated[Profile | None, Query(description="strict or exact; else the policy's.")] = None,
        release: Annotated[str, Query(max_length=20, description="any, or a minor release such as 1.9.")] = "",
    ) -> Response:
        """
        The same answer as `migratable check -o json`. Nothing is stored.

        With a cluster attached, references are looked up in it for callers whose bearer token may create
        VirtualMachines in every namespace of the manifests; others are answered by the manifests alone.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ACCEPTED:
            raise HTTPException(415, "Send application/yaml or application/json.")
        content = await _body(request)
        now = terms()
        policy = now.policy if profile is None else now.policy.with_profile(profile)
        inputs = read_manifests(content, "-")
        if inputs.problems and not inputs.given:
            raise inputs.problems[0]
        settings = Settings(policy, release or pinned, now.today)
        if cluster is None:
            report = check([inputs], settings, background)
        else:
            seen = await world_for(cluster, request.headers.get("authorization", ""), inputs.given)
            given = ObjectsWorld(objects_in(inputs.given))
            report = check_in(given if seen is None else LayeredWorld(given, seen), [inputs], settings)
            if seen is None:
                report = msgspec.structs.replace(report, notes=[*report.notes, ANONYMOUS])
        return Response(as_json.render(report), media_type="application/json")


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise HTTPException(413, f"Send at most {MAX_BYTES // 2**20} MiB.")
        parts.append(part)
    return b"".join(parts)


def _add_catalogue(app: FastAPI) -> None:
    @app.get("/v1/rules", summary="List the rules")
    async def rules() -> list[dict[str, Any]]:
        """Every rule, as its page tells it."""
        return catalogue.entries()

    @app.get("/v1/schema", summary="The JSON Schema of answers")
    async def schema() -> dict[str, Any]:
        """The shape of `POST /v1/check`'s answer and of `migratable check -o json`."""
        return as_json.schema()


def _add_page(app: FastAPI) -> None:
    folder = files("webhook.surfaces.api") / "page"
    for path, (name, kind) in PAGE.items():
        app.add_api_route(path, _static((folder / name).read_bytes(), kind), include_in_schema=False)


def _static(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return Response(content, media_type=kind)

    return give


def _add_manners(app: FastAPI) -> None:
    """Headers on every answer, errors as problem+json that never repeat the body, and an OpenAPI of the real shapes."""

    @app.middleware("http")
    async def add_headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(WebhookError)
    async def tell(_request: Request, error: WebhookError) -> JSONResponse:
        extra: dict[str, Any] = {}
        if isinstance(error, BadInput):
            extra = {"line": error.line, "column": error.column, "document": error.document, "path": error.path}
        return _problem(STATUS.get(error.code, 500), error.message, code=error.code, remedy=error.remedy, **extra)

    @app.exception_handler(HTTPException)
    async def tell_http(_request: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def tell_parameters(_request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [f"{'.'.join(str(step) for step in each['loc'][1:])}: {each['msg']}" for each in error.errors()]
        return _problem(400, "; ".join(wrong), code="bad-input", remedy="Correct the parameters.")

    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = described()
            (_,), shapes = msgspec.json.schema_components([Report], ref_template="#/components/schemas/{name}")
            schema.setdefault("components", {}).setdefault("schemas", {}).update(shapes)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the schema


def _problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **extra: object) -> JSONResponse:
    body = {
        "title": detail,
        "status": status,
        **{key: value for key, value in extra.items() if value not in (None, "")},
    }
    return JSONResponse(body, status, media_type="application/problem+json", headers=headers)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem_response(description: str) -> dict[str, Any]:
    shape = {
        "type": "object",
        "required": ["title", "status"],
        "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "remedy": {"type": "string"}},
    }
    return {"description": description, "content": {"application/problem+json": {"schema": shape}}}
