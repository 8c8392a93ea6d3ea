"""The dry-run API for tests, without a server."""

from collections.abc import Iterable
from types import SimpleNamespace

from fastapi import FastAPI

from tests.surfaces.asgi import Answer, Header, call
from webhook.manifests.objects import read_manifests
from webhook.policy.policy import Policy
from webhook.surfaces.api.app import build_api

JSON, YAML = "application/json", "application/yaml"


def api(policy: Policy | None = None, background: str = "", release: str = "") -> FastAPI:
    terms = SimpleNamespace(policy=policy or Policy(), today="2026-01-01")
    return build_api(lambda: terms, read_manifests(background.encode(), "facts").objects, release)


def post(
    body: str | bytes, kind: str | None = YAML, query: str = "", app: FastAPI | None = None, more: Iterable[Header] = ()
) -> Answer:
    content = body if isinstance(body, bytes) else body.encode()
    headers = [*more] if kind is None else [("content-type", kind), *more]
    return call(app or APP, "POST", "/v1/check", content, headers, query)


APP = api()
