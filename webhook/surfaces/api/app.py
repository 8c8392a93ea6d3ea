"""
The dry-run API and the page. They return the same verdicts as admission and the command line, for manifests in a request.

With a cluster attached, a response depends only on objects that the caller is allowed to read (``authorization``).
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import FastAPI, Query, Request, Response
from starlette.exceptions import HTTPException

from webhook import __version__
from webhook.check.check import Settings
from webhook.kubevirt.releases import SUPPORTED, behaviours
from webhook.manifests.objects import ManifestObject
from webhook.policy.policy import Policy, Profile
from webhook.report import as_json, catalogue
from webhook.surfaces.api.authorization import ANONYMOUS, AttachedCluster, world_for
from webhook.surfaces.api.console.client import Console
from webhook.surfaces.api.console.routes import add_fleet
from webhook.surfaces.api.console.sight import Sights
from webhook.surfaces.api.http import SCHEMAS, add_headers_and_errors, problem_response
from webhook.surfaces.api.judge.messages import Extras
from webhook.surfaces.api.judge_client import InProcess, Judge
from webhook.surfaces.api.page.routes import Defaults, add_pages
from webhook.yaml.document import MAX_BYTES

YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
ACCEPTED = YAML | {"application/json"}
"""The accepted types. An HTML form cannot send these types, so a page on another website cannot post to this API."""


class Terms(Protocol):
    """The policy and the date, as in admission."""

    @property
    def policy(self) -> Policy:
        """The current policy."""
        ...

    @property
    def today(self) -> str:
        """``YYYY-MM-DD``."""
        ...


def build_api(
    terms: Callable[[], Terms],
    background: Sequence[ManifestObject],
    release: str,
    cluster: AttachedCluster | None = None,
    judge: Judge | None = None,
    console: Console | None = None,
) -> FastAPI:
    """
    The application of the API listener.

    References are also looked up in ``background``, and in ``cluster`` for authorized callers. ``release`` is the pinned
    release, or empty. ``judge`` has its own background objects. Without a ``judge``, this process judges in threads. ``console``
    renders the pages for operators, if there are any.
    """
    app = FastAPI(
        title="Migratable",
        version=__version__,
        summary="Can KubeVirt live-migrate this virtual machine?",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette would build the Location from the Host header
    )
    chosen = judge or InProcess(background)
    _add_check(app, terms, chosen, release, cluster)
    _add_catalogue(app)
    add_pages(
        app,
        lambda: Defaults(terms().policy.profile, release),
        chosen.prepare,
        has_cluster=cluster is not None,
        has_fleet=console is not None,
    )
    if console is not None:
        add_fleet(app, console, Sights(cluster.access) if cluster is not None else None)
    add_headers_and_errors(app)
    return app


def _add_check(
    app: FastAPI,
    terms: Callable[[], Terms],
    judge: Judge,
    pinned: str,
    cluster: AttachedCluster | None,
) -> None:
    @app.post(
        "/v1/check",
        summary="Judge manifests",
        responses={
            200: {
                "description": "The report.",
                "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}Report"}}},
            },
            400: problem_response("The body or a parameter is invalid, or the release is not supported."),
            401: problem_response("The token is not valid (only with a cluster attached)."),
            403: problem_response("The user is not allowed to create VirtualMachines in a namespace of the manifests."),
            413: problem_response("The body is too large."),
            415: problem_response("The Content-Type is neither JSON nor YAML."),
            503: problem_response(
                "Too many requests at the same time, or the cluster did not answer. See Retry-After."
            ),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "One or more objects: the virtual machine and the objects that it refers to.",
                "content": {kind: {"schema": {}} for kind in sorted(ACCEPTED)},
            }
        },
    )
    async def check_manifests(
        request: Request,
        profile: Annotated[
            Profile | None, Query(description="strict or exact. Default: the profile in the policy.")
        ] = None,
        release: Annotated[str, Query(max_length=20, description="any, or a minor release such as 1.9.")] = "",
        edits: Annotated[bool, Query(description="Whether each fix also has its change to the text.")] = False,
        compare: Annotated[
            bool, Query(description="Whether each object also has the verdicts of all published releases.")
        ] = False,
        unreadable: Annotated[
            bool, Query(description="Whether the response for an unreadable body is a report that lists the problems.")
        ] = False,
    ) -> Response:
        """
        Returns the same report as `migratable check -o json`. Nothing is stored.

        With a cluster attached, references are also looked up in the cluster. This lookup needs a bearer token of a user
        that is allowed to create VirtualMachines in every namespace of the manifests. Without a token, only the manifests
        are used.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ACCEPTED:
            raise HTTPException(415, "Send application/yaml or application/json.")
        content = await _body(request)
        now = terms()
        policy = now.policy if profile is None else now.policy.with_profile(profile)
        settings = Settings(policy, release or pinned, now.today)
        extras = Extras(edits, compare, unreadable)
        authorization = request.headers.get("authorization", "")
        if cluster is None:
            report = await judge.report(content, settings, extras=extras)
        elif not authorization:
            report = await judge.report(content, settings, notes=[ANONYMOUS], extras=extras)
        else:
            seen = await world_for(cluster, authorization, await judge.namespaces(content))
            report = await judge.report(content, settings, seen, extras=extras)
        return _json(report)


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


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
    @app.get("/v1/rules", summary="List the rules", response_model=list[dict[str, Any]])
    async def rules() -> Response:
        """Every rule, with the text of its page."""
        return _json(_encoded_rules())

    @app.get("/v1/releases", summary="List the KubeVirt releases")
    async def releases() -> list[str]:
        """The minor releases that *any* means, newest first."""
        return [str(behaviour.release) for behaviour in behaviours(SUPPORTED)][::-1]

    @app.get("/v1/schema", summary="The JSON Schema of reports", response_model=dict[str, Any])
    async def schema() -> Response:
        """The JSON Schema of the report that `POST /v1/check` and `migratable check -o json` return."""
        return _json(_encoded_schema())


@cache  # encoding on the event loop takes as long as 100 admission reviews
def _encoded_rules() -> bytes:
    return msgspec.json.encode(catalogue.entries())


@cache
def _encoded_schema() -> bytes:
    return msgspec.json.encode(as_json.schema())
