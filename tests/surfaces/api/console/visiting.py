"""Requests of visitors to the pages for operators: a cluster with users, and pages that show their request."""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

import msgspec
from fastapi import FastAPI

from tests.surfaces.asgi import Answer, Header, call
from webhook.cluster.access_reviews import User
from webhook.errors import Unavailable
from webhook.surfaces.api.console.messages import NamespacesReply, PageReply, PageRequest
from webhook.surfaces.api.console.routes import add_fleet
from webhook.surfaces.api.console.sight import Sights
from webhook.surfaces.api.http import add_headers_and_errors

HOST = ("host", "console.example")
BROWSER = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
FORM = ("content-type", "application/x-www-form-urlencoded")
SAME_SITE = ("sec-fetch-site", "same-origin")
EVERYTHING = "*"


class Cluster:
    """Access reviews. ``rights`` has the namespaces of each resource that a user may list: ``*`` is all namespaces."""

    def __init__(self, tokens: Mapping[str, str], rights: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self.tokens = dict(tokens)
        self.rights = {user: {kind: set(places) for kind, places in kinds.items()} for user, kinds in rights.items()}
        self.is_down = False
        self.reviews: list[tuple[str, str]] = []
        """Resource and namespace of each access review."""

    def who(self, token: str) -> User | None:
        self._answer()
        return User(self.tokens[token]) if token in self.tokens else None

    def may(self, user: User, attributes: Mapping[str, str], _timeout_seconds: float) -> bool:
        self._answer()
        assert attributes["verb"] == "list"
        resource, namespace = attributes["resource"], attributes.get("namespace", EVERYTHING)
        self.reviews.append((resource, namespace))
        places = self.rights.get(user.username, {}).get(resource, set())
        return EVERYTHING in places or namespace in places

    def may_make_vms(self, _user: User, _namespace: str) -> bool:
        raise NotImplementedError

    def _answer(self) -> None:
        if self.is_down:
            raise Unavailable("the API server does not answer", remedy="Check the network.")


class Pages:
    """A console whose pages show the request."""

    def __init__(self, *namespaces: str) -> None:
        self.reply = NamespacesReply(tuple(sorted(namespaces)))
        self.state_version = "1"
        self.rendered: list[PageRequest] = []
        self.error: Exception | None = None

    async def page(self, request: PageRequest) -> PageReply:
        if self.error is not None:
            raise self.error
        self.rendered.append(request)
        status = 404 if request.path == "/missing" else 200
        return PageReply(status, msgspec.json.encode(request), self.state_version)

    async def namespaces(self) -> NamespacesReply:
        return self.reply

    async def version(self) -> str:
        return self.state_version


def server(pages: Pages, cluster: Cluster | None, clock: Callable[[], float] = monotonic) -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    add_fleet(app, pages, None if cluster is None else Sights(cluster, clock))
    add_headers_and_errors(app)
    return app


def get(app: FastAPI, path: str, *headers: Header) -> Answer:
    path, _, query = path.partition("?")
    return call(app, "GET", path, headers=[HOST, *headers], query=query)


def post(app: FastAPI, path: str, body: str, *headers: Header) -> Answer:
    return call(app, "POST", path, body.encode(), [HOST, FORM, *headers])


def bearer(token: str) -> Header:
    return ("authorization", f"Bearer {token}")


def sight_in(answer: Answer) -> Any:
    """The sight with which a page was rendered."""
    return answer.json["sight"]
