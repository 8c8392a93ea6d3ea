"""The published documents of the dry-run API: schema, OpenAPI document, rules and releases."""

import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import pytest

from tests.surfaces.api.api import APP, api, post
from tests.surfaces.asgi import call
from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import PREVIEW, TABLE
from webhook.policy.policy import Policy, Profile
from webhook.rules.register import RULES
from webhook.surfaces.api.app import build_api
from webhook.surfaces.api.authorization import AttachedCluster


def test_answers_have_the_published_shape() -> None:
    """
    ``GET /v1/schema`` describes what ``POST /v1/check`` answers, and so does the OpenAPI document.
    """
    document = call(APP, "GET", "/openapi.json").json
    shapes = {"$ref": "#/components/schemas/Report", "components": document["components"]}

    for body in (GOOD, BAD, UNPROVEN, f"{BAD}---\nkind: 5\n"):
        answer = post(body).json
        jsonschema_rs.validate(call(APP, "GET", "/v1/schema").json, answer)
        jsonschema_rs.validate(shapes, answer)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(shapes, {"objects": []})


def test_problems_have_the_published_shape() -> None:
    """
    Every error is a Problem of the OpenAPI document.
    """
    document = call(APP, "GET", "/openapi.json").json
    shape = {"$ref": "#/components/schemas/Problem", "components": document["components"]}

    for answer in (post("a: ["), post("", "text/plain"), call(APP, "GET", "/nope"), post(GOOD, query="release=2")):
        assert [*jsonschema_rs.validator_for(shape).iter_errors(answer.json)] == []


def test_the_openapi_document_describes_exactly_the_responses() -> None:
    """
    All references resolve, and each described error can occur.
    """
    document = call(APP, "GET", "/openapi.json").json
    schemas = document["components"]["schemas"]

    references = {reference.rpartition("/")[2] for reference in _references(document)}
    assert references <= schemas.keys()
    assert schemas.keys() >= {"Report", "ObjectReport", "FindingReport", "VerdictReport", "Problem"}
    assert sorted(document["paths"]["/v1/check"]["post"]["responses"]) == [
        "200", "400", "401", "403", "413", "415", "503",
    ]  # fmt: skip
    assert "ValidationError" not in schemas


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_every_rule_is_listed() -> None:
    """
    ``GET /v1/rules`` is the whole catalogue, in its order.
    """
    assert [item["id"] for item in call(APP, "GET", "/v1/rules").json] == [rule.id for rule in RULES]


def test_the_supported_releases_are_listed() -> None:
    """
    ``GET /v1/releases`` lists the releases of *any*, newest first.
    """
    assert call(APP, "GET", "/v1/releases").json == ["1.9", "1.8", "1.7", "1.6", "1.5", "1.4", "1.3"]


def test_the_page_offers_every_release_that_a_check_accepts() -> None:
    """
    The table of releases is the only source. The default sends no release, and is shown by its value.
    """
    offered = offered_releases(APP)

    releases = [str(behaviour.release) for behaviour in reversed(TABLE)]
    assert list(offered) == ["", "any", *releases]
    assert offered == {"": "1.3 to 1.9 (default)", "any": "1.3 to 1.9 (any)"} | {
        release: release for release in releases
    } | {str(PREVIEW): f"{PREVIEW} (preview)"}
    for value in offered:
        assert post(GOOD, query=f"release={value}").status == 200


def test_the_page_shows_the_values_of_this_server() -> None:
    """
    The pinned release, and the profile of the policy.
    """
    pinned = api(Policy(profile=Profile.EXACT), release="1.5")

    assert offered_releases(pinned)[""] == "1.5 (default)"
    assert '<option value="exact" selected>exact (default)</option>' in call(pinned, "GET", "/").text
    assert 'id="token"' not in call(pinned, "GET", "/").text


def test_the_page_of_a_server_with_a_cluster_takes_a_token() -> None:
    """
    A password field, which the browser does not remember.
    """
    access = SimpleNamespace(who=lambda _token: None, may_make_vms=lambda _user, _namespace: False)
    cluster = AttachedCluster(access, lambda: ObjectsWorld(()), SimpleNamespace())
    terms = SimpleNamespace(policy=Policy(), today="2026-01-01")

    page = call(build_api(lambda: terms, (), "", cluster), "GET", "/").text

    assert '<input id="token" type="password" autocomplete="off" spellcheck="false">' in page


def offered_releases(app: Any) -> dict[str, str]:
    """Value and label of each option."""
    choice = call(app, "GET", "/").text.partition('id="release"')[2].partition("</select>")[0]
    return dict(re.findall(r'<option value="([^"]*)">([^<]*)</option>', choice))
