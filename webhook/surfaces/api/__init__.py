"""
The dry-run API and the page: the same verdicts as admission and command line, for manifests that are sent here.

With a cluster attached it looks there only for callers who could ask the API server the same (``authorising``).
"""

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import FastAPI, Query, Request, Response
from starlette.exceptions import HTTPException

from webhook import __version__
from webhook.errors import BadInput
from webhook.facts.layered_world import LayeredWorld
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import SUPPORTED, each
from webhook.policy import Policy, Profile
from webhook.report import as_json, catalogue
from webhook.report.model import Report
from webhook.resolve.kubeyaml import MAX_BYTES
from webhook.resolve.manifests import Given, Manifests, objects_in, read_manifests
from webhook.surfaces.api.authorising import ANONYMOUS, AttachedCluster, world_for
from webhook.surfaces.api.judging import Judging
from webhook.surfaces.api.manners import SCHEMAS, add_manners, problem_response
from webhook.surfaces.checking import Settings, check, check_in

YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
ACCEPTED = YAML | {"application/json"}
"""Types that no HTML form can send, so that another site's page cannot make a browser post here unasked."""
PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


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
        redirect_slashes=False,  # Starlette would build the Location from the Host header
    )
    _add_check(app, terms, background, release, cluster)
    _add_catalogue(app)
    _add_page(app)
    add_manners(app)
    return app


def _add_check(
    app: FastAPI,
    terms: Callable[[], Terms],
    background: Sequence[Given],
    pinned: str,
    cluster: AttachedCluster | None,
) -> None:
    judging = Judging()

    @app.post(
        "/v1/check",
        summary="Judge manifests",
        responses={
            200: {
                "description": "The answer.",
                "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}Report"}}},
            },
            400: problem_response("The body or a parameter could not be read, or the release cannot be judged."),
            401: problem_response("The token is not valid (only with a cluster attached)."),
            403: problem_response("No right to create VirtualMachines in a namespace of the manifests."),
            413: problem_response("The body is too large."),
            415: problem_response("The body is neither JSON nor YAML by its Content-Type."),
            503: problem_response("Too much is asked at once, or the cluster did not answer; see Retry-After."),
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
        settings = Settings(policy, release or pinned, now.today)
        inputs = await judging.do(lambda: _read(content))
        if cluster is None:
            return await judging.do(lambda: _answer(check([inputs], settings, background)))
        seen = await world_for(cluster, request.headers.get("authorization", ""), inputs.given)
        given = ObjectsWorld(objects_in(inputs.given))
        world = given if seen is None else LayeredWorld(given, seen)
        notes = [ANONYMOUS] if seen is None else []
        return await judging.do(lambda: _answer(check_in(world, [inputs], settings), notes))


def _read(content: bytes) -> Manifests:
    """The objects in a body; where it holds none at all, what is wrong with it is the answer."""
    inputs = read_manifests(content, "-")
    if inputs.problems and not inputs.given:
        raise inputs.problems[0]
    if not content.strip():
        raise BadInput("the body is empty", remedy="Send manifests, as YAML or JSON.")
    return inputs


def _answer(report: Report, notes: Sequence[str] = ()) -> Response:
    if notes:
        report = msgspec.structs.replace(report, notes=[*report.notes, *notes])
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

    @app.get("/v1/releases", summary="List the KubeVirt releases")
    async def releases() -> list[str]:
        """The minor releases that *any* stands for, newest first."""
        return [str(behaviour.release) for behaviour in each(SUPPORTED)][::-1]

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
